"""Parabolas: what they recover, what they miss, and which budgets they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from runs import byte_model_runs, fittable_laws, isoflop_runs

from course_utils import fitting
from course_utils.fitting import FitWarning
from course_utils.laws import (
    BESIROGLU_2024,
    HOFFMANN_2022,
    ChinchillaLaw,
)


@pytest.mark.parametrize(
    ("law", "percent"),
    [
        (HOFFMANN_2022, 3.678),
        (BESIROGLU_2024, -1.078),
        (ChinchillaLaw(E=1.69, A=400, B=400, alpha=0.31, beta=0.31), 0.0),
    ],
    ids=["Hoffmann", "Besiroglu", "symmetric"],
)
def test_a_parabola_gets_the_exponent_and_misses_the_size(law, percent):
    # Reference: error of N at 1e24 on the noise-free surface, five budgets, ±1 decade.
    fit = fitting.fit_isoflop(*isoflop_runs(law, np.logspace(17, 21, 5)))
    assert fit.exponent == pytest.approx(law.exponents().a, abs=1e-10)
    assert 100 * (fit.predict(1e24) / law.optimal(1e24).N - 1) == pytest.approx(percent, abs=5e-4)
    assert fit.predict(np.array([1e20, 1e24])).shape == (2,)
    assert len(fit.minima) == 5
    assert fit.refused == ()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(law=fittable_laws())
def test_narrow_windows_approach_the_true_optimum(law):
    fit = fitting.fit_isoflop(*isoflop_runs(law, [1e19, 1e21], decades=0.05))
    for minimum in fit.minima:
        truth = law.optimal(minimum.C)
        assert pytest.approx(truth.N, rel=2e-2) == minimum.N
        assert pytest.approx(truth.D, rel=2e-2) == minimum.D
        assert minimum.loss == pytest.approx(truth.loss, rel=1e-4)
        # With C = 6ND fixed, d²L/d(ln N)² = α²·A/N^α + β²·B/D^β.
        bend = law.alpha**2 * law.A * truth.N**-law.alpha
        bend += law.beta**2 * law.B * truth.D**-law.beta
        assert minimum.curvature == pytest.approx(bend, rel=1e-2)


def test_five_points_around_each_minimum_of_measured_runs():
    # Reference: N*, D* and L* of the same runs, worked out independently to the digits given.
    fit = fitting.fit_isoflop(*byte_model_runs(), window=5)
    expected = [
        (4.7e3, 113e3, 2.163),
        (9.7e3, 172e3, 2.007),
        (19e3, 273e3, 1.828),
        (36e3, 467e3, 1.659),
        (70e3, 753e3, 1.506),
        (128e3, 1.31e6, 1.389),
    ]
    for minimum, (N, D, loss) in zip(fit.minima, expected, strict=True):
        assert pytest.approx(N, rel=0.02) == minimum.N
        assert pytest.approx(D, rel=5e-3) == minimum.D
        assert minimum.loss == pytest.approx(loss, abs=6e-4)
    assert fit.exponent == pytest.approx(0.573, abs=5e-4)
    envelope = fitting.fit_power_law([m.C for m in fit.minima], [m.loss for m in fit.minima])
    assert envelope.exponent == pytest.approx(-0.079, abs=5e-4)
    assert envelope.r_squared == pytest.approx(0.9986, abs=5e-5)


def test_a_window_takes_the_points_around_the_minimum():
    # Outside the five sizes around the best the losses are made absurd.
    C, N, loss = isoflop_runs(BESIROGLU_2024, [1e19, 1e20, 1e21], points=11)
    clean = fitting.fit_isoflop(C, N, loss, window=5)
    spoiled = loss.copy()
    spoiled.reshape(3, 11)[:, [0, 1, 9, 10]] += 1
    assert fitting.fit_isoflop(C, N, spoiled, window=5).minima == clean.minima
    assert fitting.fit_isoflop(C, N, spoiled).minima != clean.minima


def test_three_approaches_disagree_on_the_same_measured_runs():
    C, N, loss = byte_model_runs()
    parametric = fitting.fit_parametric(N, C / (6 * N), loss)
    # Reference: parametric fit of the table (Huber); IsoFLOP says .573.
    assert parametric.r_squared == pytest.approx(
        1 - (parametric.residuals**2).sum() / ((np.log(loss) - np.log(loss).mean()) ** 2).sum()
    )
    assert 0.9 < parametric.r_squared < 1
    assert parametric.a == pytest.approx(0.606, abs=1e-3)
    assert pytest.approx(1.130, abs=5e-3) == parametric.law.E


def test_edge_minima_are_refused_by_name():
    C, N, loss = isoflop_runs(BESIROGLU_2024, [1e19, 1e20, 1e21])
    falling = (C == 1e20) & (BESIROGLU_2024.optimal(1e20).N < N)
    rising = (C == 1e19) & (BESIROGLU_2024.optimal(1e19).N > N)
    with pytest.warns(FitWarning, match=r"1e\+20 FLOPs.*largest model.*add larger") as record:
        fit = fitting.fit_isoflop(C[~falling], N[~falling], loss[~falling])
    assert len(record) == 1
    assert [minimum.C for minimum in fit.minima] == [1e19, 1e21]
    assert [budget for budget, _ in fit.refused] == [1e20]
    bad = falling | rising
    with (
        pytest.warns(FitWarning) as record,
        pytest.raises(ValueError, match=r"1 compute budget with a minimum.*\n.*1e\+19"),
    ):
        fitting.fit_isoflop(C[~bad], N[~bad], loss[~bad])
    assert [str(warning.message)[:18] for warning in record] == [
        "Budget C = 1e+19 F",
        "Budget C = 1e+20 F",
    ]
    assert "smallest model tried" in str(record[0].message)
    assert "add smaller models" in str(record[0].message)


def test_budgets_without_a_parabola_are_refused():
    C, N, loss = isoflop_runs(BESIROGLU_2024, [1e19, 1e20, 1e21, 1e22], points=5)
    two_sizes = (C != 1e19) | np.isin(np.arange(C.size), [0, 1])
    spoiled = loss.copy()
    spoiled[C == 1e20] = [2.5, 3.1, 2.4, 3.1, 2.5]
    with pytest.warns(FitWarning) as record:
        fit = fitting.fit_isoflop(C[two_sizes], N[two_sizes], spoiled[two_sizes])
    said = [str(warning.message) for warning in record]
    assert "2 model sizes, a parabola needs 3" in said[0]
    assert "do not curve upwards" in said[1]
    assert [minimum.C for minimum in fit.minima] == [1e21, 1e22]


def test_a_vertex_off_the_grid_is_refused():
    # At the first budget noise alone makes the fourth loss lower than the fifth.
    N = np.array([1e7, 2e7, 4e7, 8e7, 8.1e7, 1e7, 2e7, 4e7, 1e7, 2e7, 4e7])
    C = np.array([1e18] * 5 + [1e19] * 3 + [1e20] * 3)
    loss = np.array([3, 2.8, 2.62, 2.4599, 2.46, 3, 2.8, 3, 3, 2.7, 2.9])
    with pytest.warns(FitWarning, match=r"1e\+18 .* outside the model sizes tried"):
        fit = fitting.fit_isoflop(C, N, loss)
    assert [minimum.C for minimum in fit.minima] == [1e19, 1e20]


def test_repeated_sizes_and_nearly_equal_budgets():
    C, N, loss = isoflop_runs(BESIROGLU_2024, [1e19, 1e20, 1e21])
    plain = fitting.fit_isoflop(C, N, loss)
    # Two seeds, symmetric about the truth; budgets that differ as rounded batches make them.
    jitter = np.random.default_rng(0).uniform(0.99, 1.01, C.size)
    seeds = fitting.fit_isoflop(
        np.concatenate([C * jitter, C]), np.tile(N, 2), np.concatenate([loss + 0.01, loss - 0.01])
    )
    assert len(seeds.minima) == 3
    assert [m.N for m in seeds.minima] == pytest.approx([m.N for m in plain.minima])
    order = np.random.default_rng(1).permutation(C.size)
    shuffled = fitting.fit_isoflop(C[order], N[order], loss[order])
    assert shuffled.exponent == pytest.approx(plain.exponent, rel=1e-9)


def test_isoflop_refuses_bad_input():
    C, N, loss = isoflop_runs(BESIROGLU_2024, [1e19, 1e20])
    for arguments, options, message in (
        ((C[:15], N[:15], loss[:15]), {}, "1 compute budget with"),
        ((C, N, loss[:-1]), {}, r"loss \(29,\)"),
        ((C, N / 1e9, loss), {}, "not billions"),
        ((C, N, loss), {"window": 4}, "window = 4"),
        ((C, N, loss), {"window": 1}, "window = 1"),
    ):
        with pytest.raises(ValueError, match=message):
            fitting.fit_isoflop(*arguments, **options)
