"""The one call of a test cell, and what it shows in a notebook."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from course_utils.checks.asked import ELSEWHERE
from course_utils.checks.core import answers, find, judge, no_points
from course_utils.checks.imports import refusals

SEED = "COURSE_CHECK_SEED"
"""Environment variable that draws other inputs than those of practice."""


def check(name: str, answer: Any) -> float:
    """Judge an answer, print what is wrong with it, and return the points earned.

    ``name`` is exercise and task, such as "02.gpt_params"; ``answer`` is the function that was
    written for it, or the value. As the last line of a cell, the points are the cell's value,
    which nbgrader takes as partial credit.

    A function runs here without a time limit: interrupt the kernel when it does not end.
    ``course check`` and the grader do have one.

    Raises ValueError when there is no task of that name.
    """
    try:
        exercise, _ = find(name)
    except ModuleNotFoundError:  # a grader's sandbox has no tasks, and asks in its own way
        print(ELSEWHERE)
        return 0.0
    # Every cell that ran in this notebook, as IPython keeps them.
    cells = sys._getframe(1).f_globals.get("In", [])
    refused = refusals([cell for cell in cells if isinstance(cell, str)], exercise.allowed)
    if refused:
        verdict = no_points(name, f"{refused[0]} Remove that import and restart the kernel.")
    else:
        seed = os.environ.get(SEED, "0")
        plain = json.loads(json.dumps(answers(name, answer, seed)))
        verdict = judge(name, plain, seed)
    print(verdict)
    return verdict.points


def explain_undefined_names() -> None:
    """Make a check cell that runs before its answer is defined say so in one sentence.

    Right after a restart that is the commonest slip of all. The output is still an error, so a
    grader gives no points for it. Outside IPython this does nothing.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def handler(shell: Any, kind: type, error: NameError, tb: Any, tb_offset: Any = None) -> None:
        last = tb
        while last.tb_next:
            last = last.tb_next
        here = last.tb_frame.f_globals.get("In", [""])[-1]
        if last.tb_frame.f_code.co_name == "<module>" and "check(" in here:
            sentence = (
                f"{error.name!r} is not defined yet: run the cell above that defines it, "
                "then this one again."
            )
            shell._showtraceback(kind, error, [sentence])
        else:
            shell.showtraceback((kind, error, tb), tb_offset=tb_offset)

    shell.set_custom_exc((NameError,), handler)
