"""What exercise 08 tells in words is what the facts and the laws say."""

from pathlib import Path

from course_utils.large_runs import device_memory, tokens_factor
from course_utils.laws import KAPLAN_2020
from course_utils.transformer import PRESETS

NAME = "08_training_at_scale"
FOLDER = Path(__file__).parents[1] / "solutions" / NAME
SOURCE = (FOLDER / f"{NAME}.ipynb").read_text(encoding="utf-8")
RUBRIC = (FOLDER / "rubric.md").read_text(encoding="utf-8")


def test_the_batches_cost_what_is_said():
    critical = KAPLAN_2020.critical_batch(2.3)
    assert f"{critical:.2e}".replace("+0", "") in RUBRIC
    small, big = (f"{tokens_factor(batch, critical):.2f}" for batch in (1e6, 4e6))
    assert f"1M costs {small} E_min and 4M {big}" in RUBRIC
    assert f"4M would cost {big} E_min instead of {small}" in SOURCE


def test_the_case_fits_together():
    # Batches of 1M tokens: a fifth of 1.4T tokens is read at step 280,000.
    assert 280_000 * 1e6 == 0.2 * 1.4e12
    model = PRESETS["llama-2-7b"]
    bytes_each = sum(device_memory(model, data=256, stage=1).values()) / model.params()
    assert f"{7e9 * bytes_each / 1e9:.1f} GB of its 80" in RUBRIC
