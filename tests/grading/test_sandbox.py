"""What the sandbox shows, what it bounds, and what it says where it cannot run."""

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.checks.core import exercise
from course_utils.checks.tasks import EXERCISES
from course_utils.grading import sandbox
from course_utils.grading.sandbox import PACKAGE, NoSandbox


def shown(modules) -> set[str]:
    return {str(path.relative_to(PACKAGE)) for path in sandbox.offered(frozenset(modules))}


@pytest.mark.parametrize("name", EXERCISES)
def test_no_module_that_a_reference_comes_from_is_shown(name: str):
    found = exercise(name)
    files = shown(found.allowed)
    tasks = PACKAGE / "checks" / "tasks" / f"{name[3:]}.py"
    used = {
        node.module.split(".")[1]
        for node in ast.walk(ast.parse(tasks.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_utils.")
    }
    assert used
    for module in used - found.allowed - {"checks"}:
        assert not any(file.split("/")[0].removesuffix(".py") == module for file in files), module
    assert not any(file.startswith(("checks/tasks", "data/questions", "grading")) for file in files)
    # And what it may import is there, with what that imports.
    for module in found.allowed:
        assert {f"{module}.py", f"{module}/__init__.py"} & files


def test_a_module_brings_what_it_imports_and_the_data():
    assert {"facts.py", "quantities.py", "data/facts.toml", "data/models.csv"} <= shown(["facts"])
    assert "facts.py" not in shown([])
    assert {"lab/__init__.py", "lab/results.py"} <= shown(["lab.results"])


@pytest.fixture
def run():
    try:
        sandbox.probe()
    except NoSandbox as error:
        pytest.skip(str(error))

    def in_sandbox(code: str, **options) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            sandbox.command([sys.executable, "-c", code], **options),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TEACHERS_SECRET": "open sesame"},
        )

    return in_sandbox


WRITES = """
import os
for path in ("/", "/dev", "/usr", "{package}", "{here}", "/tmp", "/submission"):
    try:
        with open(os.path.join(path, "mine"), "w") as file:
            file.write("x")
        print("wrote", path)
    except OSError:
        pass
"""


def test_what_can_be_written_stays_inside(run, tmp_path: Path):
    done = run(WRITES.format(package=PACKAGE, here=tmp_path))
    assert done.stdout.split() == ["wrote", "/tmp", "wrote", "/submission"], done.stderr
    assert not (Path("/tmp") / "mine").exists()


def test_only_the_data_files_that_were_handed_in_are_there(run, tmp_path: Path):
    (tmp_path / "d.csv").write_text("1,2")
    code = "import os; print(sorted(os.listdir('.')), open('d.csv').read()); open('d.csv', 'w')"
    done = run(code, files=[(tmp_path / "d.csv", "d.csv")])
    assert done.stdout.strip() == "['d.csv'] 1,2"
    assert "Read-only" in done.stderr
    assert (tmp_path / "d.csv").read_text() == "1,2"


def test_a_course_is_hidden_even_in_a_folder_of_the_system(run):
    done = run("import os; print(os.listdir('/usr/share'))", hidden=["/usr/share"])
    assert done.stdout.strip() == "[]", done.stderr


def test_neither_other_processes_nor_the_environment_are_seen(run):
    done = run("import os; print(os.getpid() < 10, 'TEACHERS_SECRET' in os.environ)")
    assert done.stdout.split() == ["True", "False"]


def test_memory_and_files_are_bounded(run):
    code = """
try:
    bytearray(2**30)
except MemoryError:
    print("memory")
for path in ("/tmp/large", "/submission/large", "/dev/shm/large"):
    try:
        for number in range(9):
            with open(f"{path}{number}", "wb") as file:
                file.write(bytes(2**24))
    except OSError as error:
        print("disk")
"""
    done = run(code, memory=2**29)
    assert done.stdout.split() == ["memory", "disk", "disk", "disk"], done.stderr


def test_time_on_the_processor_is_bounded(run):
    assert run("while True: pass", seconds=1).returncode != 0


def test_links_beside_a_notebook_are_not_followed(tmp_path: Path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("key")
    folder = tmp_path / "handed_in"
    (folder / "more").mkdir(parents=True)
    (folder / "more" / "d.csv").write_text("1")
    (folder / "a.ipynb").write_text("{}")
    (folder / "link.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (folder / "door").symlink_to(tmp_path / "secret")
    assert [name for _, name in sandbox._data(folder)] == ["more/d.csv"]


def test_without_bubblewrap_the_package_is_named(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match=r"bubblewrap|Linux"):
        sandbox.probe()


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox runs on Linux alone")
@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("bwrap: setting up uid map: Permission denied", "AppArmor"),
        ("bwrap: No permissions to create new namespace: Operation not permitted", "unprivileged"),
        ("bwrap: Unknown option --size", "update the package bubblewrap"),
        ("bwrap: something else", "to see more"),
    ],
)
def test_where_it_cannot_run_the_fix_is_named(monkeypatch, tmp_path: Path, said: str, fix: str):
    # A bubblewrap that refuses, as it does on such machines.
    for tool, script in (("bwrap", f"#!/bin/sh\necho '{said}' >&2\nexit 1\n"), ("prlimit", "")):
        (tmp_path / tool).write_text(script)
        (tmp_path / tool).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match=fix):
        sandbox.probe()
