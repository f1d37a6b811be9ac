"""The objective of the parametric fit with exact derivatives, and its minimiser.

A damped Newton method solves thousands of fits side by side, which is what the bootstrap needs.
"""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from course_utils import facts, quantities

DELTA = facts.value("hoffmann_2022.study.huber_delta")
"""Residual of log loss at which Huber's penalty turns from squared to linear
(Hoffmann et al. 2022, section 3.3)."""

NEWTON_STEPS = 60
FEW_STAGES, MANY_STAGES = 5, 17
# Objectives closer than this, relatively, are the same minimum.
SAME = 1e-9


class Problem:
    """Sum of weighted Huber penalties, with gradient and Hessian, for many fits at once.

    A row of ``theta`` is (a, b, e, α, β) with ln A = a + α·mean(ln N), ln B likewise, and
    ln E = e. So the prediction is LSE(a − α·x, b − β·y, e), where x and y are the CENTRED
    logs of N and D. On the 240 points of Hoffmann et al. centring takes the condition number
    of the Hessian from 1e7 to 1e4, and that is what makes Newton's method work.
    """

    def __init__(self, N: NDArray, D: NDArray, loss: NDArray, delta: float) -> None:
        self.delta = float(quantities.positive(delta, "delta"))
        self.z = np.log(loss)
        x, y = np.log(N), np.log(D)
        self.mean_x, self.mean_y = x.mean(), y.mean()
        self.x, self.y = x - self.mean_x, y - self.mean_y
        # What d(term)/dθ multiplies: (1, −x) for A's term, (1, −y) for B's. The Hessian needs
        # their products too.
        one = np.ones_like(self.x)
        self.by_x = np.stack([one, -self.x, self.x**2], axis=1)
        self.by_y = np.stack([one, -self.y, self.y**2], axis=1)
        self.by_xy = np.stack([one, -self.x, -self.y, self.x * self.y], axis=1)

    @property
    def size(self) -> int:
        return self.z.size

    @property
    def tolerance(self) -> float:
        """Gradient at which a fit counts as converged: 1e-10 of the most a gradient can be."""
        return 1e-10 * self.size * min(self.delta, DELTA)

    def workspace(self, rows: int) -> NDArray:
        """Arrays that ``evaluate`` overwrites: asking the system for memory costs more than
        the arithmetic."""
        return np.empty((7, rows, self.size))

    def evaluate(
        self, theta: NDArray, weights: NDArray, work: NDArray
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Objective (rows,), gradient (rows, 5), Hessian (rows, 5, 5) at ``theta`` (rows, 5).

        ``weights`` is (rows, runs) or (1, runs): how often each run counts.
        """
        p1, p2, r, psi, q, v, tmp = work[:, : len(theta)]
        # Shares of the three terms in the prediction (the third is 1 − p1 − p2), residuals r.
        np.exp(np.matmul(theta[:, [0, 3]], self.by_x[:, :2].T, out=p1), out=p1)
        np.exp(np.matmul(theta[:, [1, 4]], self.by_y[:, :2].T, out=p2), out=p2)
        np.add(p1, p2, out=tmp)
        tmp += np.exp(theta[:, 2:3])
        p1 /= tmp
        p2 /= tmp
        np.subtract(self.z, np.log(tmp, out=tmp), out=r)
        # q is the weighted slope of Huber's penalty; v adds its weighted curvature (1 where
        # |r| ≤ δ, 0 beyond), since  Hessian = Σ v·g·gᵀ − Σ q·Mᵀ·diag(p)·M,  g = Mᵀ·p.
        np.clip(r, -self.delta, self.delta, out=psi)
        np.multiply(weights, psi, out=q)
        np.equal(psi, r, out=v)
        v *= weights
        v += q
        psi *= -0.5
        r += psi
        value = np.einsum("ij,ij->i", q, r)

        sum_q, sum_v = q.sum(axis=1), v.sum(axis=1)
        q1 = np.multiply(q, p1, out=psi) @ self.by_x
        q2 = np.multiply(q, p2, out=psi) @ self.by_y
        v1 = np.multiply(v, p1, out=psi) @ self.by_x
        v12 = np.multiply(psi, p2, out=r) @ self.by_xy
        v11 = np.multiply(psi, p1, out=r) @ self.by_x
        v2 = np.multiply(v, p2, out=psi) @ self.by_y
        v22 = np.multiply(psi, p2, out=r) @ self.by_y
        # The third share is what the first two leave.
        q3 = sum_q - q1[:, 0] - q2[:, 0]
        v13 = v1[:, :2] - v11[:, :2] - v12[:, [0, 1]]
        v23 = v2[:, :2] - v22[:, :2] - v12[:, [0, 2]]
        v33 = sum_v - v1[:, 0] - v2[:, 0] - v13[:, 0] - v23[:, 0]

        gradient = -np.stack([q1[:, 0], q2[:, 0], q3, q1[:, 1], q2[:, 1]], axis=1)
        h1, h2, h3 = v11 - q1, v22 - q2, v33 - q3
        a, b, e, alpha, beta = range(5)
        hessian = np.empty((len(theta), 5, 5))
        for i, j, entry in (
            (a, a, h1[:, 0]),
            (a, alpha, h1[:, 1]),
            (alpha, alpha, h1[:, 2]),
            (b, b, h2[:, 0]),
            (b, beta, h2[:, 1]),
            (beta, beta, h2[:, 2]),
            (a, b, v12[:, 0]),
            (b, alpha, v12[:, 1]),
            (a, beta, v12[:, 2]),
            (alpha, beta, v12[:, 3]),
            (a, e, v13[:, 0]),
            (e, alpha, v13[:, 1]),
            (b, e, v23[:, 0]),
            (e, beta, v23[:, 1]),
            (e, e, h3),
        ):
            hessian[:, i, j] = hessian[:, j, i] = entry
        return value, gradient, hessian

    def starts(self) -> NDArray:
        """Starting points (9, 5): for fixed exponents the law is linear in E, A and B."""
        rows = []
        for alpha in (0.15, 0.35, 0.7):
            for beta in (0.15, 0.35, 0.7):
                terms = np.exp(np.stack([-alpha * self.x, -beta * self.y, 0 * self.x], axis=1))
                relative = terms / np.exp(self.z)[:, None]
                sizes = np.linalg.lstsq(relative, np.ones(self.size), rcond=None)[0]
                sizes = np.maximum(sizes, 0.01 * np.exp(self.z.min()))
                rows.append([*np.log(sizes), alpha, beta])
        return np.array(rows)

    def shares(self, theta: NDArray) -> NDArray:
        """Shares (3, runs) of the terms of A, of B and of E in the prediction."""
        a, b, e, alpha, beta = theta
        logs = np.stack([a - alpha * self.x, b - beta * self.y, e + 0 * self.x])
        terms = np.exp(logs - logs.max(axis=0))
        return terms / terms.sum(axis=0)

    def coefficients(self, theta: NDArray) -> NDArray:
        """Rows of E, A, B, α, β, with the centring undone."""
        a, b, e, alpha, beta = theta.T
        with np.errstate(over="ignore"):
            A, B = np.exp(a + alpha * self.mean_x), np.exp(b + beta * self.mean_y)
        return np.stack([np.exp(e), A, B, alpha, beta], axis=1)


def newton(problem: Problem, theta: NDArray, weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Minimise from every row of ``theta``: (where it ended, objective there, converged).

    Damped Newton (Levenberg–Marquardt damping of the true Hessian), row by row; rows that have
    converged leave, so a few slow ones cost little. Beyond δ Huber's penalty has no curvature:
    a step that does not lower the objective is taken back and damped ten times more.
    """
    end, value_end = theta.copy(), np.empty(len(theta))
    converged = np.zeros(len(theta), dtype=bool)
    rows = np.arange(len(theta))
    weights = np.broadcast_to(weights, (len(theta), problem.size))
    work = problem.workspace(len(theta))
    damping = np.full(len(theta), 1e-2)
    diagonal = np.arange(5)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value, gradient, hessian = problem.evaluate(theta, weights, work)
        for iteration in range(NEWTON_STEPS + 1):
            done = np.abs(gradient).max(axis=1) <= problem.tolerance
            end[rows], value_end[rows], converged[rows] = theta, value, done
            if done.all() or iteration == NEWTON_STEPS:
                break
            if done.any():
                theta, weights, rows = theta[~done], weights[~done], rows[~done]
                value, gradient, hessian = value[~done], gradient[~done], hessian[~done]
                damping = damping[~done]
            damped = hessian.copy()
            scale = np.maximum(np.abs(damped[:, diagonal, diagonal]), 1e-12)
            damped[:, diagonal, diagonal] += damping[:, None] * scale
            step = np.linalg.solve(damped, -gradient[:, :, None])[:, :, 0]
            # A step of 2 multiplies a coefficient by 7: further than that no model is trusted.
            step *= np.minimum(1, 2 / np.abs(step).max(axis=1, keepdims=True))
            trial = problem.evaluate(theta + step, weights, work)
            downhill = np.einsum("ij,ij->i", step, gradient) < 0
            # The last steps change the objective by less than it is rounded.
            better = downhill & (trial[0] <= value * (1 + 1e-12))
            damping = np.where(better, np.maximum(damping / 10, 1e-12), damping * 10)
            theta = np.where(better[:, None], theta + step, theta)
            value = np.where(better, trial[0], value)
            gradient = np.where(better[:, None], trial[1], gradient)
            hessian = np.where(better[:, None, None], trial[2], hessian)
    return end, value_end, converged


def narrowing(
    problem: Problem, theta: NDArray, weights: NDArray, stages: int
) -> tuple[NDArray, NDArray, NDArray]:
    """As ``newton``, but it comes down to δ from a hundred times that.

    Where nearly all residuals are beyond δ the objective has a kink at almost every run, and
    Newton's method gets caught; with a wide δ it is close to least squares, and easy. The
    more stages, the better each prepares the next.
    """
    for factor in np.geomspace(100, 1, stages):
        wider = copy.copy(problem)
        wider.delta = float(factor) * problem.delta
        theta, value, converged = newton(wider, theta, weights)
    return theta, value, converged


def fit_all(problem: Problem) -> tuple[NDArray, float, bool]:
    """The lowest minimum reached from all starts: (theta, objective, converged)."""
    for stages in (FEW_STAGES, MANY_STAGES):
        theta, value, converged = narrowing(
            problem, problem.starts(), np.ones((1, problem.size)), stages
        )
        # Starts that end in the same minimum differ by rounding; prefer one that has converged.
        lowest = value <= value.min() * (1 + SAME)
        best = np.flatnonzero(lowest)[np.argmax(converged[lowest])]
        if converged[best]:
            break
    return theta[best], float(value[best]), bool(converged[best])
