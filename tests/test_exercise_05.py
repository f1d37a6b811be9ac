"""What exercise 05 tells in words is what the laws and the chips say."""

from pathlib import Path

import pytest

from course_utils.facts import values
from course_utils.hardware import largest_batch
from course_utils.laws import ChinchillaLaw, training_flops
from course_utils.planning import inference_optimal, serving_flops
from course_utils.serving import Service
from course_utils.transformer import PRESETS

NAME = "05_train_or_serve"
FOLDER = Path(__file__).parents[1] / "solutions" / NAME
SOURCE = (FOLDER / f"{NAME}.ipynb").read_text(encoding="utf-8")
RUBRIC = (FOLDER / "rubric.md").read_text(encoding="utf-8")
FITS = ("hoffmann_2022", "hoffmann_2022_unrounded", "besiroglu_2024")


def regret(law: ChinchillaLaw, N: float) -> float:
    """How much more N costs than the best size, as good as 30B on 600B, in the case of task 7."""
    L, weighted = law.loss(30e9, 600e9), 10 * 1e12
    best = inference_optimal(law, law.optimal(law.compute_for_loss(L)).N, weighted)
    total = training_flops(N, law.tokens_for_loss(N, L)) + serving_flops(N, weighted)
    return total / best.total_flops - 1


@pytest.mark.parametrize(
    ("N", "words"),
    [
        (9e9, "9B is {}, {} and {} above the best"),
        (6e9, "6B {}, {} and {}"),
        (15e9, "15B {}, {} and {}"),
    ],
)
def test_the_rubric_has_the_table_that_students_see(N, words):
    shares = [f"{regret(ChinchillaLaw(**values(name)), N):.0%}".replace("%", " %") for name in FITS]
    assert words.format(*shares) in RUBRIC


def test_the_model_answer_says_no_more_than_the_table():
    worst = {
        N: max(regret(ChinchillaLaw(**values(name)), N) for name in FITS)
        for N in (6e9, 9e9, 15e9, 30e9)
    }
    assert min(worst, key=worst.get) == 9e9
    assert f"more than {worst[9e9]:.0%} above the best".replace("%", " %") in SOURCE
    assert f"up to {worst[15e9]:.0%} too dear".replace("%", " %") in SOURCE


def test_three_billion_are_below_a_floor():
    refit = ChinchillaLaw(**values("besiroglu_2024"))
    with pytest.raises(ValueError, match="out of reach"):
        refit.tokens_for_loss(3e9, refit.loss(30e9, 600e9))


def test_the_cards_services_are_those_of_the_chips():
    llama_13b = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)
    assert f"needs {llama_13b.memory(512) / 1e9:.0f} GB, and does not exist" in SOURCE
    eight = PRESETS["llama-3-8b"]
    cache = 8192 * eight.kv_bytes_per_token()
    assert largest_batch(2 * eight.params(), "H100-SXM", cache, seconds=0.010) == 16
    assert largest_batch(2 * eight.params(), "H100-SXM", cache) == 59
    a10g = Service(eight, "A10G", context=500)
    assert f"{a10g.tokens_per_second(a10g.largest_batch()):.0f}" == "3026"
