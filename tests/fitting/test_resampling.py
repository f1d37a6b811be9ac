"""The bootstrap of the parametric law, and of any other fit.

Values named "reference" were computed independently of this project, in float64, from the runs
that Epoch AI read off Hoffmann et al. (2022), Figure 4.
"""

import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from runs import as_theta, byte_model_runs, noisy_runs

from course_utils import fitting
from course_utils.fitting import FitWarning, newton
from course_utils.fitting.parametric import FEWEST_RUNS
from course_utils.fitting.resampling import _draw
from course_utils.laws import (
    HOFFMANN_2022,
    ChinchillaLaw,
)


def test_bootstrap_of_the_published_runs_agrees_with_the_reference(epoch_bootstrap):
    # Reference: one seed of many. The standard error of B has a long tail, and moves by 15 %
    # from seed to seed; the others by less than 5 %.
    assert epoch_bootstrap.samples.shape == (4000, 5)
    assert epoch_bootstrap.converged.all()
    errors = epoch_bootstrap.standard_errors()
    for name, reference in (
        ("A", 124.49),
        ("B", 1293.2),
        ("E", 0.02566),
        ("alpha", 0.01540),
        ("beta", 0.02059),
    ):
        assert getattr(errors, name) == pytest.approx(reference, rel=0.1), name
    interval = epoch_bootstrap.interval(level=0.95)
    for name, reference in (
        ("E", (1.7694, 1.8712)),
        ("alpha", (0.3168, 0.3733)),
        ("beta", (0.3313, 0.4154)),
    ):
        found = getattr(interval, name)
        width = reference[1] - reference[0]
        assert found == pytest.approx(reference, abs=0.1 * width), name
    a = epoch_bootstrap.values(lambda law: law.exponents().a)
    assert a.std() == pytest.approx(0.01997, rel=0.1)


def test_hoffmanns_E_lies_outside_the_interval(epoch_bootstrap):
    low, _ = epoch_bootstrap.interval().E
    assert low > HOFFMANN_2022.E


def test_intervals_of_what_a_law_says():
    runs = noisy_runs()
    boot = fitting.bootstrap(*runs, resamples=300)
    _, A, _, alpha, beta = boot.samples.T
    low, high = boot.interval_of(lambda law: law.exponents().a, level=0.8)
    assert (low, high) == pytest.approx(tuple(np.quantile(beta / (alpha + beta), [0.1, 0.9])))
    assert pytest.approx(tuple(np.quantile(A, [0.1, 0.9]))) == boot.interval(level=0.8).A
    for quantity in (
        lambda law: law.loss(70e9, 1.4e12),
        lambda law: law.optimal(1e21).tokens_per_param,
    ):
        low, high = boot.interval_of(quantity)
        assert low < quantity(fitting.fit_parametric(*runs).law) < high
    wide, narrow = boot.interval_of(lambda law: law.E), boot.interval_of(lambda law: law.E, 0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    np.testing.assert_array_equal(boot.values(lambda law: 2.0), np.full(300, 2.0))


def test_each_resample_is_the_fit_of_the_runs_that_were_drawn():
    N, D, loss = noisy_runs()
    boot = fitting.bootstrap(N, D, loss, resamples=6, seed=3)
    draws = np.random.default_rng(3).integers(N.size, size=(6, N.size))
    for sample, drawn in zip(boot.samples, draws, strict=True):
        fit = fitting.fit_parametric(N[drawn], D[drawn], loss[drawn])
        law = ChinchillaLaw(*sample)
        objective = fitting.objective(law, N[drawn], D[drawn], loss[drawn])
        assert objective == pytest.approx(fit.objective, rel=1e-8)
        np.testing.assert_allclose(as_theta(law), as_theta(fit.law), rtol=1e-4)


def test_a_draw_of_too_few_different_runs_is_drawn_again():
    pairs = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])  # the first two differ by seed only
    draws = _draw(pairs, 1000, np.random.default_rng(0))
    assert draws.shape == (1000, 11)
    assert min(len(set(pairs[row])) for row in draws) == FEWEST_RUNS
    first = np.random.default_rng(0).integers(11, size=(1000, 11))
    redrawn = (draws != first).any(axis=1)
    poor = [len(set(pairs[row])) < FEWEST_RUNS for row in first]
    assert 0 < sum(poor) < 300
    np.testing.assert_array_equal(redrawn, poor)


def test_seeds_and_executors():
    # 120 runs make two batches or more, so that there is something to share out.
    runs = noisy_runs(sizes=12, tokens=10)
    alone = fitting.bootstrap(*runs, resamples=700, seed=1)
    np.testing.assert_array_equal(
        fitting.bootstrap(*runs, resamples=700, seed=1).samples, alone.samples
    )
    assert not np.array_equal(
        fitting.bootstrap(*runs, resamples=700, seed=2).samples, alone.samples
    )
    spawn = get_context("spawn")  # forking a process that has threads is not safe
    for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=spawn)):
        with executor:
            shared = fitting.bootstrap(*runs, resamples=700, seed=1, executor=executor)
        np.testing.assert_array_equal(shared.samples, alone.samples)
        np.testing.assert_array_equal(shared.converged, alone.converged)


def test_resamples_that_do_not_converge_are_reported(monkeypatch):
    runs = noisy_runs()
    monkeypatch.setattr(newton, "NEWTON_STEPS", 1)
    with pytest.warns(FitWarning) as record:
        boot = fitting.bootstrap(*runs, resamples=20)
    assert not boot.converged.all()
    said = str(record[-1].message)
    assert said.startswith(f"{(~boot.converged).sum()} of 20 resamples did not converge")
    with pytest.warns(FitWarning, match="did not converge from any start"):
        fit = fitting.fit_parametric(*runs)
    assert not fit.converged
    assert any("did not converge" in note for note in fit.notes)


def test_bad_options_are_refused():
    runs = noisy_runs()
    for options, message in (
        ({"resamples": 1}, "resamples = 1"),
        ({"resamples": 10.5}, r"resamples = 10\.5"),
        ({"seed": -1}, "seed = -1"),
        ({"delta": 0}, "delta = 0"),
    ):
        with pytest.raises(ValueError, match=message):
            fitting.bootstrap(*runs, **options)
    few = [column[:9] for column in runs]
    few[1] = few[1] * np.array([1, 2, 4, 8, 3, 1, 9, 27, 5])
    with pytest.raises(ValueError, match="9 different runs are too few"):
        fitting.bootstrap(*few)
    boot = fitting.bootstrap(*runs, resamples=10)
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match=f"level = {level}"):
            boot.interval(level)


def test_resamples_that_fit_no_law_are_kept_as_numbers_only():
    samples = np.array([[1.7, 400, 400, 0.3, 0.3], [1.7, 400, 400, -0.3, 0.3]])
    boot = fitting.Bootstrap(samples, np.array([True, True]))
    assert boot.interval(0.5).E == (1.7, 1.7)
    with pytest.raises(ValueError, match="resamples' best fit is no law"):
        boot.values(lambda law: law.E)


def test_resampling_finds_the_spread_that_noise_makes():
    rng = np.random.default_rng(0)
    values = rng.standard_normal(400)
    means = fitting.resample(np.mean, values, resamples=2000)
    assert means.std() == pytest.approx(values.std() / 20, rel=0.05)

    # Exact parabolas and noise: against the spread of 300 such experiments.
    C = np.repeat(np.logspace(17, 21, 5), 25)
    x = np.tile(np.linspace(-2, 2, 25), 5)
    N = np.sqrt(C / 120) * np.exp(x)

    def experiment():
        return C, N, 2 + 0.02 * x**2 + 0.002 * rng.standard_normal(C.size)

    def exponent(*runs):
        return fitting.fit_isoflop(*runs).exponent

    anew = np.std([exponent(*experiment()) for _ in range(300)])
    drawn = fitting.resample(exponent, *experiment(), within=C)
    assert drawn.std() == pytest.approx(anew, rel=0.3)


def test_resampling_keeps_runs_together_and_groups_whole():
    runs = np.arange(12)
    groups = runs % 3

    def look(run, group):
        assert (run % 3 == group).all()  # a run's columns are drawn together
        assert np.bincount(group.astype(int)).tolist() == [4, 4, 4]
        return run.mean(), run.max()

    drawn = fitting.resample(look, runs, groups, within=groups, resamples=50, seed=3)
    assert drawn.shape == (50, 2)
    assert np.unique(drawn[:, 0]).size > 10
    again = fitting.resample(look, runs, groups, within=groups, resamples=50, seed=3)
    np.testing.assert_array_equal(drawn, again)
    other = fitting.resample(look, runs, groups, within=groups, resamples=50, seed=4)
    assert (drawn != other).any()


def test_resampling_replaces_refused_draws_and_gives_up_in_words():
    def picky(run):
        if run[0] == 0:
            raise ValueError("the first run is missing")
        return run[0]

    assert (fitting.resample(picky, np.arange(4), resamples=40) > 0).all()
    with pytest.raises(ValueError, match=r"refuses 11 of 11 draws.* the first run is missing"):
        fitting.resample(picky, np.zeros(4), resamples=10)
    with pytest.raises(ValueError, match="resamples = 1 "):
        fitting.resample(picky, np.arange(4), resamples=1)
    with pytest.raises(ValueError, match=r"column 2 \(3,\)"):
        fitting.resample(picky, np.arange(4), np.arange(3))
    with pytest.raises(ValueError, match=r"within \(3,\)"):
        fitting.resample(picky, np.arange(4), within=np.arange(3))


def test_resampling_silences_what_a_fit_says_of_single_draws():
    C, N, loss = byte_model_runs()
    keep = ~((C == 3.16e9) & (N > 289 * 16))  # the lowest budget ends at its minimum
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = fitting.resample(
            lambda *runs: fitting.fit_isoflop(*runs).exponent,
            *(C[keep], N[keep], loss[keep]),
            within=C[keep],
            resamples=20,
        )
    assert (abs(drawn - 0.57) < 0.2).all()
