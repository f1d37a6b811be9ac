"""Test-time compute: closed forms against sums, simulations and limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from course_utils.emergence import pass_at_k
from course_utils.planning import lifetime_flops
from course_utils.sampling import (
    answer_flops,
    best_of,
    break_even_answers,
    coverage,
    majority_vote,
    mean_coverage,
    verifier_ceiling,
)

shares = st.floats(0, 1)
inner = st.floats(0.01, 0.99)
odd = st.integers(0, 40).map(lambda half: 2 * half + 1)


# --- coverage --------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "k", "expected"), [(0, 9, 0), (1, 1, 1), (0.5, 2, 0.75)])
def test_coverage_by_hand(p, k, expected):
    assert coverage(p, k) == pytest.approx(expected)


def test_coverage_keeps_its_digits_where_p_is_tiny():
    assert coverage(1e-15, 100) == pytest.approx(1e-13, rel=1e-9)


def test_coverage_is_what_pass_at_k_estimates_without_bias():
    # Every possible count of 12 samples, weighted with its probability.
    p, n, k = 0.23, 12, 5
    c = np.arange(n + 1)
    assert stats.binom.pmf(c, n, p) @ pass_at_k(n, c, k) == pytest.approx(coverage(p, k))
    plug_in = stats.binom.pmf(c, n, p) @ coverage(c / n, k)
    assert plug_in < coverage(p, k) - 0.02


@given(a=st.floats(0.1, 5), b=st.floats(0.1, 5), k=st.integers(1, 60))
def test_mean_coverage_is_the_mean_over_the_spread(a, b, k):
    # The product form of the same ratio of Gamma functions.
    failed = math.prod((b + i) / (a + b + i) for i in range(k))
    assert mean_coverage(a, b, k) == pytest.approx(1 - failed, rel=1e-9, abs=1e-12)


def test_mean_coverage_by_integration():
    grid = (np.arange(200_000) + 0.5) / 200_000
    density = stats.beta.pdf(grid, 1.7, 3)
    assert mean_coverage(1.7, 3, 20) == pytest.approx(
        density @ coverage(grid, 20) / density.sum(), abs=1e-6
    )


def test_the_tail_is_a_power_of_k_with_exponent_a():
    failed = 1 - mean_coverage(0.3, 2, np.array([1e6, 1e7]))
    assert math.log10(failed[0] / failed[1]) == pytest.approx(0.3, abs=1e-5)
    # A thin spread of the same mean is exponential, not a power, at small k.
    assert 1 - mean_coverage(300, 2000, 50) == pytest.approx(math.exp(-50 * 0.139), rel=0.2)


def test_the_lessons_curve():
    # Computed independently in float64: Beta(0.3, 2) at k = 1, 10, 100, 1,000, 10,000.
    failed = 1 - mean_coverage(0.3, 2, 10.0 ** np.arange(5))
    assert failed == pytest.approx([0.870, 0.559, 0.292, 0.147, 0.074], abs=5e-4)


# --- choosing --------------------------------------------------------------------------------


@given(p=shares, votes=odd)
def test_majority_vote_is_the_binomial_tail(p, votes):
    expected = stats.binom.sf(votes // 2, votes, p)
    assert majority_vote(p, votes) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(p=shares, votes=odd)
def test_a_vote_treats_both_answers_alike(p, votes):
    assert majority_vote(p, votes) + majority_vote(1 - p, votes) == pytest.approx(1)


def test_the_vote_of_five_by_hand():
    assert majority_vote(0.6, 5) == pytest.approx(10 * 0.6**3 * 0.16 + 5 * 0.6**4 * 0.4 + 0.6**5)
    # Computed independently in float64.
    assert majority_vote([0.45, 0.55], 101) == pytest.approx([0.156, 0.844], abs=5e-4)


@pytest.mark.parametrize("votes", [2, 2.5, 100])
def test_a_vote_that_can_tie_is_refused(votes):
    with pytest.raises(ValueError, match="expected an odd whole number"):
        majority_vote(0.5, votes)


def brute_best_of(p, k, t, f):
    """Every way in which k samples can be right or wrong, accepted or not."""
    kinds = [(True, True, p * t), (True, False, p * (1 - t))]
    kinds += [(False, True, (1 - p) * f), (False, False, (1 - p) * (1 - f))]
    total = 0.0
    for drawn in itertools.product(kinds, repeat=k):
        weight = math.prod(each[2] for each in drawn)
        pool = [right for right, accepted, _ in drawn if accepted] or [each[0] for each in drawn]
        total += weight * sum(pool) / len(pool)
    return total


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize(("p", "t", "f"), [(0.1, 0.6, 0.4), (0.5, 1, 0), (0.3, 0, 1), (0.2, 1, 1)])
def test_best_of_is_what_all_cases_add_up_to(p, k, t, f):
    assert best_of(p, k, t, f) == pytest.approx(brute_best_of(p, k, t, f))


@given(p=inner, k=st.integers(1, 500))
def test_a_perfect_verifier_gives_coverage_and_a_blind_one_nothing(p, k):
    assert best_of(p, k, 1, 0) == pytest.approx(coverage(p, k))
    assert best_of(p, k, 0.3, 0.3) == pytest.approx(p)


@given(p=inner, t=inner, f=inner)
def test_many_samples_reach_the_ceiling_and_no_more(p, t, f):
    assert best_of(p, 1, t, f) == pytest.approx(p)
    assert best_of(p, 1e6, t, f) == pytest.approx(verifier_ceiling(p, t, f))
    low, high = sorted((p, verifier_ceiling(p, t, f)))
    assert low - 1e-12 <= best_of(p, 7, t, f) <= high + 1e-12


def test_the_noisy_verifier():
    # Computed independently in float64; its ceiling is reached to all three digits.
    assert best_of(0.1, 64, 0.6, 0.4) == pytest.approx(0.143, abs=5e-4)
    assert verifier_ceiling(0.1, 0.6, 0.4) == pytest.approx(1 / 7)


def test_a_verifier_that_accepts_nothing_has_no_ceiling():
    with pytest.raises(ValueError, match="accepts nothing"):
        verifier_ceiling([0.5, 0.2], [0.5, 0], [0.5, 0])


# --- what it costs ---------------------------------------------------------------------------


@given(samples=st.integers(10, 500))
def test_at_break_even_both_bills_are_equal(samples):
    small, large, D, tokens = 8e9, 70e9, 2e12, 700
    answers = break_even_answers(small, large, D, samples, tokens)
    bills = (
        lifetime_flops(small, D, answers * samples * tokens),
        lifetime_flops(large, D, answers * tokens),
    )
    assert bills[0] == pytest.approx(bills[1])


def test_samples_that_cost_no_more_never_break_even():
    assert break_even_answers(8e9, 70e9, 2e12, [8, 8.75], 500).tolist() == [math.inf] * 2
    with pytest.raises(ValueError, match="more than small"):
        break_even_answers(70e9, 8e9, 2e12, 4, 500)


def test_answers_cost_two_flops_a_parameter_and_token():
    assert answer_flops(1e9, 1, [1, 10]).tolist() == [2e9, 2e10]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("p", [-0.1, 1.1, 45, math.nan, "many"])
@pytest.mark.parametrize(
    "call",
    [
        lambda p: coverage(p, 3),
        lambda p: majority_vote(p, 3),
        lambda p: best_of(p, 3, 0.5, 0.5),
        lambda p: best_of(0.5, 3, p, 0.5),
        lambda p: verifier_ceiling(0.5, 0.5, p),
    ],
)
def test_no_share_is_refused(call, p):
    with pytest.raises(ValueError, match="expected a fraction"):
        call(p)


@pytest.mark.parametrize("k", [0, -1, math.nan])
def test_no_samples_are_refused(k):
    for call in (coverage, majority_vote):
        with pytest.raises(ValueError, match="is not valid"):
            call(0.5, k)
    with pytest.raises(ValueError, match="is not valid"):
        mean_coverage(1, 1, k)


def test_arrays_broadcast():
    assert coverage([[0.1], [0.2]], [1, 2, 3]).shape == (2, 3)
    assert best_of([0.1, 0.2], 4, 0.9, 0.1).shape == (2,)
