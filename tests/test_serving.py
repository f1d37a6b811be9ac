"""A model on chips: memory, time of a step, batch and price, against values computed apart."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.hardware import CHIPS, Chip, ridge_point
from course_utils.laws import BESIROGLU_2024, HOFFMANN_2022, training_flops
from course_utils.serving import Service, Terms
from course_utils.transformer import PRESETS

LLAMA_13B = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)

services = st.builds(
    Service,
    st.sampled_from([PRESETS[name] for name in ("llama-2-7b", "llama-3-8b", "mixtral-8x7b")]),
    st.sampled_from(["A100-SXM-80GB", "H100-SXM", "H200", "A10G"]),
    n_chips=st.integers(1, 8),
    context=st.floats(16, 1e5),
    bytes_per_weight=st.sampled_from([0.5, 1, 2]),
    bytes_per_value=st.sampled_from([1, 2]),
)
batches = st.integers(1, 4096)


# --- reference values ----------------------------------------------------------------------------


def test_llama_2_13b_in_batches():
    # On one H100 with 1,024 tokens each, for 1, 64 and 256 sequences, computed independently:
    # 8.0, 23.8 and 71.9 ms, 125, 2,689 and 3,562 tokens/s, 27, 80 and 241 GB.
    sizes = np.array([1, 64, 256])
    assert 1000 * LLAMA_13B.step_seconds(sizes) == pytest.approx([8.0, 23.8, 71.9], abs=0.05)
    assert LLAMA_13B.tokens_per_second(sizes) == pytest.approx([125, 2689, 3562], abs=0.5)
    assert LLAMA_13B.memory(sizes) / 1e9 == pytest.approx([27, 80, 241], abs=0.5)


def test_the_same_chip_is_twenty_times_dearer_with_one_user():
    one, many = (LLAMA_13B.price(batch, rate=2) for batch in (1, 64))
    assert one / many == pytest.approx(21.6, abs=0.05)


def test_floors_of_a_single_sequence():
    # Weights alone: 8B on an A10G 26.7 ms, 13B on an A100 12.8, 70B on two A100 34.3 (69.0e9
    # parameters: 33.8) and on two H100 20.9 (20.6).
    cases = [
        ("llama-3-8b", "A10G", 1, 26.77),
        ("llama-2-13b", "A100-SXM-80GB", 1, 12.77),
        ("llama-2-70b", "A100-SXM-80GB", 2, 33.83),
        ("llama-2-70b", "H100-SXM", 2, 20.59),
    ]
    for model, chip, n_chips, ms in cases:
        alone = Service(PRESETS[model], chip, n_chips, context=1)
        assert 1000 * alone.step_seconds(1) == pytest.approx(ms, abs=0.01)


def test_memory_takes_all_experts_and_arithmetic_the_active_ones():
    model = PRESETS["mixtral-8x7b"]
    many = Service(model, "H200", context=1)
    assert many.weight_bytes == 2 * 46_702_792_704
    flops = 1e5 * model.forward_flops_per_token(1)
    assert many.step_seconds(1e5) == pytest.approx(flops / CHIPS["H200"].peak)


def test_a_prompt_is_bound_by_arithmetic():
    model = PRESETS["llama-3-8b"]
    seconds = Service(model, "H100-SXM").prompt_seconds(2000, mfu=0.5)
    assert seconds == pytest.approx(2000 * model.forward_flops_per_token(2000) / 989e12 / 0.5)


# --- what must hold ------------------------------------------------------------------------------


@given(services, st.one_of(st.none(), st.floats(1e-3, 1)))
def test_the_largest_batch_fits_and_one_more_does_not(service, seconds):
    chip = CHIPS[service.chip]

    def fits(batch):
        in_memory = service.memory(batch) <= service.n_chips * chip.memory
        return in_memory and (seconds is None or service.step_seconds(batch) <= seconds)

    batch = service.largest_batch(seconds)
    slack = 1e-9
    assert batch == 0 or fits(batch * (1 - slack))
    assert not fits((batch + 1) * (1 + slack))


@given(services, batches)
def test_a_larger_batch_is_slower_for_one_and_cheaper_for_all(service, batch):
    small, large = batch, 2 * batch
    assert service.step_seconds(small) <= service.step_seconds(large) * (1 + 1e-12)
    assert service.price(large, rate=2) <= service.price(small, rate=2) * (1 + 1e-12)


@given(services, batches, st.floats(0.5, 10), st.floats(0.01, 1))
def test_the_price_follows_rate_and_load(service, batch, rate, load):
    one = service.price(batch, rate=1)
    assert service.price(batch, rate=rate, load=load) == pytest.approx(one * rate / load)
    hours = 1e6 / service.tokens_per_second(batch) / 3600 * service.n_chips
    assert one == pytest.approx(hours)


@given(st.sampled_from(["A100-SXM-80GB", "H100-SXM", "B200"]))
def test_arithmetic_takes_over_at_the_ridge(chip):
    # With next to no cache and 16-bit weights a sequence brings one FLOP a byte.
    service = Service(PRESETS["llama-2-7b"], chip, context=1)
    ridge = ridge_point(chip)
    reading = service.memory(1) / CHIPS[chip].bandwidth
    assert service.step_seconds(0.9 * ridge) == pytest.approx(reading, rel=0.02)
    assert service.step_seconds(2 * ridge) == pytest.approx(2 * reading, rel=0.03)


@given(services)
def test_a_step_bound_by_memory_is_no_longer_than_reading_all_of_it(service):
    chip = CHIPS[service.chip]
    batch = service.largest_batch()
    if batch:
        reading = service.memory(batch) / (service.n_chips * chip.bandwidth)
        assert reading <= chip.memory / chip.bandwidth * (1 + 1e-9)


def test_half_the_bytes_halve_the_floor_and_not_the_arithmetic():
    eight_bits = replace(LLAMA_13B, bytes_per_weight=1, context=1)
    sixteen = replace(LLAMA_13B, context=1)
    assert eight_bits.step_seconds(1) == pytest.approx(sixteen.step_seconds(1) / 2, rel=1e-3)
    assert eight_bits.step_seconds(4096) == sixteen.step_seconds(4096)


def test_a_chip_of_your_own():
    own = Chip("slow", peak=1e12, memory=20e9, bandwidth=1e11, power=None, source="made up")
    service = Service(PRESETS["llama-3-8b"], own, context=1000)
    assert service.step_seconds(1) == pytest.approx((2 * 8_030_261_248 + 131_072_000) / 1e11)
    assert service.largest_batch() == math.floor((20e9 - 2 * 8_030_261_248) / 131_072_000)
    assert "slow" in str(service)


def test_what_does_not_fit_has_no_batch():
    assert Service(PRESETS["llama-2-70b"], "H100-SXM").largest_batch() == 0
    assert Service(PRESETS["llama-2-70b"], "H100-SXM", n_chips=2).largest_batch() > 0


# --- terms ---------------------------------------------------------------------------------------


def test_bills_of_models_as_good_as_30b_on_600b():
    # Million dollars at 40 % MFU and 3 dollars an hour, computed independently in plain Python
    # for 3.77, 8.03, 14.8 and 24.8 billion parameters.
    sizes, terms = np.array([3.77e9, 8.03e9, 14.8e9, 24.8e9]), Terms("H100-SXM", rate=3)
    for law, bills in (
        (HOFFMANN_2022, [0.50, 0.22, 0.20, 0.21]),
        (BESIROGLU_2024, [np.nan, 0.86, 0.29, 0.23]),
    ):
        dollars = terms.training_cost(law, sizes, law.loss(30e9, 600e9))
        assert dollars / 1e6 == pytest.approx(bills, abs=0.005, nan_ok=True)


def test_the_trained_model_itself_costs_its_own_flops():
    law, terms = BESIROGLU_2024, Terms("H100-SXM", rate=3, mfu=0.5)
    dollars = terms.training_cost(law, 30e9, law.loss(30e9, 600e9))
    hours = training_flops(30e9, 600e9) / 989e12 / 0.5 / 3600
    assert dollars == pytest.approx(3 * hours)


@given(
    st.sampled_from(["llama-3-8b", "llama-2-13b", "llama-2-70b"]),
    st.one_of(st.none(), st.floats(0.002, 0.1)),
)
def test_the_offer_is_the_cheapest_that_is_fast_enough(name, limit):
    terms, model = Terms("H100-SXM", rate=3, seconds=limit), PRESETS[name]
    prices = []
    for n_chips in terms.replicas:
        service = Service(model, "H100-SXM", n_chips)
        if batch := service.largest_batch(limit):
            prices.append(service.price(batch, rate=3, load=terms.load))
    if not prices:
        assert terms.offer(model) is None and math.isnan(terms.price(model))
    else:
        assert terms.price(model) == pytest.approx(min(prices))


def test_the_rate_changes_no_choice():
    models = [PRESETS["llama-3-8b"].scaled(n) for n in (24, 32, 48)]
    cheap, dear = (Terms("H100-SXM", rate=rate, seconds=0.01) for rate in (1, 5))
    for model in models:
        assert dear.price(model) == pytest.approx(5 * cheap.price(model))
        assert dear.offer(model) == cheap.offer(model)


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(LLAMA_13B, bytes_per_weight=16), "looks like bits"),
        (lambda: replace(LLAMA_13B, bytes_per_value=16), "looks like bits"),
        (lambda: replace(LLAMA_13B, context=0), "context = 0"),
        (lambda: replace(LLAMA_13B, n_chips=1.5), "whole number of chips"),
        (lambda: LLAMA_13B.step_seconds(0), "batch = 0"),
        (lambda: LLAMA_13B.price(1, rate=2, load=40), "load = 40 is above 1"),
        (lambda: LLAMA_13B.price(1, rate=-2), "rate = -2"),
        (lambda: LLAMA_13B.largest_batch(seconds=0), "seconds = 0"),
        (lambda: LLAMA_13B.prompt_seconds(2000, mfu=50), "looks like a percentage"),
    ],
)
def test_wrong_numbers_are_told_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_unknown_chip_is_named():
    with pytest.raises(KeyError, match="H100"):
        replace(LLAMA_13B, chip="H10O-SXM")
