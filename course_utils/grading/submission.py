"""Grading one submission: nbgrader's own converter, with the repair and the judge in its steps.

The submission is copied first: plain files alone, the notebook under the name that nbgrader looks
for. The teacher's folder is only read.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute
from sqlalchemy.exc import SAWarning
from traitlets.utils.importstring import import_item

from course_utils.checks.core import exercise
from course_utils.grading.judge import Judge
from course_utils.grading.repair import Repair

LARGEST_SUBMISSION = 100_000_000

# What can become of a student; what stands in the journal and in the report.
GRADED = "graded"
LOST_CELLS = "graded, cells lost"
RENAMED = "graded, file was renamed"
NO_METADATA = "graded, metadata was lost"
DAMAGED = "not graded: damaged file"
CRASHED = "not graded: crashed"
REFUSED = "not graded: refused"
MISSING = "missing"
IN_GRADEBOOK = (GRADED, LOST_CELLS, RENAMED, NO_METADATA)


@dataclass(frozen=True)
class Job:
    """One submission to grade, and how.

    root: the course's folder. folder: the submission's. work: where to put copies. exercise: the
    course's name for what the assignment asks. secret: what the inputs are drawn from. key: what
    the outcome depends on.
    """

    root: str
    folder: str
    work: str
    assignment: str
    student: str
    exercise: str
    secret: str
    key: str
    sandboxed: bool = True
    seconds: int = 180


@dataclass
class Outcome:
    """What became of one student.

    scores: points of every check cell that was judged. notes: what a teacher should know.
    """

    student: str
    status: str
    notes: list[str] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    sandboxed: bool = True
    key: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Unreadable(Exception):
    """Status and reason for a submission that nbgrader should not see."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def files(folder: Path) -> list[Path]:
    """List the files of a submission.

    Raises Unreadable for links and other things that are no plain file: they could lead out of
    the folder.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Unreadable(REFUSED, f"{path.relative_to(folder)} is a link and no plain file.")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts:
            found.append(path)
    return found


def fingerprint(folder: Path) -> str:
    """Return a hash of what was submitted: names and contents of all files."""
    digest = hashlib.sha256()
    for path in files(folder):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder)}\0{content}\0".encode())
    return digest.hexdigest()


def stage(folder: Path, target: Path, notebook: str) -> str:
    """Copy a submission and return the notebook's name where it was another one, or "".

    Raises Unreadable, saying why, for what cannot be graded.
    """
    found = files(folder)
    if sum(path.stat().st_size for path in found) > LARGEST_SUBMISSION:
        raise Unreadable(REFUSED, f"It is larger than {LARGEST_SUBMISSION // 10**6} MB.")
    notebooks = [path for path in found if path.parent == folder and path.suffix == ".ipynb"]
    right = folder / f"{notebook}.ipynb"
    if right not in notebooks:
        names = ", ".join(path.name for path in notebooks)
        if len(notebooks) != 1:
            raise Unreadable(
                REFUSED,
                f"No {right.name} but {names}: rename the one that counts."
                if notebooks
                else f"There is no {right.name} in the folder.",
            )
        right = notebooks[0]
    _read(right)
    target.mkdir(parents=True)
    for path in found:
        if path.suffix != ".ipynb":
            copy = target / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    shutil.copyfile(right, target / f"{notebook}.ipynb")
    return "" if right.stem == notebook else right.name


def _read(path: Path) -> None:
    try:
        notebook = nbformat.v4.upgrade(nbformat.reads(path.read_text("utf-8"), as_version=4))
        empty = not [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:
        raise Unreadable(
            DAMAGED,
            f"{path.name} is cut off or damaged, no whole notebook ({type(error).__name__}): ask "
            "for it again.",
        ) from None
    if empty:
        raise Unreadable(DAMAGED, f"{path.name} holds no code: ask for it again.")


@functools.cache
def application(root: str) -> AutogradeApp:
    """Return nbgrader's application with the configuration of the course in ``root``.

    Changes the working directory of the process, and puts this Python's folder on its PATH, since
    nbgrader calls alembic by name.
    """
    # nbgrader warns its own authors about how it uses its database.
    warnings.filterwarnings("ignore", category=SAWarning)
    os.chdir(root)
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    app = AutogradeApp()
    app.initialize(["--NbGrader.logfile="], root=root)
    for handler in list(app.log.handlers):
        app.log.removeHandler(handler)
    app.log.propagate = False
    return app


def grade(job: Job) -> Outcome:
    """Grade one submission into the gradebook; runs in a process of its own, one at a time."""
    outcome = Outcome(job.student, GRADED, sandboxed=job.sandboxed, key=job.key)
    with tempfile.TemporaryDirectory(dir=job.work) as copies:
        try:
            target = Path(copies) / job.student / job.assignment
            renamed = stage(Path(job.folder), target, job.assignment)
            _convert(job, os.path.relpath(copies, job.root), outcome)
            if renamed:
                outcome.status = RENAMED if outcome.status == GRADED else outcome.status
                outcome.notes.insert(0, f"The notebook was called {renamed}.")
        except Unreadable as error:
            outcome.status, outcome.notes = error.status, [str(error)]
        except Exception as error:
            outcome.status = CRASHED
            outcome.notes.append(f"{type(error).__name__}: {str(error)[:300]}")
    return outcome


def _convert(job: Job, submitted: str, outcome: Outcome) -> None:
    app = application(job.root)
    course = app.coursedir
    course.submitted_directory = submitted
    course.assignment_id, course.student_id = job.assignment, glob.escape(job.student)
    converter = Autograde(coursedir=course, parent=app)
    converter.force = True
    repair = Repair(parent=converter)
    judge = Judge(
        parent=converter,
        exercise=exercise(job.exercise),
        secret=f"{job.secret}/{job.key}",
        root=job.root,
        sandboxed=job.sandboxed,
        seconds=job.seconds,
    )
    converter.sanitize_preprocessors = [repair, *converter.sanitize_preprocessors]
    converter.autograde_preprocessors = [
        judge if isinstance(step, type) and issubclass(step, Execute) else step
        for step in map(_step, converter.autograde_preprocessors)
    ]
    if judge not in converter.autograde_preprocessors:
        raise RuntimeError("nbgrader's configuration leaves out Execute")
    heard = _Last()
    app.log.addHandler(heard)
    try:
        converter.start()
    except BaseException as error:
        raise RuntimeError(heard.error or str(error)) from error
    finally:
        app.log.removeHandler(heard)
    outcome.scores = {name: each.score for name, each in judge.judged.items()}
    outcome.notes += repair.notes
    if repair.lost:
        outcome.status = NO_METADATA
    unheard = {name: each.why for name, each in judge.judged.items() if each.why}
    lost = [name for name, why in unheard.items() if why == judge.ended]
    if lost:
        outcome.status = LOST_CELLS
        outcome.notes.append(f"{judge.ended} No points for {', '.join(lost)}.")
    for why in dict.fromkeys(why for why in unheard.values() if why != judge.ended):
        names = [name for name in unheard if unheard[name] == why]
        outcome.notes.append(f"No points for {', '.join(names)}: {why}")


def _step(step: Any) -> Any:
    return import_item(step) if isinstance(step, str) else step


class _Last(logging.Handler):
    """Remembers what nbgrader logged of an error that it then replaces by a general one."""

    error = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if record.levelno >= logging.ERROR and text.startswith("Traceback"):
            self.error = text.splitlines()[-1]
