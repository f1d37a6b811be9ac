"""Metrics and intervals against SciPy, brute force and values computed independently."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from course_utils import lab
from course_utils.emergence import (
    above_chance,
    accuracy_needed,
    brier,
    clopper_pearson,
    edit_distance,
    emergence_score,
    exact_match,
    items_for,
    multiple_choice,
    nll,
    pass_at_k,
    span_match,
    token_probability,
    wilson,
    zero_bound,
)

ROOT = Path(__file__).parents[1]

properties = settings(deadline=None, derandomize=True, max_examples=60)
shares = st.floats(0, 1)
lengths = st.integers(1, 200)


# --- the chain -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "expected"), [(0.9, 0.349), (0.99, 0.904), (0.5, 0.001)])
def test_ten_in_a_row(p, expected):
    assert exact_match(p, 10) == pytest.approx(expected, abs=5e-4)


def test_half_of_the_answers_of_ten_tokens():
    assert accuracy_needed(0.5, 10) == pytest.approx(0.933, abs=5e-4)


@properties
@given(shares, lengths)
def test_accuracy_needed_is_the_inverse(score, length):
    assert exact_match(accuracy_needed(score, length), length) == pytest.approx(score, abs=1e-9)


@properties
@given(st.floats(0, 20), lengths)
def test_the_loss_of_an_answer_is_the_log_of_its_probability(loss, length):
    # The mean loss of L equally hard tokens, and the probability of all of them.
    assert exact_match(token_probability(loss), length) == pytest.approx(math.exp(-loss * length))


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("carried", [False, True])
def test_edit_distance_by_adding_up_all_answers(p, carried):
    length, expected = 5, 0.0
    for right in itertools.product((True, False), repeat=length):
        probability = math.prod(p if each else 1 - p for each in right)
        kept = (
            list(itertools.takewhile(bool, right)) if carried else [each for each in right if each]
        )
        expected += probability * (length - len(kept))
    assert edit_distance(p, length, carried) == pytest.approx(expected)


@properties
@given(shares, lengths)
def test_carried_errors_never_cost_less(p, length):
    alone, carried = edit_distance(p, length), edit_distance(p, length, carried=True)
    assert -1e-9 <= alone <= carried + 1e-9 <= length + 2e-9


def test_functions_take_arrays():
    p = np.array([0.5, 1.0])
    assert exact_match(p, [[1], [2]]).tolist() == [[0.5, 1.0], [0.25, 1.0]]
    assert edit_distance(p, 2, carried=True).tolist() == [1.25, 0.0]
    assert multiple_choice(p, 2).tolist() == [0.75, 1.0]
    assert type(exact_match(0.5, 2)) is float


@properties
@given(shares, st.integers(2, 100))
def test_above_chance_undoes_guessing(p, choices):
    assert above_chance(multiple_choice(p, choices), 1 / choices) == pytest.approx(p, abs=1e-9)


def test_above_chance_of_a_score_that_should_be_small():
    assert above_chance(np.log(4), chance=np.log(4), best=0) == 0
    assert above_chance(0.0, chance=np.log(4), best=0) == 1
    with pytest.raises(ValueError, match="tells nothing"):
        above_chance(0.5, chance=1)


# --- scores of predictions -----------------------------------------------------------------------


def test_scores_of_uniform_and_of_perfect_predictions():
    uniform, perfect = np.full((3, 8), 1 / 8), np.eye(8)[:3]
    assert nll(uniform, [0, 5, 7]) == pytest.approx(math.log(8))
    assert brier(uniform, [0, 5, 7]) == pytest.approx(1 - 1 / 8)
    assert nll(perfect, [0, 1, 2]) == brier(perfect, [0, 1, 2]) == 0
    assert nll(perfect, [1, 2, 3]) == math.inf
    assert brier(perfect, [1, 2, 3]) == 2


def test_scores_by_hand():
    table = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    assert nll(table, [0, 2]) == pytest.approx(-(math.log(0.7) + math.log(0.4)) / 2)
    # (0.3² + 0.2² + 0.1² + 0.3² + 0.3² + 0.6²) / 2
    assert brier(table, [0, 2]) == pytest.approx(0.34)


def test_honest_probabilities_have_the_best_expected_scores():
    truth = np.array([0.6, 0.3, 0.1])
    for score in (nll, brier):

        def expected(said, score=score):
            return sum(q * score([said], [i]) for i, q in enumerate(truth))

        others = np.random.default_rng(0).dirichlet([1, 1, 1], 200)
        assert all(expected(truth) < expected(other) for other in others)


@pytest.mark.parametrize(
    ("table", "answers", "says"),
    [
        ([[0.5, 0.5]], [0, 1], "do not fit"),
        ([[0.5, 0.4]], [0], "adds up to 0.9"),
        ([[0.5, 0.5]], [2], "from 0 to 1"),
        ([[50, 50]], [0], "a fraction from 0 to 1, not per cent"),
        ([[0.5, 0.5]], [-1], "answers"),
    ],
)
def test_predictions_that_make_no_sense_are_named(table, answers, says):
    with pytest.raises(ValueError, match=says):
        brier(table, answers)


# --- spans and attempts --------------------------------------------------------------------------


@properties
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.data())
def test_span_match_by_looking_at_every_window(right, data):
    length = data.draw(st.integers(1, len(right)))
    windows = [right[i : i + length] for i in range(len(right) - length + 1)]
    assert span_match(right, length) == pytest.approx(np.mean([all(each) for each in windows]))


def test_independent_tokens_follow_the_power_and_clustered_ones_exceed_it():
    rng = np.random.default_rng(0)
    free = rng.random(200_000) < 0.6
    assert span_match(free, 4) == pytest.approx(exact_match(0.6, 4), rel=0.03)
    clustered = np.repeat(rng.random(50_000) < 0.6, 4)
    assert span_match(clustered, 4) > 2 * exact_match(clustered.mean(), 4)


def test_span_match_names_what_is_wrong():
    with pytest.raises(ValueError, match="3 tokens"):
        span_match([1, 0, 1], 4)
    with pytest.raises(ValueError, match="True and False"):
        span_match([0.5, 1], 1)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 3), (6, 0, 4), (6, 6, 1), (7, 3, 7), (7, 1, 2)])
def test_pass_at_k_by_counting_subsets(n, c, k):
    subsets = list(itertools.combinations(range(n), k))
    hit = sum(min(subset) < c for subset in subsets) / len(subsets)
    assert pass_at_k(n, c, k) == pytest.approx(hit)


def test_pass_at_one_is_the_share_and_attempts_of_unlike_questions_do_not_multiply():
    right = np.array([0, 5, 10])
    assert pass_at_k(10, right, 1) == pytest.approx(right / 10)
    # One never, one half, one always: pass@2 is far below 1 − 0.5².
    assert np.mean(pass_at_k(10, right, 2)) == pytest.approx((0 + 7 / 9 + 1) / 3)
    with pytest.raises(ValueError, match="only 10 samples"):
        pass_at_k(10, right, 11)


# --- suddenness ----------------------------------------------------------------------------------


def test_emergence_score_of_known_shapes():
    assert emergence_score(np.linspace(0, 1, 8)) == pytest.approx(7)
    assert emergence_score(np.linspace(1, 0, 8)) == pytest.approx(-7)
    assert emergence_score([0, 0, 0, 1]) == math.inf
    assert emergence_score([0.2, 0.2, 0.2]) == 0
    with pytest.raises(ValueError, match="three scores"):
        emergence_score([0, 1])


@properties
@given(
    st.lists(st.integers(0, 1000), min_size=3, max_size=9),
    st.floats(0.1, 10),
    st.floats(-5, 5),
)
def test_emergence_score_knows_no_unit(scores, scale, shift):
    scores = np.array(scores) / 1000
    moved = emergence_score(scale * scores + shift)
    if np.median(np.diff(scores) ** 2) > 0:
        assert moved == pytest.approx(emergence_score(scores), rel=1e-6)


# --- intervals -----------------------------------------------------------------------------------

COUNTS = [(0, 10), (10, 10), (1, 100), (7, 50), (0, 4096), (1500, 4096), (99, 100)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_intervals_are_scipys(k, n, level):
    found = stats.binomtest(k, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        expected = found.proportion_ci(level, method)
        assert ours(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_intervals_of_arrays():
    for interval in (wilson, clopper_pearson):
        low, high = interval([0, 3, 10], 10)
        assert low.shape == high.shape == (3,)
        assert interval(3, 10) == (low[1], high[1])
        assert low[0] == 0 and high[2] == 1


@pytest.mark.parametrize("share", [0.003, 0.1, 0.5])
def test_clopper_pearson_holds_the_truth_as_often_as_it_says(share):
    k = np.arange(101)
    low, high = clopper_pearson(k, 100)
    held = stats.binom.pmf(k, 100, share)[(low <= share) & (share <= high)].sum()
    assert held >= 0.95


def test_the_textbook_interval_does_not():
    k = np.arange(101)
    half = 1.96 * np.sqrt(k / 100 * (1 - k / 100) / 100)
    held = stats.binom.pmf(k, 100, 0.003)[np.abs(k / 100 - 0.003) <= half].sum()
    assert held < 0.3


@properties
@given(st.integers(1, 10**7))
def test_zero_bound_leaves_a_zero_one_chance_in_twenty(trials):
    bound = zero_bound(trials)
    assert (1 - bound) ** trials == pytest.approx(0.05, rel=1e-6)
    assert bound <= 3 / trials


@properties
@given(st.floats(1e-9, 0.999), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_items_for_is_the_smallest_number_that_will_do(share, level):
    items = items_for(share, level)
    assert items == math.floor(items)
    missed = items * math.log1p(-share)
    assert missed <= math.log1p(-level) * (1 - 1e-9)
    assert missed - math.log1p(-share) > math.log1p(-level) * (1 + 1e-9)


def test_items_for_a_share_whose_number_is_whole():
    # Three coins show heads with probability 7/8.
    assert items_for(0.5, 0.875) == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: exact_match(93.3, 10), "p = 93.3 .* not per cent"),
        (lambda: exact_match(0.9, 2.5), "length = 2.5"),
        (lambda: exact_match("much", 2), "p = 'much' is not a number"),
        (lambda: accuracy_needed(-0.1, 2), "score = -0.1"),
        (lambda: accuracy_needed(math.nan, 2), "score = nan"),
        (lambda: token_probability(-1), "loss = -1"),
        (lambda: multiple_choice(0.5, 1), "choices = 1"),
        (lambda: wilson(11, 10), "successes = 11 .* trials = 10"),
        (lambda: clopper_pearson(0, 0), "trials = 0"),
        (lambda: clopper_pearson(0.5, 10), "successes = 0.5"),
        (lambda: wilson(1, 10, level=95), "level = 95"),
        (lambda: items_for(0), "share = 0"),
        (lambda: items_for(1), "share = 1"),
        (lambda: zero_bound(-3), "trials = -3"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# --- what lesson 06 says of the recorded ladder --------------------------------------------------


@pytest.fixture(scope="module")
def ladder():
    return lab.recorded("emergence")


def test_chains_of_random_facts_follow_the_power(ladder):
    for n in (1, 2, 4, 8):
        expected = exact_match(ladder["top1"], n)
        assert np.abs(ladder[f"exact_{n}"] - expected).max() < 0.04


def test_errors_are_carried_on_in_recited_chains(ladder):
    carried = edit_distance(ladder["top1"], 8, carried=True)
    assert np.abs(ladder["edit"] - carried).max() < 0.25
    middle = (ladder["top1"] > 0.2) & (ladder["top1"] < 0.9)
    assert middle.any()
    assert np.all((ladder["edit"] - edit_distance(ladder["top1"], 8))[middle] > 1)


def test_chains_are_more_sudden_than_facts_with_every_seed(ladder):
    for seed in np.unique(ladder["seed"]):
        run = ladder.where(seed=seed)
        assert emergence_score(run["exact_8"]) > 100 > 20 > emergence_score(run["top1"])
        assert emergence_score(-run["edit"]) > 2 * emergence_score(-run["val"])


def test_addition_jumps_in_the_loss_with_every_seed():
    runs = lab.recorded("addition")
    for seed in np.unique(runs["seed"]):
        loss = runs.where(seed=seed)["val"]
        # 200 of 3,000 steps.
        assert (loss[:-4] - loss[4:]).max() > 0.3 * np.ptp(loss)


def test_the_numbers_in_the_rubric_of_exercise_06():
    rubric = (ROOT / "solutions" / "06_emergent_abilities" / "rubric.md").read_text("utf-8")
    high = wilson(0, 40).high
    for number in (f"{high:.3f}", f"{accuracy_needed(high, 20):.2f}", f"{0.45 ** (1 / 20):.2f}"):
        assert number in rubric
    assert f"{100 * zero_bound(40):.0f} % (rule of three)" in rubric
