"""Power laws of one variable, with a floor or without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import quantities
from course_utils.fitting.runs import same_length

# A floor under this share of the lowest point is none.
SMALLEST_SHARE = 1e-6


@dataclass(frozen=True)
class PowerLaw:
    """y = coefficient · x^exponent + floor."""

    coefficient: float
    exponent: float
    floor: float = 0.0
    r_squared: float = float("nan")
    """Share of the variance of ln y that the fit explains."""

    def predict(self, x: ArrayLike) -> float | NDArray:
        """y at ``x``; scalars or arrays. Raises ValueError unless x is positive."""
        x = quantities.positive(x, "x")
        return quantities.plain(self.floor + self.coefficient * x**self.exponent)


def fit_power_law(x: ArrayLike, y: ArrayLike, floor: bool = False) -> PowerLaw:
    """Fit y = coefficient · x^exponent, or with a floor ≥ 0 that is fitted too.

    ``x`` and ``y`` have one entry per point and are positive. Without a floor this is a
    straight line of ln y on ln x. With one, squared relative errors are least: for a given
    exponent that is linear in the other two, so only the exponent is searched for.

    Raises ValueError for fewer different x than unknowns, unequal lengths, or non-positive
    numbers.

    >>> law = fit_power_law([1e18, 1e20, 1e22], [4e8, 4e9, 4e10])
    >>> round(law.exponent, 6), round(law.coefficient, 6), round(law.r_squared, 6)
    (0.5, 0.4, 1.0)
    """
    x, y = same_length(x=quantities.positive(x, "x"), y=quantities.positive(y, "y"))
    fewest = 3 if floor else 2
    if np.unique(x).size < fewest:
        raise ValueError(
            f"A power law {'with' if floor else 'without'} a floor needs at least {fewest} "
            f"different x, and there are {np.unique(x).size}."
        )
    log_x, log_y = np.log(x), np.log(y)
    middle = log_x.mean()
    centred = log_x - middle
    slope = float(centred @ log_y / (centred @ centred))
    level, size = 0.0, float(np.exp(log_y.mean()))
    if floor:
        level, size, slope = _with_floor(centred, y, slope, size)
    with np.errstate(divide="ignore"):
        missed = log_y - np.log(level + size * np.exp(slope * centred))
    spread = log_y - log_y.mean()
    r_squared = 1 - float(missed @ missed) / float(spread @ spread) if spread.any() else 1.0
    return PowerLaw(size * float(np.exp(-slope * middle)), slope, level, r_squared)


def _with_floor(
    log_x: NDArray, y: NDArray, slope: float, size: float
) -> tuple[float, float, float]:
    """(floor, size, exponent) of least relative error; the given line where no floor helps."""

    def profile(exponents: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        # Columns 1/y and x^s/y, target 1: the normal equations, for all exponents at once.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            one, power = 1 / y, np.exp(np.outer(exponents, log_x)) / y
            oo, op, pp = one @ one, power @ one, (power * power).sum(axis=1)
            o, p = one.sum(), power.sum(axis=1)
            determinant = oo * pp - op**2
            floors = (pp * o - op * p) / determinant
            sizes = (oo * p - op * o) / determinant
            errors = ((1 - floors[:, None] * one - sizes[:, None] * power) ** 2).sum(axis=1)
            allowed = (floors >= 0) & (sizes > 0) & np.isfinite(errors)
        return floors, sizes, np.where(allowed, errors, np.inf)

    # A floor bends the line, so the power above it is steeper than the line is.
    steeper = np.linspace(0, np.log(100), 400)
    for _ in range(6):
        exponents = slope * np.exp(steeper)
        floors, sizes, errors = profile(exponents)
        if not np.isfinite(errors).any():
            return 0.0, size, slope
        best = int(errors.argmin())
        floor, scale, exponent = floors[best], sizes[best], exponents[best]
        around = np.clip([best - 1, best + 1], 0, steeper.size - 1)
        steeper = np.linspace(*steeper[around], 400)
    if floor < SMALLEST_SHARE * y.min():
        return 0.0, size, slope
    return float(floor), float(scale), float(exponent)
