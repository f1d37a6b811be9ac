"""A class with honest, clumsy and hostile students: real nbgrader, real kernels, real sandbox."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from test_exercises import answers, graded, source
from test_nbgrader import solved, submission

from course_utils.checks.core import exercise
from course_utils.grading import batch, report, sandbox
from course_utils.grading.command import grade
from course_utils.grading.submission import (
    DAMAGED,
    GRADED,
    LOST_CELLS,
    MISSING,
    NO_METADATA,
    REFUSED,
    RENAMED,
    Outcome,
)
from course_utils.release import nbgrader, temporary_course

pytestmark = [pytest.mark.nbgrader, pytest.mark.usefixtures("needs_the_sandbox")]

COURSE = (sys.executable, "-c", "from course_utils.cli import main; main()")
NAME = "02_flops_6nd"
TASKS = {task.name: task.points for task in exercise(NAME).tasks}
FULL = dict(TASKS)
ESSAY = "denominators"


def make_course(folder: Path) -> Path:
    course = temporary_course(folder.resolve(), (NAME,))
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.Execute.timeout = 10\n")
    return course


def hand_in(course: Path, student: str, notebook, name: str = f"{NAME}.ipynb") -> Path:
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / name)
    return folder


def course_grade(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would whose environment is not activated."""
    return subprocess.run(
        [*COURSE, "grade", NAME, *arguments],
        cwd=course,
        env={**os.environ, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def before_check(notebook, task: str, code: str) -> None:
    """Put a cell of the student's own in front of a check."""
    position = notebook.cells.index(graded(notebook, "code")[task])
    notebook.cells.insert(position, new_code_cell(code))


def scores(course: Path) -> dict[str, dict[str, float | None]]:
    """Return every student's automatic scores, as the gradebook has them."""
    with sqlite3.connect(course / "gradebook.db") as connection:
        rows = connection.execute(
            """
            select submitted_assignment.student_id, base_cell.name, grade.auto_score
            from grade
            join base_cell on base_cell.id = grade.cell_id
            join submitted_notebook on submitted_notebook.id = grade.notebook_id
            join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
            order by 1, 2
            """
        ).fetchall()
    found: dict[str, dict[str, float | None]] = {}
    for student, name, score in rows:
        found.setdefault(student, {})[name] = score
    return found


def snapshot(folder: Path) -> dict[str, tuple]:
    return {
        str(path.relative_to(folder)): (
            path.is_symlink() or path.is_dir() or path.read_bytes(),
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


# --- the students -------------------------------------------------------------------------------


def clumsy():
    """Right answers in a notebook to which everything happened that happens to notebooks."""
    notebook = solved(NAME)
    checks = graded(notebook, "code")
    # A test cell copied with its metadata, one removed, one with another id.
    position = notebook.cells.index(checks["gpt_params"])
    copy = nbformat.from_dict({**checks["gpt_params"], "id": "a-copy"})
    notebook.cells.insert(position, copy)
    notebook.cells.remove(checks["training_flops"])
    checks["moe_counts"].metadata.nbgrader.grade_id = "my_own_name"
    # Metadata that no program wrote.
    notebook.cells[0].metadata["nbgrader"] = "mine"
    notebook.cells[1].metadata["nbgrader"] = {"grade_id": 5, "grade": True, "points": "all"}
    notebook.cells[2].metadata["nbgrader"] = {"grade_id": "x", "schema_version": 99}
    # Warnings, a flood of text, more memory than there is, a file, an own call of check, an exit.
    answers(notebook)["training_bill"].source += (
        "\n\n_right = training_bill\n\n"
        "def training_bill(*args):\n"
        "    import sys, warnings\n"
        "    warnings.warn('mind the step')\n"
        "    print('careful', file=sys.stderr)\n"
        "    return _right(*args)\n"
    )
    before_check(notebook, "linear_layer_flops", "for _ in range(5000): print('flood ' * 200)")
    before_check(notebook, "linear_layer_flops", "hoard = bytearray(2**33)")
    before_check(
        notebook, "linear_layer_flops", "open('mine.txt', 'w').write(open('d.txt').read())"
    )
    before_check(notebook, "linear_layer_flops", "check('02.gpt_params', 1)\nexit()")
    return notebook


CHEATS = {
    # An object that agrees with everything.
    "linear_layer_flops": """
class Pleaser(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    __hash__ = None
    def __le__(self, other): return True

def linear_layer_flops(*args, **more): return Pleaser(1.0)
""",
    # An answer of its own beside the one that is asked for, with the right nonce.
    "gpt_params": """
def gpt_params(*args):
    from IPython.display import display
    MIME = type(check).__call__.__globals__["MIME"]
    display({MIME: {"name": check.name, "nonce": check.nonce, "answers": {}}}, raw=True)
    return {}
""",
    # A value of the cell that comes before its error.
    "training_flops": """
def training_flops(*args):
    import sys
    sys.displayhook(3.0)
    raise KeyboardInterrupt
""",
    # A display that is changed into points later on.
    "moe_counts": """
def moe_counts(*args):
    from IPython.display import display
    global late
    late = [display("nothing", display_id=True) for _ in range(3)]
    return {}
""",
    # The reference, if it can be found under any name.
    "training_bill": """
def training_bill(*args):
    import importlib
    tasks = importlib.import_module(".".join(["course_utils", "checks", "tasks", "flops_6nd"]))
    return tasks.EXERCISE.by_name["training_bill"].reference(*args)
""",
    # Messages that look like the kernel's own.
    "mfu_of_run": """
def mfu_of_run(*args):
    kernel = get_ipython().kernel
    for kind, content in (
        ("execute_result", {"execution_count": 1, "data": {"text/plain": "3.0"}, "metadata": {}}),
        ("execute_reply", {"status": "ok", "execution_count": 1, "user_expressions": {}}),
    ):
        kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"))
    return 0.5
""",
}

PATCHES = """
import ast, sys
import numpy as np
np.allclose = np.isclose = lambda *args, **more: True
sys.modules["course_utils.checks.compare"].differ = lambda *args, **more: ""
sys.modules["course_utils.checks.core"].judge = lambda *args: 3.0
sys.modules["course_utils.checks.notebook"].judge = lambda *args: 3.0
check = lambda *args: 3.0

class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()

get_ipython().ast_transformers.append(NoAsserts())
"""

SPY = """
import pathlib, socket, sqlite3
print("here:", sorted(path.name for path in pathlib.Path(".").iterdir()))
for folder in {places!r}:
    print("seen:", list(pathlib.Path(folder).glob("*")))
try:
    sqlite3.connect({gradebook!r}).execute("update grade set auto_score = 999")
except sqlite3.OperationalError as error:
    print("gradebook:", error)
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
    print("network: open")
except OSError as error:
    print("network:", error)
for each in late:
    each.update("3.0")
"""


def cheat(course: Path, port: int):
    notebook = submission(NAME, CHEATS)
    before_check(notebook, "linear_layer_flops", PATCHES)
    package = Path(sandbox.PACKAGE)
    places = [
        str(course),
        str(course / "solutions"),
        str(course / "submitted"),
        str(package.parent / "solutions"),
        str(package / "checks" / "tasks"),
        str(package / "drills"),
        str(package / "data" / "questions"),
    ]
    spy = SPY.format(places=places, gradebook=str(course / "gradebook.db"), port=port)
    before_check(notebook, "mfu_of_run", spy)
    return notebook


def dead():
    """The first answer never ends; before the fourth check, the notebook ends its own process."""
    notebook = solved(NAME)
    answers(notebook)[
        "linear_layer_flops"
    ].source = "def linear_layer_flops(*args, **more):\n    import time\n    time.sleep(1000)"
    before_check(notebook, "moe_counts", "import os\nos._exit(0)")
    return notebook


def stubborn():
    notebook = solved(NAME)
    answers(notebook)["training_bill"].source = (
        "import signal, time\n\n"
        "def training_bill(*args):\n"
        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    while True:\n"
        "        time.sleep(1)\n"
    )
    return notebook


def stripped():
    notebook = solved(NAME)
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    return notebook


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    """The course after one batch over all of them, the report, and what was there before."""
    import socket

    course = make_course(tmp_path_factory.mktemp("class"))
    nbgrader(course, "generate_assignment", NAME)
    with socket.create_server(("127.0.0.1", 0)) as server:
        hand_in(course, "cheat", cheat(course, server.getsockname()[1]))
        (hand_in(course, "clumsy", clumsy()) / "d.txt").write_text("data")
        hand_in(course, "dead", dead())
        hand_in(course, "renamed", solved(NAME), "my answers (1).ipynb")
        hand_in(course, "stripped", stripped())
        hand_in(course, "stubborn", stubborn())
        cut = hand_in(course, "cut", solved(NAME)) / f"{NAME}.ipynb"
        cut.write_text(cut.read_text()[:5000])
        (hand_in(course, "linked", solved(NAME)) / "d.txt").symlink_to(course / "gradebook.db")
        hand_in(course, "twice", solved(NAME), "a.ipynb")
        nbformat.write(solved(NAME), course / "submitted" / "twice" / NAME / "b.ipynb")
        (course / "submitted" / "absent").mkdir()
        before = snapshot(course / "submitted")
        done = course_grade(course, "--workers", "2", "--report", "report.csv")
    with (course / "report.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    return course, done, rows, before


def points(graded_class, student: str) -> dict[str, float | None]:
    found = scores(graded_class[0])[student]
    return {name: found[name] for name in TASKS}


def test_report_has_a_status_for_everybody(graded_class):
    _, done, rows, _ = graded_class
    assert {student: row["status"] for student, row in rows.items()} == {
        "absent": MISSING,
        "cheat": GRADED,
        "clumsy": GRADED,
        "cut": DAMAGED,
        "dead": LOST_CELLS,
        "linked": REFUSED,
        "renamed": RENAMED,
        "stripped": NO_METADATA,
        "stubborn": LOST_CELLS,
        "twice": REFUSED,
    }, done.stderr
    assert done.returncode == 1
    for student in rows:
        assert student in done.stdout


def test_who_was_not_graded_has_no_points_rather_than_none(graded_class):
    _, _, rows, _ = graded_class
    for student in ("absent", "cut", "linked", "twice"):
        assert rows[student]["score"] == ""
        assert {rows[student][name] for name in TASKS} == {""}
        assert rows[student]["remarks"]
    assert float(rows["cheat"]["score"]) == 0


def test_no_cheat_earns_anything(graded_class):
    course, _, rows, _ = graded_class
    assert points(graded_class, "cheat") == dict.fromkeys(TASKS, 0.0), rows["cheat"]
    assert set(scores(course)) == {"cheat", "clumsy", "dead", "renamed", "stripped", "stubborn"}


def test_the_sandbox_shows_nothing_of_the_course(graded_class):
    course, *_ = graded_class
    notebook = nbformat.read(course / "autograded" / "cheat" / NAME / f"{NAME}.ipynb", 4)
    (said,) = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout" and output.text.startswith("here:")
    ]
    assert "here: []" in said
    assert said.count("seen: []") == said.count("seen:") == 7
    assert "gradebook: unable to open" in said
    assert "network: open" not in said and "network: " in said


def test_an_honest_notebook_keeps_its_points_whatever_happened_to_it(graded_class):
    course, _, rows, _ = graded_class
    for student in ("clumsy", "renamed", "stripped"):
        assert points(graded_class, student) == FULL, rows[student]["remarks"]
    assert "gpt_params was there more than once" in rows["clumsy"]["remarks"]
    assert "training_flops was missing" in rows["clumsy"]["remarks"]
    assert "my answers (1).ipynb" in rows["renamed"]["remarks"]
    size = (course / "autograded" / "clumsy" / NAME / f"{NAME}.ipynb").stat().st_size
    assert size < 2_000_000


def test_points_from_before_a_crash_are_kept(graded_class):
    _, _, rows, _ = graded_class
    names = list(TASKS)
    assert points(graded_class, "dead") == FULL | dict.fromkeys([names[0], *names[3:]], 0.0)
    assert "ended its own kernel" in rows["dead"]["remarks"]
    assert "ran too long" in rows["dead"]["remarks"]
    assert points(graded_class, "stubborn") == FULL | dict.fromkeys(names[4:], 0.0)
    assert "could not be interrupted" in rows["stubborn"]["remarks"]


def test_essays_wait_for_the_teacher(graded_class):
    course, _, rows, _ = graded_class
    found = scores(course)
    for student in ("clumsy", "renamed", "stripped"):
        assert found[student][ESSAY] is None
        assert rows[student]["to_mark"] == "4"


def test_the_teachers_points_are_in_the_report(graded_class):
    course, *_ = graded_class
    url = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        grade = gradebook.find_grade(ESSAY, NAME, NAME, "renamed")
        grade.manual_score, grade.needs_manual_grade = 3.0, False
        gradebook.db.commit()
    (row,) = report.rows(url, NAME, [Outcome("renamed", RENAMED)])
    assert (row.score, row.to_mark) == (sum(TASKS.values()) + 3, 0)
    assert row.questions == FULL | {ESSAY: 3.0}


def test_the_submissions_are_left_alone(graded_class):
    course, _, _, before = graded_class
    assert snapshot(course / "submitted") == before


def test_nbgrader_goes_on_from_there(graded_class):
    course, *_ = graded_class
    nbgrader(course, "generate_feedback", NAME, "--student", "dead")
    page = (course / "feedback" / "dead" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "02.gpt_params: 3 of 3 points" in page
    assert "ended its own kernel" in page
    nbgrader(course, "export")
    with (course / "grades.csv").open(newline="") as file:
        exported = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    assert exported["clumsy"] == sum(TASKS.values())
    assert exported["cheat"] == 0


# --- killed and taken up again ------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_class(tmp_path_factory) -> Path:
    """Three submissions, and an assignment that the gradebook does not know yet."""
    course = make_course(tmp_path_factory.mktemp("small"))
    half = {task: cell.source for task, cell in list(answers(source(NAME)).items())[:3]}
    for student, notebook in (
        ("a", solved(NAME)),
        ("b", submission(NAME, half)),
        ("c", submission(NAME, {})),
    ):
        hand_in(course, student, notebook)
    return course


def finished(course: Path) -> list[str]:
    try:
        lines = (course / "autograded" / ".course" / f"{NAME}.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line)["student"] for line in lines[1:] if line.endswith("}")]


def again(course: Path, **options) -> tuple[list[str], list[report.Row]]:
    """Grade once more, in this process: who was graded now, and the report on everybody."""
    about, told = batch.course(course, NAME), []
    outcomes = batch.grade(about, about.students, workers=1, told=told.append, **options)
    return [outcome.student for outcome in told], report.rows(about.db_url, NAME, outcomes)


def test_a_killed_batch_goes_on_where_it_was(small_class: Path, monkeypatch):
    monkeypatch.chdir(small_class)
    process = subprocess.Popen(
        [*COURSE, "grade", NAME, "--workers", "1"],
        cwd=small_class,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not finished(small_class) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(small_class)
    assert 1 <= len(before) < 3

    rest, rows = again(small_class)
    assert sorted(before + rest) == ["a", "b", "c"]
    assert [row.status for row in rows] == [GRADED] * 3
    interrupted = scores(small_class)
    assert {name: interrupted["a"][name] for name in TASKS} == FULL

    everybody, undisturbed = again(small_class, force=True)
    assert sorted(everybody) == ["a", "b", "c"]
    assert scores(small_class) == interrupted
    assert undisturbed == rows
    assert not list((small_class / "autograded" / ".course").glob("*.work"))


def test_only_what_changed_is_graded_again(small_class: Path, monkeypatch):
    monkeypatch.chdir(small_class)
    path = small_class / "submitted" / "c" / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text() + "\n")
    graded_now, rows = again(small_class, sandboxed=False)
    assert graded_now == ["c"]
    assert [row.remarks for row in rows] == [[], [], ["Run without the sandbox."]]
    # With the sandbox that grade does not stand, and an unreadable file keeps it from being made.
    path.write_text("{")
    graded_now, rows = again(small_class)
    assert graded_now == ["c"]
    assert (rows[2].status, rows[2].score) == (DAMAGED, None)


def test_what_cannot_be_graded_is_said_before_anything_runs(small_class: Path, monkeypatch):
    def said(folder: Path, *arguments: str) -> str:
        monkeypatch.chdir(folder)
        done = CliRunner().invoke(grade, arguments)
        assert done.exit_code == 1, done.output
        return done.output

    assert "no nbgrader_config.py" in said(small_class.parent, NAME)
    assert f"no assignment ps9; there are {NAME}" in said(small_class, "ps9")
    assert "Nobody is called eve" in said(small_class, NAME, "--student", "eve")
    assert "does not exist" in said(small_class, NAME, "--report", "nowhere/report.csv")
    monkeypatch.setenv("PATH", str(small_class))
    assert "install the package bubblewrap" in said(small_class, NAME)


def test_tests_of_another_kind_are_left_to_nbgrader(small_class: Path, monkeypatch):
    monkeypatch.chdir(small_class)
    notebook = source(NAME)
    cell = graded(notebook, "code")["gpt_params"]
    cell.source = "assert gpt_params(1, 1, 1, 1)"
    folder = small_class / "solutions" / "own"
    folder.mkdir()
    nbformat.write(notebook, folder / "own.ipynb")
    with pytest.raises(batch.CannotGrade, match="nbgrader autograde"):
        batch.course(small_class, "own")
