"""The sandbox in which a student's notebook runs: a kernel provisioner for Jupyter.

The kernel starts under bubblewrap: no network, no other process, no file but Python itself, the
part of the course that the exercise offers, and the data files of the submission; all of that is
read-only, and what the notebook writes lies in memory and goes with it. Tasks, reference
answers, solutions and the gradebook are not there. prlimit bounds a process's memory, the number
of processes, the size of files and the time on the processor.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Integer, List, Unicode

PACKAGE = Path(__file__).parents[1]
NAME = "course-sandbox"
"""What a kernelspec calls this provisioner, see the entry points in pyproject.toml."""

HOME = "/tmp/home"
WORK = "/submission"
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")


class NoSandbox(Exception):
    """Why there is no sandbox on this machine, and what to do, in a few words."""


@functools.cache
def offered(modules: frozenset[str]) -> tuple[Path, ...]:
    """Return the files of course_utils that a graded notebook may see.

    They are the named modules with all that these import, the data that they read, and the part
    of checks that asks; never the tasks with their answers, and no question of the drills.
    """
    files = {path for path in (PACKAGE / "checks").glob("*.py")} | {PACKAGE / "__init__.py"}
    todo = list(modules)
    while todo:
        path = PACKAGE.joinpath(*todo.pop().split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.exists() and path not in files:
            files.add(path)
            todo += _imports(path)
            if path.parent != PACKAGE:
                todo.append(".".join(path.relative_to(PACKAGE).parts[:-1]))
    data = PACKAGE / "data"
    files |= {path for path in data.iterdir() if path.is_file()}
    files |= {path for path in (data / "experiments").rglob("*") if path.is_file()}
    return tuple(sorted(files))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.startswith(f"{PACKAGE.name}."):
                yield name.partition(".")[2]


def command(
    argv: Collection[str],
    *,
    modules: Collection[str] = (),
    hidden: Collection[str] = (),
    sockets: str | None = None,
    files: Collection[tuple[Path, str]] = (),
    memory: int = 2 * 2**30,
    seconds: int = 300,
) -> list[str]:
    """Return the command line that runs ``argv`` in the sandbox.

    modules: the parts of course_utils to show. hidden: folders that must not be seen, should
    they lie where Python or the system does. sockets: the one folder to write to outside.
    files: (path, name) of what to show in the working folder. memory: bytes, of one process and
    of the files that it writes. seconds: on the processor.
    """
    words = ["bwrap"]
    for space in ("user", "ipc", "pid", "net", "uts", "cgroup-try"):
        words.append(f"--unshare-{space}")
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    room = str(memory // 8)
    words += ["--dev", "/dev", "--size", room, "--tmpfs", "/dev/shm"]
    words += ["--size", room, "--tmpfs", "/tmp", "--dir", HOME, "--size", room, "--tmpfs", WORK]
    shown = {*SYSTEM, sys.prefix, sys.base_prefix}
    if site.ENABLE_USER_SITE:
        shown.add(site.getusersitepackages())
    # Empty folders hide the course and the package, wherever they are; then come files to show.
    empty = {str(PACKAGE), *hidden}
    for path in sorted(shown | empty):  # a folder before those inside it
        words += ["--tmpfs", path] if path in empty else ["--ro-bind-try", path, path]
    for path in offered(frozenset(modules)):
        words += ["--ro-bind", str(path), str(path)]
    for path, name in files:
        words += ["--ro-bind", str(path), f"{WORK}/{name}"]
    words += _fonts()
    if sockets:
        words += ["--bind", sockets, sockets]
    for path in (*sorted(empty), "/dev", "/"):
        words += ["--remount-ro", path]
    words += ["--chdir", WORK]
    for key, value in _environment().items():
        words += ["--setenv", key, value]
    limits = {"as": memory, "fsize": memory // 8, "cpu": seconds, "nproc": 256, "core": 0}
    return [*words, "--", "prlimit", *(f"--{key}={value}" for key, value in limits.items()), *argv]


def _environment() -> dict[str, str]:
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        # One thread is enough for an exercise, and each takes address space.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _fonts() -> list[str]:
    """Show matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib

    lists = Path(matplotlib.get_cachedir()).glob("fontlist-*.json")
    return [
        word
        for path in lists
        for word in ("--ro-bind", str(path), f"{HOME}/.cache/matplotlib/{path.name}")
    ]


def probe() -> None:
    """Start Python once in the sandbox.

    Raises NoSandbox with the name of the fix where that fails.
    """
    if sys.platform != "linux":
        raise NoSandbox("bubblewrap runs on Linux alone: grade in a Linux machine or container.")
    for tool, package in (("bwrap", "bubblewrap"), ("prlimit", "util-linux")):
        if shutil.which(tool) is None:
            raise NoSandbox(f"`{tool}` is missing: install the package {package}.")
    if not entry_points(group="jupyter_client.kernel_provisioners", name=NAME):
        raise NoSandbox("Jupyter does not know the sandbox yet: run `make setup` once more.")
    done = subprocess.run(
        command([sys.executable, "-c", "import course_utils.checks.asked; print('here')"]),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    if done.returncode == 0 and done.stdout.strip() == "here":
        return
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
    raise NoSandbox(f"bubblewrap cannot run here ({said}). {_fix(said)}")


def _fix(said: str) -> str:
    if "Unknown option" in said:
        return "Version 0.7 or later is needed: update the package bubblewrap."
    if "uid map" in said or "Permission denied" in said or "not permitted" in said:
        return (
            "The system forbids user namespaces. On Ubuntu allow them for bwrap with an AppArmor "
            "profile that has `userns,` (or sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
            ", on Debian with sysctl kernel.unprivileged_userns_clone=1; a container needs "
            "--security-opt seccomp=unconfined, or a runtime that lets namespaces nest."
        )
    return "Try `bwrap --unshare-user --ro-bind / / true` to see more."


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in the sandbox, and talks to it through sockets in a folder of its own."""

    modules = List(Unicode(), help="Parts of course_utils that the notebook may import.")
    hidden = List(Unicode(), help="Folders that the notebook must not see.")
    memory = Integer(2 * 2**30, help="Bytes of address space of one process.")
    seconds = Integer(300, help="Seconds on the processor of one process.")

    _sockets: str | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put bubblewrap in front of the kernel's command."""
        # A path of a socket has 107 bytes at most, so it cannot lie deep.
        self._sockets = tempfile.mkdtemp(prefix="course-", dir="/tmp")
        km = self.parent
        km.transport = "ipc"
        km.connection_file = f"{self._sockets}/kernel.json"
        km.ip = f"{self._sockets}/s"
        folder = Path(kwargs.get("cwd") or self._sockets)
        kwargs = await super().pre_launch(**kwargs)
        kwargs["cmd"] = command(
            kwargs["cmd"],
            modules=self.modules,
            hidden=self.hidden,
            sockets=self._sockets,
            files=[] if str(folder) == self._sockets else _data(folder),
            memory=self.memory,
            seconds=self.seconds,
        )
        # What a kernel writes past Jupyter would go to the teacher's terminal.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return {**kwargs, **quiet, "cwd": "/", "env": {"PATH": os.environ.get("PATH", "")}}

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of sockets."""
        await super().cleanup(restart)
        if self._sockets:
            await asyncio.to_thread(shutil.rmtree, self._sockets, ignore_errors=True)


def _data(folder: Path) -> list[tuple[Path, str]]:
    """List what lies beside the notebook: plain files alone, no link to somewhere else."""
    return [
        (path.resolve(), str(path.relative_to(folder)))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".ipynb"
        and not any(part.is_symlink() for part in (path, *path.parents) if part != folder)
    ]
