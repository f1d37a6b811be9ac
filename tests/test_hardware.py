"""Time, utilisation, money and decoding floors, against values computed independently."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import facts
from course_utils.hardware import (
    CHIPS,
    Chip,
    cost,
    days,
    decode_seconds_per_token,
    gpu_hours,
    largest_batch,
    mfu,
    min_chips,
    ridge_point,
    seconds,
)
from course_utils.transformer import PRESETS

CHINCHILLA = 6 * 70e9 * 1.4e12
LLAMA_2_70B = 6 * PRESETS["llama-2-70b"].params() * 2e12

names = st.sampled_from(sorted(CHIPS))
shares = st.floats(0.01, 1)
runs = st.floats(1e15, 1e27)


# --- reference values ------------------------------------------------------------------------


def test_hours_of_chinchilla():
    # Computed independently: 523,504 A100-hours at 100 %, 1.309e6 at 40 %.
    assert gpu_hours(CHINCHILLA, "A100-SXM-80GB", 1) == pytest.approx(523_504, abs=0.5)
    assert gpu_hours(CHINCHILLA, "A100-SXM-80GB", 0.4) == pytest.approx(1.309e6, rel=5e-4)


@pytest.mark.parametrize(
    ("model", "hours", "share"),
    [  # hours from Llama 2's model card, the share computed independently from 6ND
        ("llama-2-7b", 184_320, 0.391),
        ("llama-2-13b", 368_640, 0.377),
        ("llama-2-70b", 1_720_320, 0.4284),
    ],
)
def test_utilisation_from_a_bill_of_hours(model, hours, share):
    reached = mfu(6 * PRESETS[model].params() * 2e12, "A100-SXM-80GB", hours)
    assert reached == pytest.approx(share, abs=0.0006)


def test_days_of_a_70b_on_1024_chips():
    # 70B on 15T tokens, 1,024 H100 at 50 %: 144.0 days.
    run = 6 * 70e9 * 15e12
    assert days(run, "H100-SXM", 0.5, n_chips=1024) == pytest.approx(144.0, abs=0.05)
    assert seconds(run, "H100-SXM", 0.5, n_chips=1024) == pytest.approx(144.0 * 86400, rel=5e-4)


def test_ridge_of_an_a100():
    # 153.0 FLOPs a byte with 2.039 TB/s (156.0 with the 2.00 that some sheets print).
    assert ridge_point("A100-SXM-80GB") == pytest.approx(153.0, abs=0.05)


def test_decoding_llama_2_7b_on_an_a100():
    # 13.4768 GB of bf16 weights at 2.039 TB/s: 6.610 ms; with a context of 4,096: 7.663 ms.
    model, chip = PRESETS["llama-2-7b"], "A100-SXM-80GB"
    weights = 2 * model.params()
    assert decode_seconds_per_token(weights, chip) == pytest.approx(6.610e-3, abs=5e-7)
    cache = 4096 * model.kv_bytes_per_token()
    assert decode_seconds_per_token(weights, chip, cache) == pytest.approx(7.663e-3, abs=5e-7)


def test_decoding_llama_2_13b_in_batches():
    # On one H100 with 1,024 tokens each: 8.0, 23.8 and 71.9 ms a step for 1, 64 and 256.
    model = PRESETS["llama-2-13b"]
    steps = decode_seconds_per_token(
        2 * model.params(),
        "H100-SXM",
        1024 * model.kv_bytes_per_token(),
        batch=np.array([1, 64, 256]),
    )
    assert steps == pytest.approx([8.0e-3, 23.8e-3, 71.9e-3], abs=5e-5)


def test_llama_2_7b_at_two_dollars():
    assert cost(184_320, rate=2) == 368_640


def test_memory_wall():
    # 70B in bf16 are 140 GB: two chips of 80 GB; the training state of a 7B needs two as well.
    assert min_chips(2 * 70e9, "A100-SXM-80GB") == 2
    assert min_chips(PRESETS["llama-2-7b"].training_bytes(), "H100-SXM") == 2
    assert min_chips(80e9, "H100-SXM") == 1


# --- chips -----------------------------------------------------------------------------------


def test_chips_are_the_published_ones():
    assert CHIPS["A100-SXM-80GB"] is facts.ACCELERATORS["A100-SXM-80GB"]
    assert CHIPS["A100-SXM-80GB"].peak == 312e12
    assert CHIPS["H100-SXM"].peak == 989e12


@pytest.mark.parametrize("name", CHIPS)
def test_every_chip_works_and_its_sparse_peak_was_not_taken(name):
    chip = CHIPS[name]
    assert chip.peak not in (624e12, 1979e12, 1513e12, 4500e12, 733e12, 242e12)
    assert 30 < ridge_point(name) < 500
    assert gpu_hours(1e21, name, 0.4) > 0
    assert min_chips(1e12, name) >= 1


def test_a_chip_of_your_own():
    mine = Chip("mine", 100e12, 24e9, 1e12, None, source="its data sheet")
    assert ridge_point(mine) == 100
    assert gpu_hours(36e16, mine, 1) == 1
    assert decode_seconds_per_token(1e12, mine) == 1


@pytest.mark.parametrize(
    ("peak", "memory", "bandwidth", "message"),
    [
        (312, 80e9, 2e12, r"peak = 312 is too small to be in FLOP/s.*312e12 for 312 TFLOP/s"),
        (312e12, 80, 2e12, r"memory = 80 is too small to be in bytes"),
        (312e12, 80e9, 2039, r"bandwidth = 2039 is too small"),
        (-1, 80e9, 2e12, r"peak = -1 is not valid"),
    ],
)
def test_a_chip_in_the_wrong_units_is_refused(peak, memory, bandwidth, message):
    with pytest.raises(ValueError, match=message):
        ridge_point(Chip("mine", peak, memory, bandwidth, None, source="typed"))


@pytest.mark.parametrize("name", ["h100-sxm", "A100-SXM-80"])
def test_a_wrong_name_gets_the_nearest_ones(name):
    with pytest.raises(KeyError, match=rf"{name}.*Did you mean.*SXM"):
        gpu_hours(1e21, name, 0.4)


# --- laws ------------------------------------------------------------------------------------


@given(runs, names, shares)
def test_mfu_inverts_gpu_hours(run, chip, share):
    assert mfu(run, chip, gpu_hours(run, chip, share)) == pytest.approx(share)


@given(runs, names, shares, st.integers(1, 100_000))
def test_hours_do_not_depend_on_how_many_chips_share_them(run, chip, share, n):
    hours = gpu_hours(run, chip, share)
    assert n * seconds(run, chip, share, n) / 3600 == pytest.approx(hours)
    assert n * days(run, chip, share, n) * 24 == pytest.approx(hours)


@given(runs, names, shares, st.floats(1, 100))
def test_hours_are_proportional_to_flops(run, chip, share, factor):
    once = gpu_hours(run, chip, share)
    assert gpu_hours(factor * run, chip, share) == pytest.approx(factor * once)


@given(st.floats(1e6, 1e13), names, st.floats(0, 1e11), st.integers(1, 512), st.integers(1, 64))
def test_decoding(weights, chip, cache, batch, n):
    alone = decode_seconds_per_token(weights, chip)
    step = decode_seconds_per_token(weights, chip, cache, batch)
    # A larger batch takes longer, yet less per token: the weights are read once for all.
    assert step >= alone
    assert step / batch <= decode_seconds_per_token(weights, chip, cache) * (1 + 1e-12)
    assert decode_seconds_per_token(weights, chip, cache, batch, n) * n == pytest.approx(step)


@given(st.floats(1e9, 1e12), st.floats(1e6, 1e11), names, st.integers(1, 8), st.floats(1e-3, 0.2))
def test_the_largest_batch_fits_and_one_more_does_not(weights, cache, chip, n, seconds):
    def fits(batch, limit):
        in_memory = weights + batch * cache <= n * CHIPS[chip].memory
        step = decode_seconds_per_token(weights, chip, cache, max(batch, 1e-9), n)
        return in_memory and (limit is None or step <= limit)

    for limit in (None, seconds):
        batch = largest_batch(weights, chip, cache, n, limit)
        assert batch == 0 or fits(batch * (1 - 1e-9), limit)
        assert not fits((batch + 1) * (1 + 1e-9), limit)


def test_no_limit_above_reading_all_memory_changes_the_batch():
    # An H100 reads its 80 GB in 23.9 ms.
    model = PRESETS["llama-2-13b"]
    sizes = 2 * model.params(), "H100-SXM", 1024 * model.kv_bytes_per_token()
    assert largest_batch(*sizes) == largest_batch(*sizes, seconds=0.0239) == 64
    assert largest_batch(*sizes, seconds=0.0200) == 48


def test_numbers_and_arrays_broadcast():
    hours = gpu_hours(np.array([1e21, 1e22]), "H100-SXM", np.array([[0.3], [0.6]]))
    assert hours.shape == (2, 2)
    assert isinstance(gpu_hours(1e21, "H100-SXM", 0.3), float)
    assert hours[1, 0] == gpu_hours(1e21, "H100-SXM", 0.6)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (40, r"40 looks like a percentage: give the fraction, 0\.4\."),
        (38.5, r"38\.5 looks like a percentage: give the fraction, 0\.385\."),
        (1.81, r"1\.81 is above 1.*factor 3600.*dense"),
        (1440, r"1440 is above 1.*factor 3600"),
        (0, r"mfu = 0 .*fraction"),
        (-0.4, r"mfu = -0\.4 .*fraction"),
        (float("nan"), r"mfu = nan"),
        ("40%", r"mfu = '40%' is not a number.*such as 0\.4"),
        (np.array([0.4, 40]), r"40 looks like a percentage"),
    ],
)
def test_an_impossible_mfu_names_its_likely_cause(share, message):
    for needs_mfu in (gpu_hours, seconds):
        with pytest.raises(ValueError, match=message):
            needs_mfu(1e21, "H100-SXM", share)


def test_an_impossible_utilisation_is_shown():
    # Dividing by 3600 too little or too often, or one chip's hours: the share tells it.
    assert mfu(LLAMA_2_70B, "A100-SXM-80GB", 1_720_320 / 4.2248) == pytest.approx(1.81, abs=0.005)
    assert mfu(LLAMA_2_70B, "A100-SXM-80GB", 1_720_320 / 2000) > 100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gpu_hours(70, "H100-SXM", 0.4), r"flops = 70 is too small.*FLOPs"),
        (lambda: mfu(1e21, "H100-SXM", 0), r"gpu_hours = 0 .*hours of all chips"),
        (lambda: seconds(1e21, "H100-SXM", 0.4, n_chips=0), r"n_chips = 0 .*chips"),
        (lambda: days(1e21, "H100-SXM", 0.4, n_chips=1.5), r"n_chips = 1\.5 .*whole number"),
        (lambda: cost(100, rate=-1), r"rate = -1 .*price per chip and hour"),
        (lambda: decode_seconds_per_token(13.5, "H100-SXM"), r"weight_bytes = 13\.5 looks like GB"),
        (lambda: decode_seconds_per_token(1e9, "H100-SXM", -1), r"kv_bytes = -1 .*0 or more"),
        (lambda: decode_seconds_per_token(1e9, "H100-SXM", batch=0), r"batch = 0 .*sequences"),
        (lambda: largest_batch(1e9, "H100-SXM", 0.5), r"kv_bytes = 0\.5 looks like GB"),
        (lambda: largest_batch(1e9, "H100-SXM", 1e6, seconds=0), r"seconds = 0 .*time of a step"),
        (lambda: min_chips(140, "H100-SXM"), r"total_bytes = 140 looks like GB"),
        (lambda: min_chips(math.inf, "H100-SXM"), r"total_bytes = inf .*bytes"),
    ],
)
def test_wrong_numbers_are_told_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
