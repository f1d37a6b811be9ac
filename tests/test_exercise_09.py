"""What exercise 09 tells in words is what the facts and the formulas say."""

from pathlib import Path

from course_utils.facts import MODELS
from course_utils.sampling import answer_flops, best_of, coverage, verifier_ceiling
from course_utils.transfer import HERNANDEZ_2021

NAME = "09_beyond_scaling"
FOLDER = Path(__file__).parents[1] / "solutions" / NAME
SOURCE = (FOLDER / f"{NAME}.ipynb").read_text(encoding="utf-8")
RUBRIC = (FOLDER / "rubric.md").read_text(encoding="utf-8")


def test_the_samples_cost_what_the_rubric_says():
    small, large = (MODELS[name].params for name in ("Llama-3-8B", "Llama-3-70B"))
    times = answer_flops(small, 1000, samples=64) / answer_flops(large, 1000)
    assert f"take {times:.1f} times the FLOPs" in RUBRIC
    assert round(times) == 7 and "about seven times" in RUBRIC and "about seven times" in SOURCE


def test_the_verifier_is_as_bad_as_told():
    told = f"{verifier_ceiling(0.1, 0.6, 0.4):.3f}"
    assert f"the ceiling {told} at p = 0.1" in RUBRIC and f"can be {told} where" in SOURCE
    assert f"{best_of(0.1, 64, 0.6, 0.4):.3f}" == told
    assert f"coverage {coverage(0.1, 64):.3f} at 64 samples" in RUBRIC


def test_the_claim_about_transfer_is_what_the_law_would_say():
    # Of one billion parameters: what the team quotes, and no more than the law at its word.
    assert round(HERNANDEZ_2021.transferred(1e6, 1e9) / 1e6, -2) == 600
    assert "a million legal tokens are worth 600 million" in SOURCE
