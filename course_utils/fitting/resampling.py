"""How far a fit can be trusted: the same fit of runs drawn with replacement."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.fitting.newton import (
    DELTA,
    FEW_STAGES,
    MANY_STAGES,
    SAME,
    Problem,
    fit_all,
    narrowing,
    newton,
)
from course_utils.fitting.parametric import FEWEST_RUNS, Coefficients, checked_runs, law_and_notes
from course_utils.fitting.runs import FitWarning, same_length
from course_utils.laws import ChinchillaLaw

# Among ten runs drawn with replacement, six different ones are found five times in six.
FEWEST_RUNS_TO_RESAMPLE = 10


def _fit_draws(problem: Problem, start: NDArray, draws: NDArray) -> tuple[NDArray, NDArray]:
    """Fit resamples (rows of run numbers) from the fit of all runs: (coefficients, converged)."""
    counts = _tally(draws, problem.size).astype(float)
    theta, value, converged = newton(problem, np.tile(start, (len(draws), 1)), counts)
    others = [(other, MANY_STAGES) for other in problem.starts()]
    for retry, stages in [(start, FEW_STAGES), (start, MANY_STAGES), *others]:
        left = np.flatnonzero(~converged)
        if not left.size:
            break
        again = narrowing(problem, np.tile(retry, (left.size, 1)), counts[left], stages)
        # Where both reach the same objective, the one that converged is kept.
        better = again[1] < value[left] * np.where(again[2], 1 + SAME, 1)
        for kept, new in zip((theta, value, converged), again, strict=True):
            kept[left[better]] = new[better]
    return problem.coefficients(theta), converged


@dataclass(frozen=True)
class Bootstrap:
    """Fits of resampled runs: how much the coefficients owe to the runs that were made."""

    samples: NDArray = field(repr=False)
    """(resamples, 5): E, A, B, alpha, beta of each resample's fit."""
    converged: NDArray = field(repr=False)
    """(resamples,): whether that fit's gradient vanished."""

    def interval(self, level: float = 0.95) -> Coefficients:
        """Percentile interval (low, high) of each coefficient: ``.interval().alpha``.

        Raises ValueError unless ``level`` lies between 0 and 1.
        """
        return Coefficients(*(_percentiles(column, level) for column in self.samples.T))

    def standard_errors(self) -> Coefficients:
        """Standard deviation of each coefficient over the resamples."""
        return Coefficients(*self.samples.std(axis=0, ddof=1).tolist())

    @property
    def laws(self) -> ChinchillaLaw:
        """All the laws at once: one ChinchillaLaw whose coefficients are the columns."""
        try:
            return ChinchillaLaw(*self.samples.T)
        except ValueError as error:
            raise ValueError(
                f"Some resamples' best fit is no law ({error}) The runs leave that coefficient "
                "open: use .samples as they are, or make runs over a wider range."
            ) from error

    def values(self, quantity: Callable[[ChinchillaLaw], ArrayLike]) -> NDArray:
        """A quantity of the law, for each resample: (resamples,).

        ``quantity`` takes a law and returns a number: ``lambda law: law.exponents().a``,
        ``lambda law: law.loss(70e9, 1.4e12)`` or
        ``lambda law: law.optimal(1e24).tokens_per_param``. It is called once, with all laws
        in one (see :attr:`laws`).
        """
        return np.broadcast_to(quantity(self.laws), len(self.samples))

    def interval_of(
        self, quantity: Callable[[ChinchillaLaw], ArrayLike], level: float = 0.95
    ) -> tuple[float, float]:
        """Percentile interval (low, high) of a quantity of the law, see :meth:`values`."""
        return _percentiles(self.values(quantity), level)


def _percentiles(values: NDArray, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level = {level!r} is not valid: expected a share such as 0.95.")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _draw(pairs: NDArray, rows: int, rng: np.random.Generator) -> NDArray:
    """Numbers of the runs drawn, (rows, runs): as many as there are, with replacement.

    ``pairs`` numbers each run's pair of N and D. A draw of fewer different pairs than a fit
    needs is drawn again.
    """
    draws = rng.integers(pairs.size, size=(rows, pairs.size))
    poor = (_tally(pairs[draws], pairs.max() + 1) > 0).sum(axis=1) < FEWEST_RUNS
    if poor.any():
        draws[poor] = _draw(pairs, int(poor.sum()), rng)
    return draws


def _tally(draws: NDArray, kinds: int) -> NDArray:
    """How often each kind was drawn, by row: (rows, kinds)."""
    rows = len(draws)
    flat = draws + kinds * np.arange(rows)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * kinds).reshape(rows, kinds)


def bootstrap(
    N: ArrayLike,
    D: ArrayLike,
    loss: ArrayLike,
    resamples: int = 4000,
    seed: int = 0,
    executor: Executor | None = None,
    *,
    delta: float = DELTA,
) -> Bootstrap:
    """Refit the parametric law to runs drawn with replacement, thousands of times.

    ``N``, ``D`` and ``loss`` as for :func:`fit_parametric`. The runs drawn are those of
    ``np.random.default_rng(seed).integers(runs, size=(resamples, runs))``; a draw of fewer
    than six different runs is replaced. Resamples are solved side by side from the fit of all
    runs; one that does not converge is tried again from the other starts, and reported if it
    still does not. ``executor`` (any concurrent.futures.Executor) shares the resamples out; the
    result is the same without it.

    Raises ValueError as fit_parametric does, and for fewer than ten different runs.

    >>> truth = ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> N, D = (grid.ravel() for grid in np.meshgrid(np.logspace(8, 10, 5), np.logspace(9, 12, 5)))
    >>> noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(25))
    >>> boot = bootstrap(N, D, truth.loss(N, D) * noise, resamples=200)
    >>> boot.samples.shape
    (200, 5)
    >>> low, high = boot.interval(level=0.95).alpha
    >>> low < 0.34 < high
    True
    >>> low, high = boot.interval_of(lambda law: law.loss(70e9, 1.4e12))
    >>> low < truth.loss(70e9, 1.4e12) < high
    True
    """
    if int(resamples) != resamples or resamples < 2:
        raise ValueError(f"resamples = {resamples!r} is not valid: expected 2 or more.")
    if int(seed) != seed or seed < 0:
        raise ValueError(f"seed = {seed!r} is not valid: expected a whole number from 0 on.")
    N, D, losses = checked_runs(N, D, loss, FEWEST_RUNS_TO_RESAMPLE)
    problem = Problem(N, D, losses, delta)
    theta, _, converged = fit_all(problem)
    _, notes = law_and_notes(problem, theta, converged)
    for note in notes:
        warnings.warn(note, FitWarning, stacklevel=2)
    # So many at a time that NumPy's overhead does not show, and no more.
    rows = max(60_000 // problem.size, 1)
    rng = np.random.default_rng(int(seed))
    _, pairs = np.unique(np.stack([N, D]), axis=1, return_inverse=True)
    draws = (
        _draw(pairs, min(rows, int(resamples) - first), rng)
        for first in range(0, int(resamples), rows)
    )
    fit_draws = partial(_fit_draws, problem, theta)
    # Dask's executor maps over lists only.
    done = executor.map(fit_draws, list(draws)) if executor else map(fit_draws, draws)
    result = Bootstrap(*(np.concatenate(parts) for parts in zip(*done, strict=True)))
    if not result.converged.all():
        warnings.warn(
            f"{(~result.converged).sum()} of {resamples} resamples did not converge; they are "
            "in the samples, and .converged marks them.",
            FitWarning,
            stacklevel=2,
        )
    return result


def resample(
    fit: Callable[..., ArrayLike],
    *columns: ArrayLike,
    within: ArrayLike | None = None,
    resamples: int = 300,
    seed: int = 0,
) -> NDArray:
    """What a fit gives for runs drawn with replacement: a bootstrap of any fit.

    ``fit(*columns)`` takes columns with one entry per run and returns a number, or several:
    the result has shape (resamples,) or (resamples, numbers). ``within`` names each run's group,
    such as its compute budget: runs are then drawn inside their groups, which keep their
    sizes. A draw that the fit refuses (ValueError) is drawn again; FitWarnings stay silent. For
    the parametric law :func:`bootstrap` does the same a hundred times faster.

    Raises ValueError for fewer than two resamples, columns of unequal length, and when the fit
    refuses more draws than were asked for.

    >>> from course_utils.fitting import fit_isoflop
    >>> C = np.repeat([1e19, 1e20, 1e21], 9)
    >>> N = np.sqrt(C / 120) * np.tile(np.logspace(-1, 1, 9), 3)
    >>> loss = 2 + np.log(N / np.sqrt(C / 120)) ** 2 / 50
    >>> noisy = loss + 0.001 * np.random.default_rng(0).standard_normal(27)
    >>> exponents = resample(lambda *runs: fit_isoflop(*runs).exponent, C, N, noisy, within=C)
    >>> low, high = np.quantile(exponents, [0.025, 0.975])
    >>> bool(low < 0.5 < high), exponents.shape
    (True, (300,))
    """
    if int(resamples) != resamples or resamples < 2:
        raise ValueError(f"resamples = {resamples!r} is not valid: expected 2 or more.")
    arrays = same_length(**{f"column {i + 1}": np.asarray(c) for i, c in enumerate(columns)})
    groups = np.zeros(arrays[0].size) if within is None else within
    groups = same_length(runs=arrays[0], within=np.asarray(groups))[1]
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    rng = np.random.default_rng(seed)
    values: list[ArrayLike] = []
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        while len(values) < resamples:
            draw = np.concatenate([rng.choice(runs, runs.size) for runs in members])
            try:
                values.append(fit(*(array[draw] for array in arrays)))
            except ValueError as error:
                refused += 1
                if refused > resamples:
                    raise ValueError(
                        f"The fit refuses {refused} of {refused + len(values)} draws, the last "
                        f"because: {error}"
                    ) from error
    return np.array(values, dtype=float)


# ---------------------------------------------------------------------------------------------
