"""What exercise 01 tells in words is what the facts say."""

from pathlib import Path

import pytest

from course_utils.facts import value

FOLDER = Path(__file__).parents[1] / "solutions" / "01_pretraining_and_loss"
SOURCE = (FOLDER / "01_pretraining_and_loss.ipynb").read_text(encoding="utf-8")
RUBRIC = (FOLDER / "rubric.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("fit", ["hoffmann_2022.E", "besiroglu_2024.E"])
def test_the_floors_are_those_of_the_papers(fit):
    assert f"{value(fit):.2f}" in SOURCE
    assert f"{value(fit):.2f}" in RUBRIC
