"""The lower envelope."""

import math

import numpy as np
import pytest
from runs import isoflop_runs

from course_utils import fitting
from course_utils.laws import (
    BESIROGLU_2024,
)


def test_envelope_takes_the_runs_that_nothing_cheaper_beats():
    C = np.array([1e18, 1.02e18, 1e19, 1e20, 1e21, 1e21])
    loss = np.array([3.5, 3.4, 3.0, 3.1, 2.6, 2.7])  # the 1e20 run loses to the 1e19 run
    N = np.array([1e8, 2e8, 4e8, 9e8, 3e9, 1e9])
    fit = fitting.fit_envelope(C, loss, N)
    assert fit.C.tolist() == [1.02e18, 1e19, 1e21]
    assert fit.loss.tolist() == [3.4, 3.0, 2.6]
    assert fit.N.tolist() == [2e8, 4e8, 3e9]
    line = np.polynomial.polynomial.polyfit(np.log(fit.C), np.log(fit.loss), 1)
    assert fit.exponent == pytest.approx(line[1])
    assert fit.coefficient == pytest.approx(math.exp(line[0]))
    assert fit.floor == 0
    assert 0.9 < fit.r_squared < 1
    assert fit.params.exponent == pytest.approx(fitting.fit_power_law(fit.C, fit.N).exponent)
    assert fit.predict(1e22) < 2.6
    assert fitting.fit_envelope(C, loss).params is None


def test_envelope_of_a_law_falls_as_its_optimum_does():
    law = BESIROGLU_2024
    C, N, loss = isoflop_runs(law, np.logspace(17, 23, 7))
    fit = fitting.fit_envelope(C, loss, N, floor=True)
    assert fit.floor == pytest.approx(law.E, abs=1e-3)
    assert fit.exponent == pytest.approx(-law.gamma, abs=1e-3)
    assert fit.params.exponent == pytest.approx(law.exponents().a, abs=1e-9)


def test_envelope_and_power_law_refuse_too_little():
    with pytest.raises(ValueError, match="lower envelope has 1 run"):
        fitting.fit_envelope([1e18, 1e19], [3.0, 3.1])
    with pytest.raises(ValueError, match="at least 3 budgets"):
        fitting.fit_envelope([1e18, 1e19], [3.1, 3.0], floor=True)
    with pytest.raises(ValueError, match="2 different x, and there are 1"):
        fitting.fit_power_law([1, 1], [2, 3])
    with pytest.raises(ValueError, match="y = nan"):
        fitting.fit_power_law([1, 2], [2, np.nan])
    with pytest.raises(ValueError, match="x = -1"):
        fitting.PowerLaw(1.0, 0.5).predict(-1)
