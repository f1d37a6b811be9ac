"""Answering a grader that sits in another process.

The grader draws the inputs and keeps tasks and reference answers to itself. In front of a check
cell it runs the line that `question` writes; the cell's own ``check("02.gpt_params", gpt_params)``
then calls the student's function and hands out plain answers, once. `answers_in` reads them.
"""

from __future__ import annotations

import base64
import pickle
from typing import Any

from course_utils.checks.answers import collect

MIME = "application/vnd.scaling-laws-course.answers+json"
"""The type of the one output that carries answers."""


class Asked:
    """Stands in the place of ``check`` for one cell: collects answers and judges nothing."""

    def __init__(self, name: str, nonce: str, cases: str) -> None:
        self.name, self.nonce = name, nonce
        # The inputs come from the grader, so here it is safe to unpickle; arrays keep their type.
        self.cases: dict[str, list[tuple]] = pickle.loads(base64.b64decode(cases))

    def __call__(self, name: str, answer: Any) -> None:
        from IPython.display import display

        if name != self.name:
            print(ELSEWHERE)
            return
        answers = {part: collect(answer, drawn) for part, drawn in self.cases.items()}
        content = {"name": self.name, "nonce": self.nonce, "answers": answers}
        display({MIME: content}, raw=True)


ELSEWHERE = "While your notebook is graded, only its check cells are judged."


def question(name: str, nonce: str, cases: dict[str, list[tuple]]) -> str:
    """Return the line of code that puts a question to the next check cell."""
    inputs = base64.b64encode(pickle.dumps(cases)).decode()
    arguments = (name, nonce, inputs)
    return f"from course_utils.checks.asked import Asked; check = Asked{arguments!r}"


def answers_in(content: Any, name: str, nonce: str) -> Any:
    """Return the answers that an output of the type MIME carries.

    Raises ValueError when it doesn't answer this very question.
    """
    if not isinstance(content, dict) or (content.get("name"), content.get("nonce")) != (
        name,
        nonce,
    ):
        raise ValueError("this answers another question")
    return content.get("answers")
