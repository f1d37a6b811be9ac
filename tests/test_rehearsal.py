"""Small live runs: what is watched is what happened, and rounding is done where it is said."""

import math

import numpy as np
import pytest

from course_utils import lab
from course_utils.large_runs import FORMATS
from course_utils.rehearsal import rehearse

SOURCE = lab.load("python")
bf16 = FORMATS["BF16"].round


def test_it_is_the_lab_s_own_run():
    run = rehearse(16, examples=5120, batch=256, rate=0.02)
    model = lab.ByteMLP(16, vocab_size=SOURCE.vocab_size)
    drawn = SOURCE.draw(5120, 12, np.random.default_rng([0, 1]))
    losses = lab.train(model, drawn, lab.Recipe(batch=256, rate=0.02)).losses
    assert np.array_equal(run.losses, losses)
    assert np.array_equal(run.model.weights.flat, model.weights.flat)
    assert run.val == lab.evaluate(model, SOURCE.held_out(12, every=100))


def test_norms_are_of_the_gradients():
    run = rehearse(16, examples=512, batch=256, rate=0.02)
    model = lab.ByteMLP(16, vocab_size=SOURCE.vocab_size)
    model.loss_and_grad(*SOURCE.draw(512, 12, np.random.default_rng([0, 1]))[:256])
    assert run.norms.shape == (2,)
    assert run.norms[0] == pytest.approx(np.linalg.norm(model.gradients.flat))


def test_a_goal_ends_the_run():
    run = rehearse(16, goal=3.5, batch=256, rate=0.02)
    assert run.val < 3.5
    assert len(run.losses) < 100_000 / 256 and len(run.losses) % 4 == 0


def test_a_run_that_diverges_is_told_of():
    run = rehearse(16, examples=20_000, optimizer="sgd", rate=50.0, warmup=0.0)
    assert run.val == math.inf
    assert not math.isfinite(run.losses[-1]) and np.isfinite(run.losses[:-1]).all()


def test_rounded_weights_are_rounded_and_a_copy_is_not():
    coarse = rehearse(16, examples=2560, batch=256, rate=0.001, weights_in=bf16)
    weights = coarse.model.weights.flat
    assert np.array_equal(weights, bf16(weights))
    master = rehearse(16, examples=2560, batch=256, rate=0.001, compute_in=bf16)
    weights = master.model.weights.flat
    assert not np.array_equal(weights, bf16(weights))
    # The first gradient is that of rounded weights in one case only.
    assert coarse.norms[0] != master.norms[0]


def test_factors_replace_the_labs():
    still = rehearse(128, examples=1024, batch=256, rate=0.02, factors={"output": 0.0})
    assert not still.model.weights["output"].any()
    moved = rehearse(128, examples=1024, batch=256, rate=0.02)
    assert moved.model.weights["output"].any()


def test_nonsense_is_refused_in_words():
    with pytest.raises(ValueError, match="rate = -1"):
        rehearse(rate=-1.0)
    with pytest.raises(ValueError, match="width"):
        rehearse(0)
