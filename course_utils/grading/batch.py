"""Grading a class: who submitted what, which of it is still to do, and doing it in parallel.

Processes grade, one submission each at a time; this one keeps the journal. A line of it says what
became of one submission, and is on the disk before the next one is reported. So the same command,
after whatever stopped it, does the rest and nothing twice.
"""

from __future__ import annotations

import glob
import hashlib
import importlib
import json
import multiprocessing
import multiprocessing.connection
import os
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from course_utils.checks.core import find
from course_utils.grading import submission
from course_utils.grading.repair import CHECK
from course_utils.grading.submission import Job, Outcome, Unreadable
from course_utils.release import ReleaseError, nbgrader


class CannotGrade(Exception):
    """Why the batch cannot start, and what to do, in a few words."""


@dataclass(frozen=True)
class Course:
    """What a batch needs to know of nbgrader's course, from the configuration in its root."""

    root: Path
    db_url: str
    assignment: str
    exercise: str
    submitted: dict[str, Path]
    """The folder of every student who handed in something."""
    students: tuple[str, ...]
    """Everybody whom the gradebook knows, or who has a folder for submissions."""
    journal: Path
    version: str
    """A hash of the tasks and of the assignment's cells: another one means other grades."""

    @property
    def work(self) -> Path:
        """Where submissions are copied to while they are graded."""
        return self.journal.with_suffix(".work")


def course(root: Path, assignment: str) -> Course:
    """Read nbgrader's configuration and gradebook.

    An assignment that the gradebook lacks is entered from its source. Raises CannotGrade.
    """
    root = root.resolve()
    if not (root / "nbgrader_config.py").exists():
        raise CannotGrade(
            f"{root} has no nbgrader_config.py: run this in the folder of your course."
        )
    directory = submission.application(str(root)).coursedir
    try:
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            known = assignment in [each.name for each in gradebook.assignments]
        if not known:
            _enter(directory, assignment)
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            name, cells = _cells(gradebook.find_assignment(assignment))
            enrolled = [student.id for student in gradebook.students]
    except (MissingEntry, ReleaseError) as error:
        raise CannotGrade(f"{assignment} is not in the gradebook: {error}") from None
    submitted = _folders(directory, assignment)
    tasks = Path(importlib.import_module(f"course_utils.checks.tasks.{name[3:]}").__file__)
    journal = directory.format_path(directory.autograded_directory, ".course", assignment)
    return Course(
        root=Path(directory.root),
        db_url=directory.db_url,
        assignment=assignment,
        exercise=name,
        submitted=submitted,
        students=tuple(sorted({*enrolled, *submitted, *_folders(directory, "")})),
        journal=Path(journal).with_suffix(".jsonl"),
        version=hashlib.sha256(tasks.read_bytes() + repr(cells).encode()).hexdigest(),
    )


def _enter(directory: Any, assignment: str) -> None:
    """Enter an assignment into the gradebook; what students got stays as it is."""
    source = Path(directory.format_path(directory.source_directory, ".", assignment))
    if not source.is_dir():
        known = ", ".join(sorted(path.name for path in source.parent.glob("*") if path.is_dir()))
        raise CannotGrade(f"There is no assignment {assignment}; there are {known or 'none'}.")
    with tempfile.TemporaryDirectory() as elsewhere:
        nbgrader(
            Path(directory.root),
            "generate_assignment",
            assignment,
            f"--CourseDirectory.release_directory={elsewhere}",
        )


def _cells(assignment: Any) -> tuple[str, list[tuple]]:
    """Return which exercise an assignment is, and what identifies its cells.

    Raises CannotGrade for an assignment that the judge cannot judge.
    """
    notebooks = [notebook.name for notebook in assignment.notebooks]
    if notebooks != [assignment.name]:
        raise CannotGrade(
            f"An exercise is one notebook with the assignment's name; {assignment.name} has "
            f"{', '.join(notebooks) or 'none'}. Use `nbgrader autograde` for it."
        )
    (notebook,) = assignment.notebooks
    sources = {cell.name: cell for cell in notebook.source_cells}
    names = set()
    for cell in notebook.grade_cells:
        source = sources[cell.name]
        if source.cell_type != "code":
            continue
        match = CHECK.match(source.source)
        try:
            names.add(find(match[1])[0].name if match else "")
        except ValueError as error:
            raise CannotGrade(str(error)) from None
    if len(names) != 1 or "" in names:
        raise CannotGrade(
            f"{assignment.name} has test cells that are no checks of one exercise of this course. "
            "Use `nbgrader autograde` for it, which runs and trusts them."
        )
    points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    return names.pop(), sorted((n, c.checksum, points.get(n)) for n, c in sources.items())


def _folders(directory: Any, assignment: str) -> dict[str, Path]:
    """Return the folder of each student's submission, found as nbgrader finds it."""
    step = directory.submitted_directory
    pattern = directory.format_path(
        re.escape(step), "(?P<student>[^/]+)", re.escape(assignment), escape=True
    )
    folders = glob.glob(directory.format_path(step, "*", glob.escape(assignment)))
    matches = [(re.fullmatch(pattern, folder), Path(folder)) for folder in sorted(folders)]
    return {match["student"]: folder for match, folder in matches if match and folder.is_dir()}


class Journal:
    """What is finished, one line of JSON each, and the secret that inputs are drawn from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.secret = ""
        self.outcomes: dict[str, Outcome] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # nobody else may read the secret
        self._file = path.open("a+", encoding="utf-8")
        _lock(self._file)
        self._file.seek(0)
        text = self._file.read()
        for line in text.splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:  # the line that was being written when all was stopped
                continue
            if "secret" in record:
                self.secret = record["secret"]
            else:
                self.outcomes[record["student"]] = Outcome(**record)
        if text and not text.endswith("\n"):
            self._file.write("\n")
        if not self.secret:
            self.secret = secrets.token_hex(16)
            self._write({"secret": self.secret})

    def add(self, outcome: Outcome) -> None:
        """Write down an outcome; when this returns, it is on the disk."""
        self.outcomes[outcome.student] = outcome
        self._write(outcome.as_dict())

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(f"{json.dumps(record)}\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _lock(file: Any) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotGrade("This assignment is being graded already, by another command.") from None


def grade(
    about: Course,
    students: tuple[str, ...],
    *,
    workers: int,
    sandboxed: bool = True,
    seconds: int = 180,
    force: bool = False,
    told: Callable[[Outcome], None] = lambda outcome: None,
    pool: Callable[[int], Executor] | None = None,
) -> list[Outcome]:
    """Grade what is still to do and return what became of everybody in ``students``.

    force: grade again what the journal has. told: is called with each outcome as it comes.
    pool: makes an executor with so many workers; by default, processes of this machine.
    """
    journal = Journal(about.journal)
    try:
        shutil.rmtree(about.work, ignore_errors=True)  # what a killed batch left behind
        about.work.mkdir()
        jobs, outcomes = [], {}
        for student in students:
            job = _job(about, student, journal.secret, sandboxed, seconds)
            if isinstance(job, Outcome):
                outcomes[student] = job
            elif not force and _finished(about, journal.outcomes.get(student), job):
                outcomes[student] = journal.outcomes[student]
            else:
                jobs.append(job)
        for outcome in _run(jobs, workers, pool or processes):
            if outcome.status in submission.IN_GRADEBOOK:
                journal.add(outcome)
            outcomes[outcome.student] = outcome
            told(outcome)
        return [outcomes[student] for student in students]
    finally:
        shutil.rmtree(about.work, ignore_errors=True)
        journal.close()


def _job(about: Course, student: str, secret: str, sandboxed: bool, seconds: int) -> Job | Outcome:
    folder = about.submitted.get(student)
    if folder is None:
        return Outcome(student, submission.MISSING, ["Nothing was handed in."])
    try:
        key = f"{submission.fingerprint(folder)}/{about.version}"
    except Unreadable as error:
        return Outcome(student, error.status, [str(error)])
    return Job(
        root=str(about.root),
        folder=str(folder),
        work=str(about.work),
        assignment=about.assignment,
        student=student,
        exercise=about.exercise,
        secret=secret,
        key=hashlib.sha256(key.encode()).hexdigest(),
        sandboxed=sandboxed,
        seconds=seconds,
    )


def _finished(about: Course, outcome: Outcome | None, job: Job) -> bool:
    """Tell whether the journal's outcome is that of this job, and the gradebook still has it."""
    if outcome is None or outcome.key != job.key or outcome.sandboxed < job.sandboxed:
        return False
    with Gradebook(about.db_url) as gradebook:
        try:
            gradebook.find_submission(about.assignment, job.student)
        except MissingEntry:
            return False
    return True


def _run(jobs: list[Job], workers: int, pool: Callable[[int], Executor]) -> Iterator[Outcome]:
    """Grade all jobs; where a worker process dies, find out over which one and go on."""
    waiting, alone = list(jobs), False
    while waiting:
        count = 1 if alone else min(workers, len(waiting))
        with _ending(pool(count)) as executor:
            futures = {executor.submit(submission.grade, job): job for job in waiting}
            for future in as_completed(futures):
                if future.exception() is None:
                    waiting.remove(futures[future])
                    yield future.result()
        if waiting and alone:  # one worker takes them in order, so the first one ended it
            job = waiting.pop(0)
            note = "Grading it ended the grader's own process, perhaps for want of memory."
            yield Outcome(job.student, submission.CRASHED, [note], sandboxed=job.sandboxed)
        alone = True


@contextmanager
def _ending(executor: Executor) -> Iterator[Executor]:
    """Shut an executor down without starting what still waits."""
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def processes(workers: int) -> ProcessPoolExecutor:
    """Make a pool of processes that end when this one is gone, however it went."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    if parent is not None:
        threading.Thread(target=wait, daemon=True).start()
