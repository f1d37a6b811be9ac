"""The laws against values computed independently in float64, and against their own symmetries.

Where a comment says "independently", another program evaluated the published formula.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from strategies import laws, logs

from course_utils.laws import (
    BESIROGLU_2024,
    HOFFMANN_2022,
    HOFFMANN_2022_UNROUNDED,
    KAPLAN_2020,
    MUENNIGHOFF_2023,
    SARDANA_2024,
    Allocation,
    ChinchillaLaw,
    DataConstrainedLaw,
    KaplanLaw,
    _log_gain,
    first_where,
    monotone_root,
    non_embedding_optimum,
    total_params,
    training_flops,
)

# Reproducible examples: a property that fails here fails everywhere.
properties = settings(deadline=None, derandomize=True, max_examples=60)

H, T, Z = HOFFMANN_2022, HOFFMANN_2022_UNROUNDED, BESIROGLU_2024
CHINCHILLAS = [H, T, Z, SARDANA_2024, MUENNIGHOFF_2023.base]


budgets, sizes, token_counts = logs(17, 27), logs(6, 13), logs(8, 14)


# --- Chinchilla laws ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "G", "a", "ratios"),
    # Independently, from the three published sets of coefficients and the one fitted on C4.
    [
        (H, 1.34471, 0.451613, (32.07, 50.08, 78.21, 92.65)),
        (T, 1.30005, 0.456526, (22.72, 33.91, 50.61, 58.93)),
        (Z, 0.119630, 0.512612, (24.25, 21.59, 19.22, 18.39)),
        (MUENNIGHOFF_2023.base, 0.225802, 0.5, (19.61, 19.61, 19.61, 19.61)),
    ],
)
def test_optimal_ratio_and_exponents(law, G, a, ratios):
    plan = law.optimal([1e19, 1e21, 1e23, 5.76e23])
    assert plan.tokens_per_param == pytest.approx(ratios, rel=2e-4)
    assert pytest.approx(G, rel=5e-6) == law.G
    got_a, got_b = law.exponents()
    assert got_a == pytest.approx(a, rel=2e-6)
    assert got_a + got_b == pytest.approx(1, rel=1e-15)
    assert law.exponents().a == got_a and law.exponents().b == got_b


@pytest.mark.parametrize(
    ("law", "C", "N", "L"),
    [
        (H, 1e19, 2.280e8, 2.9857),
        (H, 1e21, 1.824e9, 2.3289),
        (H, 1e23, 1.460e10, 2.0050),
        (Z, 1e19, 2.622e8, 2.9271),
        (Z, 1e21, 2.778e9, 2.3055),
        (Z, 1e23, 2.945e10, 2.0321),
    ],
)
def test_optimal_size_and_loss(law, C, N, L):
    plan = law.optimal(C)
    assert pytest.approx(N, rel=3e-4) == plan.N
    assert plan.loss == pytest.approx(L, abs=6e-5)
    assert plan.C == C
    assert plan.epochs is None


def test_printed_coefficients_miss_the_papers_own_table():
    # The paper's table has 400M parameters and 9.2B tokens at 2.21e19 FLOPs.
    rounded, unrounded = H.optimal(2.21e19), T.optimal(2.21e19)
    assert pytest.approx((3.261e8, 1.129e10), rel=5e-4) == (rounded.N, rounded.D)
    assert pytest.approx((3.890e8, 9.469e9), rel=3e-4) == (unrounded.N, unrounded.D)


def test_tokens_for_which_a_size_is_optimal():
    plan = H.optimal_for_params(70e9)
    assert pytest.approx(7.66e12, rel=1e-3) == plan.D
    assert plan.tokens_per_param == pytest.approx(109.4, rel=1e-3)
    assert pytest.approx(5.7649e11, rel=1e-5) == SARDANA_2024.optimal_for_params(13e9).D
    assert SARDANA_2024.optimal_for_params(13e9).loss == pytest.approx(2.04528, abs=5e-6)


def test_tokens_for_loss():
    # A 7B reaches the loss of a 13B trained on 260B tokens at these counts, independently.
    for law, billions in ((H, 432), (T, 466), (Z, 576)):
        assert law.tokens_for_loss(7e9, law.loss(13e9, 260e9)) == pytest.approx(
            billions * 1e9, rel=2e-3
        )


@pytest.mark.parametrize(("law", "gamma"), [(H, 0.1535), (T, 0.1548), (Z, 0.1783)])
def test_reducible_loss_is_a_power_of_compute(law, gamma):
    assert law.gamma == pytest.approx(gamma, abs=5e-5)
    first, second = law.optimal([1e20, 1e24]).loss - law.E
    assert np.log(first / second) / np.log(1e4) == pytest.approx(law.gamma, rel=1e-10)


@properties
@given(laws, budgets)
def test_optimum_is_a_minimum_along_the_budget(law, C):
    plan = law.optimal(C)
    N = plan.N * np.exp(np.array([-1, -0.1, -1e-3, 1e-3, 0.1, 1]))
    assert np.all(law._loss(N, C / (6 * N)) > plan.loss)


@properties
@given(laws, budgets)
def test_optimum_spends_the_budget(law, C):
    plan = law.optimal(C)
    assert training_flops(plan.N, plan.D) == pytest.approx(C, rel=1e-12)
    assert plan.loss == pytest.approx(law.loss(plan.N, plan.D), rel=1e-14)
    for other in (law.optimal_for_params(plan.N), law.optimal_for_tokens(plan.D)):
        assert pytest.approx((plan.N, plan.D, C), rel=1e-10) == (other.N, other.D, other.C)


@properties
@given(laws, sizes, token_counts, st.floats(1.01, 1e3))
def test_loss_falls_in_both_and_stays_above_the_floor(law, N, D, factor):
    loss = law.loss(N, D)
    assert law.E < law.loss(N * factor, D) < loss
    assert law.E < law.loss(N, D * factor) < loss


@properties
@given(laws, budgets)
def test_compute_for_loss_inverts_the_optimum(law, C):
    assert law.compute_for_loss(law.optimal(C).loss) == pytest.approx(C, rel=1e-6)


@properties
@given(laws, sizes, token_counts)
def test_unlimited_data_leaves_the_loss_from_params(law, N, D):
    floor = law.loss_from_params(N)
    assert law.loss(N, 1e120) == pytest.approx(floor, rel=1e-12)
    assert law.loss(N, D) > floor
    with pytest.raises(ValueError, match="out of reach"):
        law.tokens_for_loss(N, floor)


@given(laws, sizes, token_counts)
def test_tokens_for_loss_inverts_the_loss(law, N, D):
    assert law.tokens_for_loss(N, law.loss(N, D)) == pytest.approx(D, rel=1e-6)


@properties
@given(laws, budgets)
def test_swapping_the_terms_swaps_the_sizes(law, C):
    swapped = ChinchillaLaw(law.E, law.B, law.A, law.beta, law.alpha).optimal(C)
    plan = law.optimal(C)
    assert pytest.approx((plan.D, plan.N), rel=1e-10) == (swapped.N, swapped.D)


def test_coefficients_may_be_arrays():
    columns = np.array([[law.E, law.A, law.B, law.alpha, law.beta] for law in (H, T, Z)]).T
    family = ChinchillaLaw(*columns)
    for index, law in enumerate((H, T, Z)):
        assert family.optimal(1e23).N[index] == pytest.approx(law.optimal(1e23).N, rel=1e-13)
        assert family.compute_for_loss(2.1)[index] == pytest.approx(
            law.compute_for_loss(2.1), rel=1e-12
        )
        assert family.exponents().a[index] == pytest.approx(law.exponents().a, rel=1e-15)


def test_no_floor_is_allowed():
    assert ChinchillaLaw(0, 400, 400, 0.3, 0.3).loss(1e9, 1e9) == pytest.approx(800 * 1e9**-0.3)


@pytest.mark.parametrize("law", CHINCHILLAS)
def test_a_published_law_is_a_value(law):
    twin = ChinchillaLaw(law.E, law.A, law.B, law.alpha, law.beta)
    assert twin == law and hash(twin) == hash(law)
    with pytest.raises(AttributeError):
        law.E = 0


# --- Kaplan ------------------------------------------------------------------------------------


def test_kaplan_losses():
    law = KAPLAN_2020
    assert law.loss_from_params([1e6, 1e9]) == pytest.approx([4.0159, 2.3756], abs=5e-5)
    assert law.loss_from_tokens([1e9, 3e11]) == pytest.approx([2.8156, 1.6378], abs=5e-5)
    assert law.loss_from_compute([1e18, 1e22]) == pytest.approx([3.3220, 2.0960], abs=5e-5)
    assert law.loss([1e8, 1.75e11], [1e9, 3e11]) == pytest.approx([2.9567, 1.6610], abs=5e-5)


def test_kaplan_optimum_takes_the_minimal_compute():
    plan = KAPLAN_2020.optimal([1e20, 0.5e20])
    assert pytest.approx([1.4464e9, 8.720e8], rel=5e-5) == plan.N
    assert plan.loss == pytest.approx(KAPLAN_2020.loss_from_compute([1e20, 0.5e20]))
    # The tokens are those of the critical batch, so 6·N·D is about 2·C.
    plan = KAPLAN_2020.optimal(1e21)
    assert pytest.approx((7.77e9, 38.7e9), rel=2e-3) == (plan.N, plan.D)
    assert plan.C == 1e21
    assert training_flops(plan.N, plan.D) == pytest.approx(1.81e21, rel=3e-3)


def test_kaplan_critical_batch():
    assert KAPLAN_2020.critical_batch(3) == pytest.approx(1.1226e6, rel=5e-5)


@properties
@given(sizes, token_counts, st.floats(1.01, 1e3))
def test_kaplan_losses_fall(N, D, factor):
    law = KAPLAN_2020
    assert law.loss(N * factor, D) < law.loss(N, D)
    assert law.loss(N, D * factor) < law.loss(N, D)
    assert law.loss_from_params(N * factor) < law.loss_from_params(N)
    assert law.loss_from_tokens(D * factor) < law.loss_from_tokens(D)
    assert law.loss_from_compute(6 * N * D * factor) < law.loss_from_compute(6 * N * D)
    assert law.critical_batch(2 / factor) > law.critical_batch(2)


# --- limited data ------------------------------------------------------------------------------

M = MUENNIGHOFF_2023


def test_muennighoff_losses():
    # Independently; these are the two allocations that the authors compare.
    assert M.loss(6.34e9, 242e9, 25e9) == pytest.approx(2.2256440890, abs=1e-10)
    assert M.loss(8.67e9, 178e9, unique=25e9) == pytest.approx(2.2269634075, abs=1e-10)


def test_muennighoff_optimum():
    plan = M.optimal(1e22, 25e9)
    assert pytest.approx(7.02616e9, rel=1e-6) == plan.N
    assert pytest.approx(2.37209e11, rel=2e-6) == plan.D
    assert plan.epochs == pytest.approx(9.488, rel=5e-5)
    assert plan.loss == pytest.approx(2.22212927, abs=1e-8)
    assert "9.49 epochs" in str(plan)


def test_worth_of_repeated_epochs():
    epochs = np.array([1, 2, 4, 8, 16, 40])
    worth = M.effective_tokens(25e9 * epochs, 25e9) / 25e9
    assert worth == pytest.approx([1, 1.9682, 3.7257, 6.6241, 10.5825, 15.1675], abs=5e-5)


limited = st.builds(
    DataConstrainedLaw, base=laws, R_D=st.floats(1, 50), R_N=st.floats(1, 50)
) | st.just(M)


@properties
@given(limited, budgets, token_counts)
def test_limited_optimum_against_scipy(law, C, unique):
    plan = law.optimal(C, unique)
    assert pytest.approx(C, rel=1e-11) == 6 * plan.N * plan.D
    assert plan.epochs == pytest.approx(plan.D / unique)
    assert plan.loss == pytest.approx(float(law._loss(plan.N, plan.D, unique)))

    def loss(log_N):
        N = np.exp(log_N)
        return float(law._loss(N, C / (6 * N), unique))

    here = np.log(plan.N)
    found = minimize_scalar(loss, bounds=(here - 5, here + 5), options={"xatol": 1e-10})
    assert plan.loss <= found.fun * (1 + 1e-14)


@properties
@given(limited, budgets, token_counts)
def test_limited_loss_has_one_valley_along_the_budget(law, C, unique):
    plan = law.optimal(C, unique)
    N = plan.N * np.exp(np.linspace(-6, 6, 241))
    loss = law._loss(N, C / (6 * N), unique)
    # Where one term dwarfs the rest the loss is flat to rounding; it never turns back up.
    assert np.all(np.diff(loss[:121]) <= 1e-14 * loss[:120])
    assert np.all(np.diff(loss[120:]) >= -1e-14 * loss[120:-1])


@properties
@given(logs(-2, 3), st.floats(0.5, 50), st.floats(0.2, 0.7))
def test_gain_of_faded_counts_falls_and_its_slope_is_its_derivative(count, scale, exponent):
    def gain(log_count):
        return _log_gain(np.exp(log_count), 1.0, scale, exponent, 1.0)

    here, step = np.log(count), 1e-5
    slope = gain(here)[1]
    assert slope <= -min(exponent, 1 / scale) * (1 - 1e-12)
    if abs(here) > 2 * step:  # where fading sets in, the slope jumps
        difference = (gain(here + step)[0] - gain(here - step)[0]) / (2 * step)
        assert difference == pytest.approx(float(slope), rel=1e-5)


@properties
@given(limited, budgets)
def test_plentiful_data_changes_nothing(law, C):
    fresh = law.base.optimal(C)
    plan = law.optimal(C, 2 * fresh.D)
    assert (plan.N, plan.D, plan.C) == (fresh.N, fresh.D, fresh.C)
    assert plan.loss == pytest.approx(fresh.loss, rel=1e-15)
    assert plan.epochs == pytest.approx(0.5)


@properties
@given(budgets, token_counts)
def test_scarce_data_never_helps(C, unique):
    fresh = M.base.optimal(C)
    assert M.optimal(C, unique).loss >= fresh.loss * (1 - 1e-15)
    assert M.optimal(C, unique).loss >= M.optimal(C, 2 * unique).loss * (1 - 1e-15)


@properties
@given(limited, token_counts, st.floats(1e-3, 1e3), st.floats(1.001, 10))
def test_effective_tokens_grow_and_saturate(law, unique, epochs, factor):
    D = unique * epochs
    effective = law.effective_tokens(D, unique)
    if epochs <= 1:
        assert effective == D
    assert effective <= D
    assert effective <= unique * (1 + law.R_D)
    assert law.effective_tokens(D * factor, unique) >= effective


@properties
@given(limited, sizes, token_counts)
def test_effective_params_saturate_beyond_what_the_data_feeds(law, N, unique):
    fed = law.base.optimal_for_tokens(unique).N
    effective = law.effective_params(N, unique)
    assert effective == N if fed >= N else fed < effective < N
    assert effective <= max(fed * (1 + law.R_N), N if fed >= N else 0)


# --- parameters with and without embeddings ----------------------------------------------------


def test_leaving_embeddings_out_gives_kaplans_exponent():
    plan = non_embedding_optimum(Z, np.geomspace(768, 1.5e9, 20))
    slope, _ = np.polyfit(np.log(plan.C), np.log(plan.N), 1)
    assert slope == pytest.approx(0.7865, abs=5e-5)
    # The law itself, with all parameters counted, has the exponent .51.
    assert slope - Z.exponents().a > 0.27


@properties
@given(logs(4, 11))
def test_non_embedding_optimum_is_a_minimum(N):
    plan = non_embedding_optimum(Z, N)
    near = N * np.exp(np.array([-0.5, -1e-3, 1e-3, 0.5]))
    assert np.all(Z._loss(np.asarray(total_params(near)), plan.C / (6 * near)) > plan.loss)
    assert plan.loss == pytest.approx(float(Z._loss(total_params(N), plan.D)))


def test_embeddings_vanish_in_large_models():
    assert total_params(768) == pytest.approx(768 + 47491 * 768 ** (1 / 3))
    assert total_params(1e14) == pytest.approx(1e14, rel=1e-4)


# --- shapes ------------------------------------------------------------------------------------

ROW, COLUMN = np.array([1e9, 3e9, 1e11]), np.array([[2e10], [1e12]])
BUDGETS, UNIQUE = np.array([1e19, 1e22, 1e25]), np.array([[2e9], [2e11]])


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (H.loss, (ROW, COLUMN)),
        (lambda N, D: H.tokens_for_loss(N, H.loss(N, D)), (ROW, COLUMN)),
        (KAPLAN_2020.loss, (ROW, COLUMN)),
        (M.loss, (ROW, COLUMN, 25e9)),
        (M.effective_tokens, (ROW, COLUMN)),
        (M.effective_params, (ROW, COLUMN)),
        (training_flops, (ROW, COLUMN)),
        (H.optimal, (BUDGETS,)),
        (H.optimal_for_params, (ROW,)),
        (H.optimal_for_tokens, (COLUMN,)),
        (KAPLAN_2020.optimal, (BUDGETS,)),
        (M.optimal, (BUDGETS, UNIQUE)),
        (lambda N: non_embedding_optimum(Z, N), (ROW,)),
    ],
)
def test_broadcasting_equals_element_by_element(function, arguments):
    whole = function(*arguments)
    shape = np.broadcast_shapes(*map(np.shape, arguments))
    parts = [np.broadcast_to(argument, shape) for argument in arguments]
    for index in np.ndindex(shape):
        one = function(*(part[index] for part in parts))
        if isinstance(one, Allocation):
            for name in ("N", "D", "C", "loss", "tokens_per_param"):
                assert type(getattr(one, name)) is float
                assert getattr(whole, name).shape == shape
                assert getattr(whole, name)[index] == pytest.approx(getattr(one, name), rel=1e-12)
        else:
            assert type(one) is float
            assert whole.shape == shape
            assert whole[index] == pytest.approx(one, rel=1e-12)


def test_lists_are_arrays_and_results_do_not_share_memory():
    assert H.loss([1e9, 2e9], 1e10).shape == (2,)
    budgets = np.array([1e20, 1e21])
    plan = H.optimal(budgets)
    plan.C[0] = 0
    assert budgets[0] == 1e20


def test_an_allocation_of_arrays_prints_its_arrays():
    assert "array" in str(H.optimal([1e20, 1e21]))
    assert str(H.optimal(1e23)).startswith("N = 14.6B, D = 1.14T")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: H.loss(70, 1.4e12), r"N = 70 .*parameters.*not billions"),
        (lambda: H.loss(70e9, 1400), r"D = 1400 .*tokens.*not billions"),
        (lambda: H.loss([1e9, np.nan], 1e10), "N = nan"),
        (lambda: H.loss(1e9, -1e10), r"D = -1e\+10"),
        (lambda: H.loss("seven", 1e10), "N = 'seven' is not a number"),
        (lambda: H.optimal(0), "C = 0 is not valid"),
        (lambda: H.optimal(576), "C = 576 .*FLOPs"),
        (lambda: H.optimal_for_params(7), "N = 7 "),
        (lambda: H.optimal_for_tokens(300), "D = 300 "),
        (lambda: H.compute_for_loss(1.69), r"L = 1\.69 .*E = 1\.69.*above E"),
        (lambda: H.compute_for_loss([2.0, 1.5]), r"L = 1\.5 .*E = 1\.69"),
        (lambda: H.compute_for_loss(np.nan), "L = nan"),
        (lambda: H.tokens_for_loss(1e9, 1.6), r"L = 1\.6 .*E = 1\.69"),
        (lambda: H.tokens_for_loss([70e9, 1e9], 1.9), r"L = 1\.9 .*N = 1B .*2\.0440"),
        (lambda: ChinchillaLaw(-0.1, 400, 400, 0.3, 0.3), r"E = -0\.1 "),
        (lambda: ChinchillaLaw([1.7, np.inf], 400, 400, 0.3, 0.3), "E = inf"),
        (lambda: ChinchillaLaw(1.7, 0, 400, 0.3, 0.3), "A = 0 "),
        (lambda: ChinchillaLaw(1.7, 400, 400, 0.3, -0.3), r"beta = -0\.3 "),
        (lambda: DataConstrainedLaw(H, R_D=0, R_N=5), "R_D = 0 "),
        (lambda: KaplanLaw(**{**vars(KAPLAN_2020), "N_c": -1}), "N_c = -1 "),
        (lambda: KAPLAN_2020.loss_from_params(175), "N = 175 "),
        (lambda: KAPLAN_2020.loss_from_tokens(300), "D = 300 "),
        (lambda: KAPLAN_2020.loss_from_compute(1.0), "C = 1 .*FLOPs"),
        (lambda: KAPLAN_2020.critical_batch(0), "L = 0 "),
        (lambda: M.loss(7e9, 2e12, 25), "unique = 25 .*tokens"),
        (lambda: M.effective_tokens(2e12, -1), "unique = -1 "),
        (lambda: M.optimal(1e22, np.nan), "unique = nan"),
        (lambda: total_params(0.1), r"N = 0\.1 "),
        (lambda: non_embedding_optimum(Z, 767e-9), "N = 7.67e-07 "),
        (lambda: training_flops(70, 1e12), "N = 70 "),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- the root finder ---------------------------------------------------------------------------


@properties
@given(st.floats(-50, 50), st.floats(0.01, 2), st.floats(-20, 20))
def test_monotone_root_rising_and_falling(root, slope, start):
    def steep(x):
        # Flat far to the left and steep far to the right, where bare Newton steps go astray.
        shifted = np.clip(slope * (x - root), -500, 500)
        return np.expm1(shifted) + (x - root), slope * np.exp(shifted) + 1

    for sign in (1, -1):
        found = monotone_root(lambda x, sign=sign: tuple(sign * y for y in steep(x)), start)
        assert float(found) == pytest.approx(root, abs=1e-10)


def test_monotone_root_where_bare_newton_goes_round_in_circles():
    starts = np.array([-40, -2.3, 1.7, 3, 50])
    found = monotone_root(lambda x: (np.arctan(x - 0.25), 1 / (1 + (x - 0.25) ** 2)), starts)
    assert found == pytest.approx(np.full(5, 0.25), abs=1e-12)


def test_monotone_root_says_when_there_is_none():
    with pytest.raises(ValueError, match="No root"):
        monotone_root(lambda x: (np.exp(-x), -np.exp(-x)), np.zeros(1))


def test_first_where_pairs_the_elements():
    bad = np.array([[False, False], [True, True]])
    assert first_where(bad, [[1], [2]], [3, 4], 5) == [2, 3, 5]
