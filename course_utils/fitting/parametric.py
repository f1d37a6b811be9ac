"""Approach 3: the law L = E + A/N^α + B/D^β, fitted to all runs at once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import quantities
from course_utils.fitting.newton import DELTA, Problem, fit_all
from course_utils.fitting.runs import FitWarning, losses_of, same_length
from course_utils.laws import ChinchillaLaw

# Five coefficients need more than five runs, or the law goes through every one of them.
FEWEST_RUNS = 6
# Spread across the (ln N, ln D) cloud's long axis, as a share of the spread along it. Two
# budgets a factor of 2 apart, each with two decades of model sizes, have about .1.
SMALLEST_ASPECT = 0.01
# Under this share of every prediction a term of the law has left the fit.
SMALLEST_SHARE = 1e-6


class Coefficients(NamedTuple):
    """Something for each coefficient of the law: a standard error, or an interval."""

    E: object
    A: object
    B: object
    alpha: object
    beta: object


def _identifiable(N: NDArray, D: NDArray, fewest: int) -> None:
    """Refuse runs that cannot tell the five coefficients of the law apart."""
    distinct = len(np.unique(np.stack([N, D]), axis=1).T)
    if distinct < fewest:
        again = f" ({N.size} runs, some at the same N and D)" if distinct < N.size else ""
        raise ValueError(
            f"{distinct} different runs{again} are too few: E, A, B, alpha and beta are five "
            f"unknowns, so give at least {fewest} runs that differ in N or D."
        )
    # E + A/N^α + B/D^β is additive: two values of N give one difference of loss, and one
    # number cannot fix both A and alpha. Likewise for D.
    for name, column, coefficients in (("N", N, "A and alpha"), ("D", D, "B and beta")):
        values = np.unique(column).size
        if values < 3:
            raise ValueError(
                f"The runs have {values} different value{'s' * (values > 1)} of {name}: at "
                f"least 3 are needed to tell {coefficients} apart. Vary {name}."
            )
    cloud = np.stack([np.log(N), np.log(D)])
    cloud -= cloud.mean(axis=1, keepdims=True)
    long_axis, short_axis = np.linalg.svd(cloud, compute_uv=False)
    if short_axis < SMALLEST_ASPECT * long_axis:
        falling = cloud[0] @ cloud[1] < 0
        line = (
            "one compute budget (N·D is constant)"
            if falling
            else "one line (D grows as a power of N, as with a fixed number of tokens per parameter)"
        )
        raise ValueError(
            f"All runs lie on {line}: in ln N and ln D they have rank 1, so what N does to the "
            "loss cannot be told from what D does. Add runs off that line"
            + (" or, for one budget, look at its parabola alone." if falling else ".")
        )


def checked_runs(N: ArrayLike, D: ArrayLike, loss: ArrayLike, fewest: int) -> list[NDArray]:
    runs = same_length(N=quantities.params(N), D=quantities.tokens(D), loss=losses_of(loss))
    _identifiable(runs[0], runs[1], fewest)
    return runs


def _huber(residuals: NDArray, delta: float) -> NDArray:
    """r²/2 up to ``delta``, a straight line of slope ``delta`` beyond."""
    clipped = np.clip(residuals, -delta, delta)
    return clipped * (residuals - clipped / 2)


def objective(
    law: ChinchillaLaw, N: ArrayLike, D: ArrayLike, loss: ArrayLike, delta: float = DELTA
) -> float:
    """How badly a law misses the runs: the SUM of Huber's penalty over log residuals.

    ``N``, ``D`` and ``loss`` have one entry per run (parameters, tokens, nats per token). The
    sum is what Hoffmann et al. (2022), Eq. 3, minimise; its mean is so small that optimisers
    with default tolerances stop before they have begun.

    Raises ValueError for counts in billions, non-positive numbers or unequal lengths.

    >>> law = ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> objective(law, [1e8, 1e9], [1e10, 1e10], law.loss([1e8, 1e9], [1e10, 1e10]))
    0.0
    """
    N, D, losses = same_length(N=quantities.params(N), D=quantities.tokens(D), loss=losses_of(loss))
    residuals = np.log(losses) - np.log(law.loss(N, D))
    return float(_huber(residuals, quantities.positive(delta, "delta")).sum())


@dataclass(frozen=True)
class ParametricFit:
    """A law fitted to runs, and what is to be known about the fit."""

    law: ChinchillaLaw
    objective: float
    """Summed Huber penalty at the optimum, see :func:`objective`."""
    residuals: NDArray = field(repr=False)
    """Log of the observed loss minus log of the predicted one, a run each."""
    converged: bool
    """Whether the gradient vanished."""
    notes: tuple[str, ...] = ()
    """Coefficients that ran to a boundary, in words; empty for a sound fit."""
    r_squared: float = float("nan")
    """Share of the variance of ln loss that the fit explains."""

    @property
    def a(self) -> float:
        """Exponent of the compute-optimal model size, N* ∝ C^a."""
        return self.law.exponents().a


def _law(coefficients: NDArray) -> ChinchillaLaw:
    try:
        return ChinchillaLaw(*map(float, coefficients))
    except ValueError as error:
        values = ", ".join(
            f"{name} = {value:.3g}"
            for name, value in zip(Coefficients._fields, coefficients, strict=True)
        )
        raise ValueError(
            f"The best fit of these runs is no law ({values}): loss must fall as N and as D "
            "grow. Look for runs that diverged, or columns that were swapped."
        ) from error


def law_and_notes(
    problem: Problem, theta: NDArray, converged: bool
) -> tuple[ChinchillaLaw, tuple[str, ...]]:
    """The fitted law, and what a fit that ran to a boundary, or nowhere, has to tell.

    Raises ValueError where the runs determine no law.
    """
    share_A, share_B, share_E = problem.shares(theta)
    notes = []
    for name, greek, count, share, exponent, logs in (
        ("A", "alpha", "N", share_A, theta[3], problem.x),
        ("B", "beta", "D", share_B, theta[4], problem.y),
    ):
        if share.max() * abs(np.expm1(-exponent * np.ptp(logs))) < SMALLEST_SHARE:
            raise ValueError(
                f"The loss of these runs does not change with {count}, so {name} and {greek} "
                f"could be anything. Vary {count} over a wider range."
            )
        if np.median(share) < SMALLEST_SHARE:
            notes.append(
                f"{greek} = {exponent:.3g}: only the smallest {count} of these runs have a part "
                f"in {name}/{count}^{greek}; {name} and {greek} say nothing about larger ones."
            )
    if share_E.max() < SMALLEST_SHARE:
        notes.append(
            "E ran to zero: over this range the loss still falls like pure power laws, so the "
            "runs say nothing of a floor."
        )
    if not converged:
        notes.append(
            "The fit did not converge from any start: treat its coefficients as a guess. "
            "More runs, or a wider range of N and D, will help."
        )
    return _law(problem.coefficients(theta[None])[0]), tuple(notes)


def fit_parametric(
    N: ArrayLike, D: ArrayLike, loss: ArrayLike, delta: float = DELTA
) -> ParametricFit:
    """Fit L = E + A/N^α + B/D^β to all runs at once (Approach 3).

    ``N``, ``D`` and ``loss`` have one entry per run: parameters, tokens, nats per token. The
    fit minimises the summed Huber penalty of the log residuals (Hoffmann et al. 2022, Eq. 3;
    Besiroglu et al. 2024) from nine starts, by Newton's method with exact derivatives, with a
    wide delta first.

    Raises ValueError, before any fit, for fewer than six different runs, fewer than three
    values of N or of D, runs on one compute budget or one line, NaN, non-positive numbers,
    unequal lengths or counts in billions. Also for losses that fit no law, because they do not fall with N or with D.
    Warns (FitWarning) when a coefficient runs to a boundary (E → 0, A → ∞), when no start
    converges, and when the losses look like perplexities.

    >>> truth = ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> N, D = (grid.ravel() for grid in np.meshgrid([1e8, 1e9, 1e10], [1e10, 1e11, 1e12]))
    >>> fit = fit_parametric(N, D, truth.loss(N, D))
    >>> f"{fit.law.E:.3f} {fit.law.alpha:.3f} {fit.law.beta:.3f} {fit.a:.3f} {fit.converged}"
    '1.700 0.340 0.280 0.452 True'
    """
    N, D, losses = checked_runs(N, D, loss, FEWEST_RUNS)
    problem = Problem(N, D, losses, delta)
    theta, value, converged = fit_all(problem)
    law, notes = law_and_notes(problem, theta, converged)
    for note in notes:
        warnings.warn(note, FitWarning, stacklevel=2)
    residuals = np.log(losses) - np.log(law.loss(N, D))
    r_squared = 1 - float(residuals @ residuals) / max(np.log(losses).var() * losses.size, 1e-300)
    return ParametricFit(law, value, residuals, converged, notes, r_squared)
