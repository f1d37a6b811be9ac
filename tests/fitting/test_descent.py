"""An optimiser that stops where SciPy's does."""

import numpy as np
import pytest
from runs import grid

from course_utils import fitting
from course_utils.fitting.parametric import _huber
from course_utils.laws import (
    BESIROGLU_2024,
)

optimize = pytest.importorskip("scipy.optimize", reason="SciPy is the oracle of these tests")


def test_bfgs_finds_what_scipy_finds():
    start = [-1.2, 1.0, 0.5]
    ours = fitting.bfgs(optimize.rosen, start, ftol=0)
    assert ours.why == "slope"
    np.testing.assert_allclose(ours.x, optimize.minimize(optimize.rosen, start).x, atol=1e-4)
    assert ours.value == optimize.rosen(ours.x)
    assert fitting.bfgs(optimize.rosen, start, steps=3).why == "steps"
    assert fitting.bfgs(optimize.rosen, start, ftol=0.1).why == "gain"


def test_bfgs_does_not_step_where_there_is_no_value():
    with np.errstate(invalid="ignore"):
        stop = fitting.bfgs(lambda x: x[0] - np.log(x[0]), [0.01])
    assert stop.x == pytest.approx([1], abs=1e-3)


def test_an_average_stops_early_where_a_sum_does_not():
    """The error behind Hoffmann et al.'s printed fit; where it stops is nobody's business."""
    N, D = grid()
    rng = np.random.default_rng(0)
    loss = BESIROGLU_2024.loss(N, D) * np.exp(0.01 * rng.standard_normal(N.size))
    fit = fitting.fit_parametric(N, D, loss)

    def penalties(t):
        a, b, e, alpha, beta = t
        terms = np.logaddexp(a - alpha * np.log(N), b - beta * np.log(D))
        return _huber(np.log(loss) - np.logaddexp(terms, e), fitting.DELTA)

    start = [5, 5, 0.5, 0.3, 0.3]
    total = fitting.bfgs(lambda t: penalties(t).sum(), start, ftol=1e-13, gtol=1e-9)
    assert total.value == pytest.approx(fit.objective, rel=1e-2)
    mean = fitting.bfgs(lambda t: penalties(t).mean(), start)
    assert penalties(mean.x).sum() > 1.05 * fit.objective
