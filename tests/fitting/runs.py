"""Runs to fit, and the objective as a reader would write it down for SciPy."""

import math

import numpy as np
from hypothesis import strategies as st

from course_utils.laws import (
    BESIROGLU_2024,
    ChinchillaLaw,
)

REFERENCE_OBJECTIVE = 1.01827401780060e-3
"""Least summed Huber penalty on the published runs, computed independently, in float64."""


def grid(sizes=6, tokens=6):
    """Runs on a grid of N and D, three decades each."""
    N, D = np.meshgrid(np.logspace(7, 10, sizes), np.logspace(9, 12, tokens))
    return N.ravel(), D.ravel()


def noisy_runs(noise=0.02, law=BESIROGLU_2024, seed=0, **shape):
    N, D = grid(**shape)
    scatter = np.exp(noise * np.random.default_rng(seed).standard_normal(N.size))
    return N, D, law.loss(N, D) * scatter


# The law that a reader would write down for SciPy: no centring, nothing shared with the course.
def predicted_log(theta, N, D):
    a, b, e, alpha, beta = theta
    terms = [a - alpha * np.log(N), b - beta * np.log(D), np.full(N.shape, e)]
    return np.logaddexp.reduce(terms, axis=0)


def huber_sum(theta, N, D, loss, delta=1e-3):
    r = np.abs(np.log(loss) - predicted_log(theta, N, D))
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum()


def huber_slope(theta, N, D, loss, delta=1e-3):
    prediction = predicted_log(theta, N, D)
    psi = np.clip(np.log(loss) - prediction, -delta, delta)
    a, b, e, alpha, beta = theta
    size = psi * np.exp(a - alpha * np.log(N) - prediction)
    data = psi * np.exp(b - beta * np.log(D) - prediction)
    floor = psi * np.exp(e - prediction)
    return -np.array([size.sum(), data.sum(), floor.sum(), -size @ np.log(N), -data @ np.log(D)])


def as_theta(law):
    return np.array([math.log(law.A), math.log(law.B), math.log(law.E), law.alpha, law.beta])


@st.composite
def fittable_laws(draw):
    """Laws of which both terms matter somewhere on the grid."""
    alpha, beta = draw(st.floats(0.15, 0.8)), draw(st.floats(0.15, 0.8))
    middle_N, middle_D = 10**8.5, 10**10.5
    return ChinchillaLaw(
        E=draw(st.floats(0.5, 3)),
        A=draw(st.floats(0.05, 1)) * middle_N**alpha,
        B=draw(st.floats(0.05, 1)) * middle_D**beta,
        alpha=alpha,
        beta=beta,
    )


def isoflop_runs(law, budgets, decades=1.0, points=15):
    sizes = np.logspace(-decades, decades, points)
    C, size = (column.ravel() for column in np.meshgrid(budgets, sizes, indexing="ij"))
    N = size * law.optimal(C).N
    return C, N, law.loss(N, C / (6 * N))


# Recorded runs of a byte-level language model with N = 289·h; losses in nats per byte.
BYTE_MODEL = {
    3.16e9: (4, [2.342, 2.198, 2.171, 2.205, 2.334]),
    1e10: (4, [2.325, 2.159, 2.058, 2.002, 2.036, 2.146]),
    3.16e10: (4, [2.303, 2.126, 1.972, 1.869, 1.835, 1.846, 1.963, 2.133]),
    1e11: (8, [2.083, 1.940, 1.790, 1.689, 1.659, 1.697, 1.803, 1.968, 2.187]),
    3.16e11: (32, [1.771, 1.635, 1.528, 1.508, 1.551, 1.651, 1.816]),
    1e12: (128, [1.475, 1.403, 1.390, 1.430, 1.519]),
}


def byte_model_runs():
    runs = [
        (C, 289.0 * smallest * 2**k, loss)
        for C, (smallest, losses) in BYTE_MODEL.items()
        for k, loss in enumerate(losses)
    ]
    return (np.array(column) for column in zip(*runs, strict=True))
