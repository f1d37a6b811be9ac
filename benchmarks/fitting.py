"""Time the parametric fit and its bootstrap beside SciPy's L-BFGS-B.

Run it by hand, on one thread:

    OPENBLAS_NUM_THREADS=1 python benchmarks/fitting.py

It takes two to three minutes. All times are CPU-seconds of this process. It fits the 240 runs
that Epoch AI read off Hoffmann et al. (2022), Figure 4, if the file lies beside the project,
and synthetic runs of the same size if not; the first line says which.
"""

from __future__ import annotations

import csv
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from course_utils import fitting
from course_utils.laws import BESIROGLU_2024, TRAIN_FLOPS_PER_PARAM_TOKEN, ChinchillaLaw

PUBLISHED = (
    Path(__file__).parents[2] / "shared" / "data" / "epoch_chinchilla_svg_extracted_data.csv"
)
# The grid of Hoffmann et al. (2022), Appendix D.2.
STARTS = list(
    itertools.product(
        (0, 5, 10, 15, 20, 25),
        (0, 5, 10, 15, 20, 25),
        (-1, -0.5, 0, 0.5, 1),
        (0, 0.5, 1, 1.5, 2),
        (0, 0.5, 1, 1.5, 2),
    )
)
RESAMPLES = 4000
SCIPY_RESAMPLES = 200

Result = TypeVar("Result")


def published() -> tuple[NDArray, NDArray, NDArray]:
    with PUBLISHED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    N, C, loss = (
        np.array([float(row[name]) for row in rows])
        for name in ("Model Size", "Training FLOP", "loss")
    )
    kept = loss < np.sort(loss)[-5]
    return N[kept], (C / (TRAIN_FLOPS_PER_PARAM_TOKEN * N))[kept], loss[kept]


def synthetic() -> tuple[NDArray, NDArray, NDArray]:
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(np.log([[5e7], [1e9]]), np.log([[1.5e10], [3e11]]), (2, 240)))
    return N, D, BESIROGLU_2024.loss(N, D) * np.exp(0.005 * rng.standard_t(3, 240))


def timed(work: Callable[[], Result], repeats: int = 1) -> tuple[Result, float]:
    """The result, and the CPU-seconds of the fastest of ``repeats``."""
    seconds = []
    for _ in range(repeats):
        before = time.process_time()
        result = work()
        seconds.append(time.process_time() - before)
    return result, min(seconds)


class LogSumExp:
    """The objective as the papers write it, for SciPy: (a, b, e, alpha, beta), no centring."""

    def __init__(self, N: NDArray, D: NDArray, loss: NDArray) -> None:
        self.x, self.y, self.z = np.log(N), np.log(D), np.log(loss)

    def value(self, theta: NDArray) -> float:
        return self.both(theta)[0]

    def both(self, theta: NDArray) -> tuple[float, NDArray]:
        a, b, e, alpha, beta = theta
        logs = np.stack([a - alpha * self.x, b - beta * self.y, np.full_like(self.x, e)])
        top = logs.max(axis=0)
        shares = np.exp(logs - top)
        total = shares.sum(axis=0)
        shares /= total
        residuals = self.z - top - np.log(total)
        psi = np.clip(residuals, -fitting.DELTA, fitting.DELTA)
        p1, p2, p3 = shares @ psi
        slope = [-p1, -p2, -p3, (shares[0] * psi) @ self.x, (shares[1] * psi) @ self.y]
        return float((psi * (residuals - psi / 2)).sum()), np.array(slope)


def scipy_grid(problem: LogSumExp, exact_gradient: bool) -> float:
    """The lowest objective that L-BFGS-B reaches from the whole grid of starts."""
    objective = problem.both if exact_gradient else problem.value
    return min(
        minimize(objective, start, jac=exact_gradient, method="L-BFGS-B").fun for start in STARTS
    )


def scipy_bootstrap(runs: tuple[NDArray, ...], start: NDArray, draws: NDArray) -> NDArray:
    """Objectives that L-BFGS-B reaches for some draws of the runs.

    With its default tolerances it stops after a step or two: they are far above an objective
    of 1e-3.
    """
    tight = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 10_000, "maxfun": 20_000}
    return np.array(
        [
            minimize(
                LogSumExp(*(column[draw] for column in runs)).both,
                start,
                jac=True,
                method="L-BFGS-B",
                options=tight,
            ).fun
            for draw in draws
        ]
    )


def main() -> None:
    runs = published() if PUBLISHED.exists() else synthetic()
    source = "published, Hoffmann et al. (2022) Fig. 4" if PUBLISHED.exists() else "SYNTHETIC"
    print(f"{runs[0].size} runs: {source}")
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        print("OPENBLAS_NUM_THREADS is not 1: the CPU-seconds of idle threads are in the times.")

    def point() -> fitting.ParametricFit:
        return fitting.fit_parametric(*runs)

    def resample() -> tuple[fitting.Bootstrap, fitting.Coefficients]:
        boot = fitting.bootstrap(*runs, resamples=RESAMPLES)
        return boot, boot.interval()

    fit, fit_seconds = timed(point, 10)
    (boot, interval), boot_seconds = timed(resample, 3)
    law = fit.law
    print("\ncourse_utils.fitting (best of 10 fits, of 3 bootstraps)")
    print(f"  one fit, nine starts            {fit_seconds:9.3f} s")
    print(f"  {RESAMPLES:,} resamples, intervals     {boot_seconds:9.3f} s")
    print(f"  objective                       {fit.objective:.15e}")
    print(f"  converged: the fit {fit.converged}, {boot.converged.sum()} of {RESAMPLES} resamples")
    print(
        f"  E {law.E:.5f}, A {law.A:.2f}, B {law.B:.1f}, alpha {law.alpha:.5f}, "
        f"beta {law.beta:.5f}, a {fit.a:.5f}"
    )
    for name, (low, high), error in zip(
        interval._fields, interval, boot.standard_errors(), strict=True
    ):
        print(f"  {name:5s} 95 % interval {low:.5g} to {high:.5g}, standard error {error:.4g}")

    problem = LogSumExp(*runs)
    print(f"\nSciPy's L-BFGS-B, default tolerances, all {len(STARTS):,} starts (none left out)")
    for exact_gradient, name in ((True, "exact gradient"), (False, "finite differences")):
        lowest, seconds = timed(lambda exact=exact_gradient: scipy_grid(problem, exact))
        print(
            f"  {name:20s}            {seconds:9.1f} s, {seconds / fit_seconds:.0f} times ours "
            f"({1e3 * seconds / len(STARTS):.1f} ms a start); "
            f"objective {lowest / fit.objective - 1:+.1e} from ours"
        )

    print("\nSciPy's L-BFGS-B, exact gradient, tight tolerances, resamples from our optimum")
    start = np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])
    n = runs[0].size
    draws = np.random.default_rng(0).integers(n, size=(SCIPY_RESAMPLES, n))  # the bootstrap's own
    reached, seconds = timed(lambda: scipy_bootstrap(runs, start, draws))
    ours = [
        fitting.objective(ChinchillaLaw(*sample), *(column[draw] for column in runs))
        for sample, draw in zip(boot.samples, draws, strict=False)
    ]
    excess = reached / np.array(ours) - 1
    scaled = seconds * RESAMPLES / SCIPY_RESAMPLES
    print(
        f"  {SCIPY_RESAMPLES} measured                    {seconds:9.1f} s\n"
        f"  {RESAMPLES:,} EXTRAPOLATED              {scaled:9.1f} s, "
        f"{scaled / boot_seconds:.0f} times ours\n"
        f"  objective {excess.min():+.1e} to {excess.max():+.1e} from ours"
    )


if __name__ == "__main__":
    main()
