"""A general-purpose optimiser with SciPy's default stops, to show where they stop too early."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Stop(NamedTuple):
    """Where :func:`bfgs` stopped, the value there, and why."""

    x: NDArray
    value: float
    why: str


def bfgs(
    F: Callable[[NDArray], float],
    start: ArrayLike,
    ftol: float = 2.2e-9,
    gtol: float = 1e-5,
    steps: int = 500,
) -> Stop:
    """Go downhill by BFGS from ``start``, and stop where SciPy's L-BFGS-B stops by default.

    ``F`` takes an array like ``start`` and returns a number. It stops when no component of the
    slope exceeds ``gtol``, or when a step gains at most ``ftol`` · max(F, 1): both are
    absolute where F is small, so F divided by a thousand stops elsewhere. That is what this
    function is there to show; ``fit_parametric`` does not use it. Slopes are differences.

    Source of the method: Nocedal & Wright (2006), algorithm 6.1.

    >>> stop = bfgs(lambda x: (x[0] - 3) ** 2 + 10 * (x[1] + 1) ** 2, [0.0, 0.0])
    >>> print(stop.x.round(3), stop.why)
    [ 3. -1.] slope
    >>> bfgs(lambda x: 1e-7 * ((x[0] - 3) ** 2 + 10 * (x[1] + 1) ** 2), [0.0, 0.0]).x.tolist()
    [0.0, 0.0]
    """
    x = np.array(start, dtype=float)
    identity = np.eye(x.size)

    def slope(at: NDArray, h: float = 1e-6) -> NDArray:
        return np.array([F(at + e) - F(at - e) for e in h * identity]) / (2 * h)

    inverse_hessian, value, g = identity, F(x), slope(x)
    for _ in range(steps):
        if np.abs(g).max() <= gtol:
            return Stop(x, float(value), "slope")
        step = -inverse_hessian @ g
        step /= max(1.0, np.abs(step).max())
        while not F(x + step) <= value + 1e-4 * (g @ step) and np.abs(step).max() > 1e-12:
            step /= 2
        x, before, g_before = x + step, value, g
        value, g = F(x), slope(x)
        if before - value <= ftol * max(before, value, 1.0):
            return Stop(x, float(value), "gain")
        bend = g - g_before
        if step @ bend > 0:
            left = identity - np.outer(step, bend) / (step @ bend)
            inverse_hessian = left @ inverse_hessian @ left.T
            inverse_hessian += np.outer(step, step) / (step @ bend)
    return Stop(x, float(value), "steps")
