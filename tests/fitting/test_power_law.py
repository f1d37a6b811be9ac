"""Power laws with a floor and without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import fitting

optimize = pytest.importorskip("scipy.optimize", reason="SciPy is the oracle of these tests")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    exponent=st.floats(-0.5, -0.03),
    start=st.floats(0.5, 5),
    floor=st.one_of(st.just(0.0), st.floats(0.3, 3)),
)
def test_power_laws_are_recovered(exponent, start, floor):
    C = np.logspace(17, 24, 9)
    loss = floor + start * (C / 1e17) ** exponent
    law = fitting.fit_power_law(C, loss, floor=True)
    assert law.floor == pytest.approx(floor, abs=1e-4)
    assert law.exponent == pytest.approx(exponent, rel=1e-3)
    np.testing.assert_allclose(law.predict(C), loss, rtol=1e-5)
    assert law.r_squared == pytest.approx(1, abs=1e-6)
    if floor == 0:
        line = fitting.fit_power_law(C, loss)
        assert line.exponent == pytest.approx(exponent, rel=1e-9)


def test_a_floor_that_does_not_help_is_zero():
    # A law that steepens: no floor can bend it that way.
    x = np.logspace(18, 22, 9)
    y = np.exp(-0.01 * np.log(x / 1e18) ** 2 + 1)
    assert fitting.fit_power_law(x, y, floor=True) == fitting.fit_power_law(x, y)


def test_power_law_with_floor_matches_scipy():
    x = np.logspace(18, 22, 12)
    y = (1.7 + 2 * (x / 1e18) ** -0.2) * np.exp(
        0.003 * np.random.default_rng(0).standard_normal(12)
    )
    oracle = optimize.least_squares(
        lambda p: 1 - (p[0] + p[1] * (x / 1e18) ** p[2]) / y, [1.5, 2, -0.2], xtol=1e-15
    )
    law = fitting.fit_power_law(x, y, floor=True)
    found = [law.floor, law.coefficient * 1e18**law.exponent, law.exponent]
    np.testing.assert_allclose(found, oracle.x, rtol=1e-4)
