"""Approach 2: a parabola for each compute budget, a power law through their minima."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import quantities
from course_utils.fitting.power_law import PowerLaw, fit_power_law
from course_utils.fitting.runs import FitWarning, budgets, losses_of, same_length
from course_utils.laws import TRAIN_FLOPS_PER_PARAM_TOKEN


class Minimum(NamedTuple):
    """The bottom of one budget's parabola."""

    C: float
    N: float
    loss: float
    curvature: float
    """Second derivative of the loss in ln N."""

    @property
    def D(self) -> float:
        """Tokens that spend the budget on this model, by C = 6·N·D."""
        return self.C / (TRAIN_FLOPS_PER_PARAM_TOKEN * self.N)


@dataclass(frozen=True)
class IsoflopFit:
    """Minima of the parabolas and N* = coefficient · C^exponent through them."""

    minima: tuple[Minimum, ...]
    law: PowerLaw
    refused: tuple[tuple[float, str], ...] = ()
    """Budgets that were left out, each with the reason."""

    @property
    def exponent(self) -> float:
        """a in N* ∝ C^a."""
        return self.law.exponent

    @property
    def coefficient(self) -> float:
        """N* at C = 1."""
        return self.law.coefficient

    def predict(self, C: ArrayLike) -> float | NDArray:
        """Compute-optimal N at a budget of ``C`` FLOPs; scalars or arrays."""
        return self.law.predict(quantities.flops(C))


def _parabola(C: float, N: NDArray, loss: NDArray, window: int | None) -> Minimum | str:
    """The minimum of one budget, or why there is none."""
    sizes, which = np.unique(N, return_inverse=True)
    if sizes.size < 3:
        return f"it has {sizes.size} model size{'s' * (sizes.size > 1)}, a parabola needs 3"
    # Runs that repeat a size (seeds) count once when it comes to which size is best.
    mean_loss = np.bincount(which, weights=loss) / np.bincount(which)
    best = int(mean_loss.argmin())
    for edge, name, remedy in ((0, "smallest", "smaller"), (sizes.size - 1, "largest", "larger")):
        if best == edge:
            return (
                f"its lowest loss is at the {name} model tried "
                f"(N = {quantities.human(sizes[edge])}), so the minimum lies off the grid; "
                f"add {remedy} models"
            )
    if window is not None:
        first = int(np.clip(best - window // 2, 0, max(sizes.size - window, 0)))
        inside = (which >= first) & (which < first + window)
        N, loss = N[inside], loss[inside]
    x = np.log(N) - np.log(sizes[best])
    bottom, slope, half_curvature = np.polynomial.polynomial.polyfit(x, loss, 2)
    if half_curvature <= 0:
        return "its losses do not curve upwards"
    vertex = -slope / (2 * half_curvature)
    if not x.min() < vertex < x.max():
        return "the bottom of its parabola lies outside the model sizes tried"
    return Minimum(
        C=C,
        N=float(sizes[best] * np.exp(vertex)),
        loss=float(bottom - half_curvature * vertex**2),
        curvature=float(2 * half_curvature),
    )


def fit_isoflop(
    C: ArrayLike,
    N: ArrayLike,
    loss: ArrayLike,
    window: int | None = None,
    tolerance: float = 0.05,
) -> IsoflopFit:
    """Fit a parabola in ln N per compute budget, and N* ∝ C^a through the minima (Approach 2).

    ``C``, ``N`` and ``loss`` have one entry per run: FLOPs, parameters, nats per token.
    ``window`` takes only that many model sizes around the lowest loss (an odd number, such as
    5) instead of all. Runs whose C lies within ``tolerance`` count as one budget. The exponent
    of a noise-free law is recovered exactly; the coefficient is not, unless α = β (a parabola
    is symmetric and the loss is not).

    Budgets without a minimum inside their model sizes are left out, with a FitWarning that
    names them. Raises ValueError when fewer than two budgets are left, for a window that is
    not odd or smaller than 3, and for bad numbers, as fit_parametric does.

    Source: Hoffmann et al. (2022), section 3.2.

    >>> from course_utils.laws import ChinchillaLaw
    >>> law = ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> C, size = (grid.ravel() for grid in np.meshgrid([1e19, 1e20, 1e21], np.logspace(-1, 1, 9)))
    >>> N = size * law.optimal(C).N
    >>> fit = fit_isoflop(C, N, law.loss(N, C / (6 * N)))
    >>> len(fit.minima), round(fit.exponent, 4), round(law.exponents().a, 4)
    (3, 0.4516, 0.4516)
    """
    if window is not None and (window < 3 or window % 2 == 0):
        raise ValueError(f"window = {window!r} is not valid: expected an odd number from 3 on.")
    C, N, losses = same_length(C=quantities.flops(C), N=quantities.params(N), loss=losses_of(loss))
    minima, refused = [], []
    for budget, runs in budgets(C, tolerance):
        found = _parabola(budget, N[runs], losses[runs], window)
        if isinstance(found, Minimum):
            minima.append(found)
        else:
            refused.append((budget, found))
            warnings.warn(
                f"Budget C = {budget:.3g} FLOPs is left out: {found}.", FitWarning, stacklevel=2
            )
    if len(minima) < 2:
        reasons = "".join(f"\n- C = {budget:.3g}: {why}" for budget, why in refused)
        raise ValueError(
            f"{len(minima)} compute budget{'s' * (len(minima) != 1)} with a minimum inside the "
            f"model sizes tried: at least 2 are needed for an exponent.{reasons}"
        )
    law = fit_power_law([m.C for m in minima], [m.N for m in minima])
    return IsoflopFit(tuple(minima), law, tuple(refused))
