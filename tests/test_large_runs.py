"""Batch, formats, failures and memory, against NumPy's own types, simulations and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import lab
from course_utils.facts import value
from course_utils.large_runs import (
    FORMATS,
    checkpoint_interval,
    device_memory,
    goodput,
    gradient_noise,
    lost_share,
    pipeline_bubble,
    steps_factor,
    tokens_factor,
)
from course_utils.transformer import PRESETS

properties = settings(deadline=None, derandomize=True, max_examples=60)
sizes = st.floats(1e2, 1e8)
RUN = {name: value(f"llama_3.reliability.{name}") for name in ("days", "unexpected")}
MTBF = RUN["days"] * 86_400 / RUN["unexpected"]  # 11,135 s


# --- batch -------------------------------------------------------------------------------------


@properties
@given(sizes, sizes)
def test_steps_and_tokens_lie_on_the_hyperbola(batch, critical):
    steps, tokens = steps_factor(batch, critical), tokens_factor(batch, critical)
    assert (steps - 1) * (tokens - 1) == pytest.approx(1)
    # Tokens are steps times batch, in units of E_min = critical · S_min.
    assert tokens == pytest.approx(steps * batch / critical)


def test_the_batch_by_hand():
    assert (steps_factor(1e6, 1e6), tokens_factor(1e6, 1e6)) == (2, 2)
    assert (steps_factor(4e6, 1e6), tokens_factor(4e6, 1e6)) == (1.25, 5)
    assert tokens_factor(np.array([1e6, 4e6]), 1e6) == pytest.approx([2, 5])
    with pytest.raises(ValueError, match="batch = 0"):
        steps_factor(0, 1e6)


def test_gradient_noise_is_found_again_without_bias():
    # Gradients of single examples: a known mean, and a known variance in each of 50 directions.
    rng = np.random.default_rng(0)
    mean, sd = rng.normal(size=50), np.linspace(0.5, 4, 50)
    examples = mean + sd * rng.normal(size=(60_000, 50))
    squares = [
        (examples.reshape(-1, size, 50).mean(axis=1) ** 2).sum(axis=1) for size in (20, 1000)
    ]
    found = gradient_noise(20, squares[0], 1000, squares[1])
    assert found.signal == pytest.approx(mean @ mean, rel=0.02)
    assert found.noise == pytest.approx(sd @ sd, rel=0.02)
    assert found.scale == pytest.approx(sd @ sd / (mean @ mean), rel=0.03)


def test_what_gradient_noise_cannot_use_is_refused():
    with pytest.raises(ValueError, match="expected two sizes"):
        gradient_noise(64, [1.0], 64, [0.5])
    with pytest.raises(ValueError, match="leave no signal"):
        gradient_noise(10, [1.0], 100, [0.05])
    with pytest.raises(ValueError, match="small_squares"):
        gradient_noise(10, [-1.0], 100, [0.05])


def test_the_lab_s_gradient_gets_noisier():
    source = lab.load("markov")
    model = lab.ByteMLP(16, context=4, vocab_size=source.vocab_size)
    examples = source.draw(40_000, 4, np.random.default_rng(0))

    def scale():
        def squares(size, count):
            for i in range(count):
                model.loss_and_grad(*examples[i * size : (i + 1) * size])
                yield float(np.linalg.norm(model.gradients.flat)) ** 2

        return gradient_noise(32, list(squares(32, 200)), 8192, list(squares(8192, 4))).scale

    lab.train(model, examples.reorder(np.arange(2048)))
    early = scale()
    lab.train(model, examples)
    assert scale() > 3 * early


# --- number formats ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "dtype"), [("FP16", np.float16), ("FP32", np.float32)])
def test_limits_are_numpys(name, dtype):
    ours, theirs = FORMATS[name], np.finfo(dtype)
    assert ours.largest == float(theirs.max)
    assert ours.epsilon == float(theirs.eps)
    assert ours.smallest_normal == float(theirs.smallest_normal)
    assert ours.smallest == float(theirs.smallest_subnormal)


def test_limits_of_the_other_formats():
    # BF16: FP32 with 16 bits cut off. FP8: Table 1 of Micikevicius et al. 2022.
    cut = np.array([0x7F7F0000], np.uint32).view(np.float32)[0]
    assert FORMATS["BF16"].largest == float(cut)
    assert FORMATS["BF16"].smallest_normal == FORMATS["FP32"].smallest_normal
    e4m3, e5m2 = FORMATS["FP8 E4M3"], FORMATS["FP8 E5M2"]
    assert (e4m3.largest, e4m3.smallest_normal, e4m3.smallest) == (448, 2**-6, 2**-9)
    assert (e5m2.largest, e5m2.smallest_normal, e5m2.smallest) == (57344, 2**-14, 2**-16)
    assert all(each.source for each in FORMATS.values())


@properties
@given(st.floats(-1e5, 1e5) | st.floats(-1e-6, 1e-6) | st.sampled_from([65519.0, 65520.0]))
def test_rounding_is_numpys(x):
    with np.errstate(over="ignore"):
        assert FORMATS["FP16"].round(x) == float(np.float16(x))
    assert FORMATS["FP32"].round(x) == float(np.float32(x))


@properties
@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_bf16_is_rounding_the_bits_of_float32(x):
    bits = np.float32(x).view(np.uint32).astype(np.uint64)
    upper = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32)
    assert FORMATS["BF16"].round(x) == float(upper.view(np.float32))


@properties
@given(st.floats(-500, 500), st.sampled_from(sorted(FORMATS)))
def test_rounding_stays_within_half_a_step_and_is_done_once(x, name):
    form = FORMATS[name]
    near = form.round(x)
    if np.isnan(near):
        assert abs(x) > form.largest
        return
    assert abs(near - x) <= form.spacing(x) / 2
    assert form.round(near) == near


def test_what_is_too_large():
    assert FORMATS["FP16"].round(-65520.0) == -math.inf
    assert FORMATS["FP8 E5M2"].round(1e6) == math.inf
    assert np.isnan(FORMATS["FP8 E4M3"].round(500.0))
    assert FORMATS["FP8 E4M3"].round(460.0) == 448
    assert np.array_equal(FORMATS["BF16"].round([np.inf, 0.0]), [np.inf, 0.0])
    assert np.isnan(FORMATS["BF16"].round(np.nan))


# --- failures ----------------------------------------------------------------------------------


def test_llama_3s_cluster():
    # Computed independently: 3.09 h between failures; first order 6.9 % and 15.8 % lost,
    # 6.7 % and 14.8 % where failures come at random.
    assert MTBF / 3600 == pytest.approx(3.09, abs=0.005)
    for write, restart, minutes, first, exact in (
        (10, 300, 7.9, 0.069, 0.067),
        (60, 600, 19.3, 0.158, 0.148),
    ):
        best = checkpoint_interval(write, MTBF)
        assert best / 60 == pytest.approx(minutes, abs=0.05)
        assert lost_share(best, write, restart, MTBF) == pytest.approx(first, abs=5e-4)
        assert 1 - goodput(best, write, restart, MTBF) == pytest.approx(exact, abs=5e-4)


@properties
@given(st.floats(1, 60), st.floats(1, 600), st.floats(1e4, 1e6), st.floats(0.1, 10))
def test_no_interval_loses_less_than_young_and_dalys(write, restart, mtbf, times):
    best = checkpoint_interval(write, mtbf)
    least = lost_share(best, write, restart, mtbf)
    assert lost_share(times * best, write, restart, mtbf) >= least * (1 - 1e-12)


@properties
@given(st.floats(1, 30), st.floats(1, 300))
def test_where_failures_are_rare_both_formulas_agree(write, restart):
    best = checkpoint_interval(write, 1e8)
    lost = lost_share(best, write, restart, 1e8)
    assert 1 - goodput(best, write, restart, 1e8) == pytest.approx(lost, rel=0.01)


def test_goodput_is_what_a_simulation_gives():
    interval, write, restart = 1200.0, 60.0, 600.0
    lifetimes = np.random.default_rng(0).exponential(MTBF, 400_000)
    saved = np.maximum(lifetimes - restart, 0) // (interval + write) * interval
    simulated = saved.sum() / lifetimes.sum()
    assert goodput(interval, write, restart, MTBF) == pytest.approx(simulated, abs=0.002)


def test_bad_times_are_named():
    with pytest.raises(ValueError, match="mtbf = 0"):
        lost_share(100, 10, 300, 0)
    with pytest.raises(ValueError, match="write = -1"):
        goodput(100, -1, 300, 1e4)


# --- memory and parallelism --------------------------------------------------------------------


def test_sharding_divides_what_its_stage_names():
    model = PRESETS["llama-2-7b"]
    n = model.params()
    for stage, bytes_per_param in enumerate((16, 4 + 12 / 8, 2 + 14 / 8, 16 / 8)):
        memory = device_memory(model, data=8, stage=stage)
        assert sum(memory.values()) == pytest.approx(bytes_per_param * n)
    assert sum(device_memory(model).values()) == model.training_bytes()


def test_tensor_and_pipeline_divide_all():
    model = PRESETS["llama-3.1-405b"]
    cut = device_memory(model, tensor=8, pipeline=16)
    assert cut == {name: size / 128 for name, size in model.training_memory().items()}
    with pytest.raises(ValueError, match="stage = 4"):
        device_memory(model, stage=4)
    with pytest.raises(ValueError, match="tensor = 0"):
        device_memory(model, tensor=0)


def test_the_bubble_by_hand():
    # 4 stages and 4 micro-batches: 7 slots, of which each device works in 4.
    assert pipeline_bubble(4, 4) == pytest.approx(3 / 7)
    assert pipeline_bubble(1, 10) == 0


def test_the_published_layouts_use_all_gpus():
    layout = {name: value(f"llama_3.layout.{name}") for name in ("tensor", "pipeline")}
    copies = value("llama_3.gpus") / layout["tensor"] / layout["pipeline"]
    assert copies == 128
    assert copies / value("llama_3.layout.context_long") == 8
