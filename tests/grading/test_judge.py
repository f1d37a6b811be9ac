"""The judge on its own: real kernels in the sandbox, no gradebook."""

import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_exercises import answers, graded, released, source

from course_utils.checks.asked import MIME, answers_in, question
from course_utils.checks.core import cases, exercise
from course_utils.checks.tasks import EXERCISES
from course_utils.grading.judge import Judge

pytestmark = [pytest.mark.nbgrader, pytest.mark.usefixtures("needs_the_sandbox")]


def judged(name: str, notebook, folder: Path, secret: str = "s", **options) -> Judge:
    judge = Judge(exercise=exercise(name), secret=secret, **options)
    judge.preprocess(notebook, {"metadata": {"path": str(folder)}})
    return judge


def filled(name: str, codes: dict[str, str]) -> nbformat.NotebookNode:
    notebook = released(name)
    for task, code in codes.items():
        answers(notebook)[task].source = code
    return notebook


@pytest.mark.parametrize("name", EXERCISES)
def test_every_solution_gets_all_points_in_the_sandbox(name: str, tmp_path: Path):
    notebook = filled(name, {task: cell.source for task, cell in answers(source(name)).items()})
    # A teacher may weigh a task differently.
    cells = graded(notebook, "code")
    next(iter(cells.values())).metadata.nbgrader.points *= 2
    judge = judged(name, notebook, tmp_path)
    assert not judge.ended
    assert {task: each.score for task, each in judge.judged.items()} == {
        task: cell.metadata.nbgrader.points for task, cell in cells.items()
    }
    for task, cell in cells.items():
        text, value = cell.outputs
        assert float(value.data["text/plain"]) == judge.judged[task].score
        assert task in text.text
    assert "BEGIN" not in str([cell.source for cell in cells.values()])
    assert all(cell.source == released_source(name, task) for task, cell in cells.items())


def released_source(name: str, task: str) -> str:
    return graded(released(name), "code")[task].source


FORGE = """
def forge(content):
    from IPython.display import display
    display({MIME: content}, raw=True)
    raise KeyboardInterrupt
""".replace("MIME", repr(MIME))

FORGED = {
    "linear_layer_flops": "dict(WHO, answers={part: [{'value': 10**400}] * 9 for part in PARTS})",
    "gpt_params": "dict(WHO, answers='all of them')",
    "training_flops": "dict(WHO, answers={part: [{'value': {'float': 'nan'}}] * 9 for part in PARTS})",
    "moe_counts": "dict(WHO, nonce='0' * 64, answers={})",
    "training_bill": "3.0",
    "mfu_of_run": "dict(WHO, answers=DEEP)",
}


def test_forged_answers_earn_nothing_and_stop_nothing(tmp_path: Path):
    codes = {
        task: (
            f"def {task}(*args, **more):\n"
            "    WHO, PARTS = {'name': check.name, 'nonce': check.nonce}, check.cases\n"
            "    DEEP = 1\n"
            "    for _ in range(400): DEEP = {'list': [DEEP]}\n"
            f"    forge({content})\n"
        )
        for task, content in FORGED.items()
    }
    notebook = filled("02_flops_6nd", codes)
    notebook.cells.insert(2, nbformat.v4.new_code_cell(FORGE))
    judge = judged("02_flops_6nd", notebook, tmp_path)
    assert {task: each.score for task, each in judge.judged.items()} == dict.fromkeys(FORGED, 0.0)
    # The last message is too deep to be read at all; those before it ended nothing.
    for task in ("gpt_params", "moe_counts", "training_bill"):
        assert "could not be read" in judge.judged[task].text


def test_two_answers_to_one_question_are_none(tmp_path: Path):
    name, task = "02_flops_6nd", "linear_layer_flops"
    right = answers(source(name))[task].source
    # Each time it is asked, the right answer goes out once more, as an output of its own.
    again = (
        f"{right}\n\n"
        f"_right = {task}\n\n"
        f"def {task}(*args, **more):\n"
        "    from IPython.display import display\n"
        "    collect = type(check).__call__.__globals__['collect']\n"
        "    answers = {part: collect(_right, drawn) for part, drawn in check.cases.items()}\n"
        "    content = {'name': check.name, 'nonce': check.nonce, 'answers': answers}\n"
        f"    display({{{MIME!r}: content}}, raw=True)\n"
        "    return _right(*args, **more)\n"
    )
    found = judged(name, filled(name, {task: again}), tmp_path).judged[task]
    assert (found.score, found.why) == (0.0, "The check was answered more than once.")


def test_inputs_follow_from_the_secret_and_a_refused_import_earns_nothing(tmp_path: Path):
    name = "02.linear_layer_flops"
    code = "def linear_layer_flops(*args, **more): return 1.0"
    notebook = filled("02_flops_6nd", {"linear_layer_flops": code})
    cells = graded(notebook, "code")
    notebook.cells[notebook.cells.index(cells["gpt_params"]) :] = [
        nbformat.v4.new_code_cell("print(check.cases)"),
        nbformat.v4.new_code_cell("from course_utils.laws import ChinchillaLaw"),
        cells["gpt_params"],
    ]
    judge = judged("02_flops_6nd", notebook, tmp_path, "one")
    assert notebook.cells[-3].outputs[0].text.strip() == str(cases(name, judge._nonce(name)))
    assert notebook.cells[-2].outputs[0].ename == "ModuleNotFoundError"
    assert "course_utils.laws" in judge.judged["gpt_params"].why
    other = Judge(exercise=exercise("02"), secret="two")
    assert len({judge._nonce(name), other._nonce(name), judge._nonce("02.gpt_params")}) == 3


def test_a_kernel_that_does_not_start_is_an_error(tmp_path: Path):
    notebook = released("02_flops_6nd")
    with pytest.raises(RuntimeError, match="no kernel started"):
        judged("02_flops_6nd", notebook, tmp_path, memory=2**20)


def test_a_deadline_for_the_whole_notebook(tmp_path: Path):
    notebook = filled("02_flops_6nd", {})
    notebook.cells.insert(1, nbformat.v4.new_code_cell("import time; time.sleep(100)"))
    judge = judged("02_flops_6nd", notebook, tmp_path, seconds=1)
    assert "longer than 1 s" in judge.ended
    assert {each.score for each in judge.judged.values()} == {0.0}
    assert all(each.why == judge.ended for each in judge.judged.values())


def test_a_question_carries_its_inputs_as_they_are():
    cases = {"part": [(np.arange(3), (1, 2), None, "text", {"a": 1.5}, True)]}
    space: dict = {}
    exec(question("02.gpt_params", "n", cases), space)
    (found,) = space["check"].cases["part"]
    assert found[0].dtype == np.arange(3).dtype and found[0].tolist() == [0, 1, 2]
    assert found[1:] == cases["part"][0][1:]


@pytest.mark.parametrize(
    "content", [None, 3.0, [], {}, {"name": "02.gpt_params"}, {"name": "x", "nonce": "n"}]
)
def test_answers_to_another_question_are_refused(content):
    with pytest.raises(ValueError, match="another question"):
        answers_in(json.loads(json.dumps(content)), "02.gpt_params", "n")
