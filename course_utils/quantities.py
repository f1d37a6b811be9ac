"""Units of the course: checking raw counts, and writing large numbers for people.

Everywhere in the course N counts parameters, D counts tokens and C counts FLOPs, raw: a
70B model is ``70e9``, never ``70``. The checks here turn the usual slips into a sentence.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86400.0
PF_DAY = 1e15 * SECONDS_PER_DAY
"""FLOPs in one petaFLOP/s-day, Kaplan et al.'s unit of compute: 8.64e19."""

# The smallest model in any law of the course has 768 parameters (Kaplan et al. 2020, section
# 3), and the largest published one, written in billions, is below 700 (MT-NLG 530, DeepSeek-V3
# 671): under 700 a count of parameters is a number of billions. Likewise for tokens: the lab's
# shortest run reads 25,000 tokens, the largest corpus in billions is 18,000.
SMALLEST_PARAMS = 700.0
SMALLEST_TOKENS = 20_000.0
SMALLEST_FLOPS = 1e6


def positive(value: ArrayLike, name: str, expected: str = "a positive number") -> NDArray:
    """Return ``value`` as a float array, or say what was wrong with it.

    Raises ValueError for anything that is not a finite number above zero.

    >>> float(positive(2, "batch"))
    2.0
    >>> positive(-1.0, "batch")
    Traceback (most recent call last):
    ...
    ValueError: batch = -1 is not valid: expected a positive number.
    """
    return within(value, name, expected, low=np.nextafter(0, 1))


def fraction(value: ArrayLike, name: str) -> NDArray:
    """Check a fraction of 1, both ends included.

    Raises ValueError for anything else, percentages above all.

    >>> fraction(25, "replay")
    Traceback (most recent call last):
    ...
    ValueError: replay = 25 is not valid: expected a fraction from 0 to 1, not per cent.
    """
    return within(value, name, "a fraction from 0 to 1, not per cent", low=0, high=1)


def within(
    value: ArrayLike,
    name: str,
    expected: str,
    low: float,
    high: float = np.finfo(float).max,
) -> NDArray:
    """Return ``value`` as a float array, or say that it is not ``expected``, from low to high.

    Raises ValueError for anything that is not a number in that range, NaN included.

    >>> float(within(0, "loss", "nats per token, 0 or more", low=0))
    0.0
    """
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r} is not a number: expected {expected}.") from None
    bad = array[~((array >= low) & (array <= high))]
    if bad.size:
        raise ValueError(f"{name} = {bad.flat[0]:g} is not valid: expected {expected}.")
    return array


def _raw_count(value: ArrayLike, name: str, smallest: float, what: str, example: str) -> NDArray:
    array = positive(value, name, f"a positive number of {what}, such as {example}")
    small = array[array < smallest]
    if small.size:
        raise ValueError(
            f"{name} = {small.flat[0]:g} is too small to be a number of {what}: "
            f"expected the raw count, such as {example} (not billions)."
        )
    return array


def params(value: ArrayLike, name: str = "N") -> NDArray:
    """Check a raw count of parameters.

    Raises ValueError when it is not positive and finite, or when it looks like billions.

    >>> float(params(70e9))
    70000000000.0
    >>> params(70)
    Traceback (most recent call last):
    ...
    ValueError: N = 70 is too small to be a number of parameters: expected the raw count, such as 70e9 (not billions).
    """
    return _raw_count(value, name, SMALLEST_PARAMS, "parameters", "70e9")


def tokens(value: ArrayLike, name: str = "D") -> NDArray:
    """Check a raw count of tokens.

    Raises ValueError when it is not positive and finite, or when it looks like billions.

    >>> float(tokens(1.4e12))
    1400000000000.0
    """
    return _raw_count(value, name, SMALLEST_TOKENS, "tokens", "1.4e12")


def flops(value: ArrayLike, name: str = "C") -> NDArray:
    """Check a raw count of FLOPs (not PF-days, not FLOP/s).

    Raises ValueError when it is not positive and finite, or far too small to be a count.

    >>> float(flops(5.76e23))
    5.76e+23
    """
    return _raw_count(value, name, SMALLEST_FLOPS, "FLOPs", "5.76e23")


def plain(array: ArrayLike) -> float | NDArray:
    """Return a Python float for a 0-d result and the array otherwise."""
    array = np.asarray(array)
    return float(array) if array.ndim == 0 else array


_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def human(value: float, digits: int = 3) -> str:
    """Write a count as people say it; from 1e16 on, in powers of ten.

    >>> human(6.738e9), human(1.4e12), human(5.76e23), human(512)
    ('6.74B', '1.4T', '5.76e23', '512')
    """
    value = float(value)
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    # Rounding first, so that 999.96e6 becomes 1B and not 1e+03M.
    size = abs(float(f"{value:.{digits - 1}e}"))
    if size >= 1e16 or size < 1e-3:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}"
    for step, letter in _STEPS:
        if size >= step:
            return f"{_significant(value / step, digits)}{letter}"
    return _significant(value, digits)


def _significant(value: float, digits: int) -> str:
    text = f"{float(f'{value:.{digits}g}'):f}"
    return text.rstrip("0").rstrip(".")
