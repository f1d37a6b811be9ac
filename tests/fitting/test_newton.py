"""The objective's derivatives, and what centring is for."""

import numpy as np
import pytest
from runs import as_theta, noisy_runs

from course_utils import fitting
from course_utils.fitting.newton import Problem
from course_utils.laws import (
    BESIROGLU_2024,
    ChinchillaLaw,
)


def test_gradient_and_hessian_match_finite_differences():
    N, D, loss = noisy_runs(noise=0.002)  # so that residuals lie on both sides of delta
    problem = Problem(N, D, loss, 1e-3)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, size=(3, N.size)).astype(float)
    centred = as_theta(BESIROGLU_2024)
    centred[:2] -= centred[3:] * [problem.mean_x, problem.mean_y]
    theta = centred + 1e-3 * rng.standard_normal((3, 5))

    def evaluate(shift):
        return problem.evaluate(theta + shift, weights, problem.workspace(3))

    value, gradient, hessian = evaluate(0)
    step = 1e-7
    for k in range(5):
        shift = step * np.eye(5)[k]
        up, down = evaluate(shift), evaluate(-shift)
        slope = (up[0] - down[0]) / (2 * step)
        curvature = (up[1] - down[1]) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], slope, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(hessian[:, k], curvature, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(hessian, hessian.transpose(0, 2, 1))
    for row in range(3):
        kept = np.repeat(np.arange(N.size), weights[row].astype(int))
        law = ChinchillaLaw(*problem.coefficients(theta)[row])
        assert value[row] == pytest.approx(
            fitting.objective(law, N[kept], D[kept], loss[kept]), rel=1e-9
        )


def test_centring_is_what_makes_the_hessian_well_conditioned(epoch, epoch_fit):
    # Reference: 1.1e4 with centred logs, 9.9e6 without.
    problem = Problem(*epoch, 1e-3)
    theta = as_theta(epoch_fit.law)
    theta[:2] -= theta[3:] * [problem.mean_x, problem.mean_y]
    _, _, hessian = problem.evaluate(theta[None], np.ones((1, problem.size)), problem.workspace(1))
    assert np.linalg.cond(hessian[0]) == pytest.approx(1.1e4, rel=0.05)
