"""Chips -> time, utilisation, money, and the least time of one decoded token.

Every rate is the chip's dense 16-bit peak. MFU, the model FLOPs utilisation, is the share of
that peak which the model's own FLOPs reach (Chowdhery et al. 2022, section 4.1); recomputed
work does not count. GPU-hours are the hours of all chips together, so they do not depend on
how many work side by side.

A ``chip`` is a name out of ``CHIPS`` or a ``Chip`` of your own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.facts import ACCELERATORS
from course_utils.facts import Accelerator as Chip
from course_utils.quantities import SECONDS_PER_DAY, SECONDS_PER_HOUR, plain, positive
from course_utils.quantities import flops as flop_count

__all__ = [
    "CHIPS",
    "Chip",
    "cost",
    "days",
    "decode_seconds_per_token",
    "gpu_hours",
    "largest_batch",
    "mfu",
    "min_chips",
    "ridge_point",
    "seconds",
]

CHIPS = ACCELERATORS
"""Chip by name: peak in FLOP/s, memory in bytes, bandwidth in bytes/s, power in watts."""

# No chip has so little of anything, and no number of TFLOP/s, GB or GB/s is so large.
_SMALLEST = 1e6


def _find(chip: Chip | str) -> Chip:
    if not isinstance(chip, Chip):
        return CHIPS[chip]
    for name, unit in (("peak", "FLOP/s"), ("memory", "bytes"), ("bandwidth", "bytes/s")):
        value = getattr(chip, name)
        if positive(value, name, f"a number of {unit}") < _SMALLEST:
            raise ValueError(
                f"{chip.name}: {name} = {value:g} is too small to be in {unit}: give the plain "
                "number, such as 312e12 for 312 TFLOP/s or 80e9 for 80 GB."
            )
    return chip


def _check_mfu(value: ArrayLike) -> NDArray:
    share = positive(value, "mfu", "a fraction of the dense peak above 0 and up to 1, such as 0.4")
    above = share[share > 1]
    if not above.size:
        return share
    worst = above.flat[0]
    if 2 <= worst <= 100:
        raise ValueError(
            f"mfu = {worst:g} looks like a percentage: give the fraction, {worst / 100:g}."
        )
    raise ValueError(
        f"mfu = {worst:g} is above 1, and no chip beats its peak. Likely causes: hours taken for "
        "seconds (a factor 3600), hours of one chip where those of all are meant, FLOPs counted "
        "twice, or a peak that is not the dense one of the right precision."
    )


def _whole(value: float, name: str, what: str) -> int:
    count = float(positive(value, name, f"a whole number of {what}, 1 or more"))
    if not count.is_integer():
        raise ValueError(f"{name} = {count:g} is not valid: expected a whole number of {what}.")
    return int(count)


def gpu_hours(flops: ArrayLike, chip: Chip | str, mfu: ArrayLike) -> float | NDArray:
    """Hours that all chips together need: flops / (peak · mfu · 3600).

    ``flops``: the run's FLOPs, such as 6·N·D; ``mfu``: a fraction of the dense peak. Numbers
    or arrays. Raises ValueError for an mfu outside (0, 1] or a count that is none, KeyError
    for an unknown chip.

    >>> round(gpu_hours(6 * 70e9 * 1.4e12, "A100-SXM-80GB", 0.4))
    1308761
    >>> gpu_hours(5.88e23, "A100-SXM-80GB", 40)
    Traceback (most recent call last):
    ...
    ValueError: mfu = 40 looks like a percentage: give the fraction, 0.4.
    """
    return plain(
        flop_count(flops, "flops") / (_find(chip).peak * _check_mfu(mfu) * SECONDS_PER_HOUR)
    )


def seconds(
    flops: ArrayLike, chip: Chip | str, mfu: ArrayLike, n_chips: int = 1
) -> float | NDArray:
    """Seconds that ``n_chips`` chips side by side need. Arguments and errors as gpu_hours.

    >>> round(seconds(1e15, "A100-SXM-80GB", 0.5), 2)
    6.41
    """
    chips = _whole(n_chips, "n_chips", "chips")
    return plain(np.asarray(gpu_hours(flops, chip, mfu)) * SECONDS_PER_HOUR / chips)


def days(flops: ArrayLike, chip: Chip | str, mfu: ArrayLike, n_chips: int) -> float | NDArray:
    """Days that ``n_chips`` chips side by side need. Arguments and errors as gpu_hours.

    >>> round(days(6 * 70e9 * 15e12, "H100-SXM", 0.5, n_chips=1024), 1)
    144.0
    """
    return plain(np.asarray(seconds(flops, chip, mfu, n_chips)) / SECONDS_PER_DAY)


def mfu(flops: ArrayLike, chip: Chip | str, gpu_hours: ArrayLike) -> float | NDArray:
    """Share of the dense peak that a run reached: flops / (gpu_hours · 3600 · peak).

    ``gpu_hours`` are those of all chips together. A value above 1 is returned as it is: it is
    impossible, so it shows that a count, the hours or the peak is wrong. Raises ValueError for
    a number that is not positive, KeyError for an unknown chip.

    >>> round(mfu(6 * 68_976_648_192 * 2e12, "A100-SXM-80GB", 1_720_320), 4)
    0.4284
    """
    hours = positive(gpu_hours, "gpu_hours", "the hours of all chips together")
    return plain(flop_count(flops, "flops") / (hours * SECONDS_PER_HOUR * _find(chip).peak))


def cost(gpu_hours: ArrayLike, rate: ArrayLike) -> float | NDArray:
    """Price of a run: GPU-hours times the price of one, in the currency of ``rate``.

    What an hour costs changes by the month and by the contract, so it is always yours to give.
    Raises ValueError for a number that is not positive.

    >>> cost(184_320, rate=2.00)
    368640.0
    """
    hours = positive(gpu_hours, "gpu_hours", "the hours of all chips together")
    return plain(hours * positive(rate, "rate", "a price per chip and hour, such as 2.00"))


def ridge_point(chip: Chip | str) -> float:
    """FLOPs per byte at which a chip's arithmetic and its memory take equally long.

    Work with fewer FLOPs per byte waits for memory, work with more for arithmetic (Williams et
    al. 2009, the roofline model). Raises KeyError for an unknown chip.

    >>> round(ridge_point("A100-SXM-80GB"), 1)
    153.0
    """
    chip = _find(chip)
    return chip.peak / chip.bandwidth


def decode_seconds_per_token(
    weight_bytes: ArrayLike,
    chip: Chip | str,
    kv_bytes: ArrayLike = 0,
    batch: ArrayLike = 1,
    n_chips: int = 1,
) -> float | NDArray:
    """Least seconds of one decoding step, in which each sequence gets one token.

    (weight_bytes + batch · kv_bytes) / (n_chips · bandwidth): every weight and every cached
    key and value is read once. ``kv_bytes`` is the cache of one sequence, ``n_chips`` share
    the work perfectly. A floor: arithmetic, communication and kernel launches come on top, and
    whether it all fits is ``min_chips``'s question. Raises ValueError for numbers that are not
    positive (kv_bytes may be 0) or look like GB, KeyError for an unknown chip.

    >>> ms = 1000 * decode_seconds_per_token(2 * 6_738_415_616, "A100-SXM-80GB")
    >>> round(ms, 3)
    6.61
    """
    weights = _bytes(weight_bytes, "weight_bytes")
    cache = np.asarray(kv_bytes, dtype=float)
    if not (np.isfinite(cache) & (cache >= 0)).all():
        raise ValueError(
            f"kv_bytes = {kv_bytes} is not valid: expected the bytes of one sequence's cache, "
            "0 or more."
        )
    sequences = positive(batch, "batch", "a number of sequences, 1 or more")
    chips = _whole(n_chips, "n_chips", "chips")
    return plain((weights + sequences * cache) / (chips * _find(chip).bandwidth))


def largest_batch(
    weight_bytes: float,
    chip: Chip | str,
    kv_bytes: float,
    n_chips: int = 1,
    seconds: float | None = None,
) -> int:
    """Most sequences whose caches fit beside the weights, and are all read within ``seconds``.

    ``kv_bytes`` is the cache of one sequence; ``n_chips`` share weights and caches. Reading all of
    a chip's memory takes memory / bandwidth, so that a limit above that changes nothing. 0 where
    not even one sequence fits. Raises ValueError for a number that is not positive or looks like
    GB, KeyError for an unknown chip.

    >>> cache = 8192 * 131_072  # Llama 3 8B, 8,192 tokens
    >>> largest_batch(2 * 8_030_261_248, "H100-SXM", cache)
    59
    >>> largest_batch(2 * 8_030_261_248, "H100-SXM", cache, seconds=0.010)
    16
    """
    weights, cache = (
        float(_bytes(weight_bytes, "weight_bytes")),
        float(_bytes(kv_bytes, "kv_bytes")),
    )
    room = _find(chip).memory
    if seconds is not None:
        limit = float(positive(seconds, "seconds", "the time of a step, such as 0.05"))
        room = min(room, limit * _find(chip).bandwidth)
    chips = _whole(n_chips, "n_chips", "chips")
    return max(0, math.floor((chips * room - weights) / cache))


def min_chips(total_bytes: float, chip: Chip | str) -> int:
    """Fewest chips whose memories hold ``total_bytes`` together.

    Nothing is set aside for the runtime or for what cannot be split. Raises ValueError for a
    number that is no count of bytes, KeyError for an unknown chip.

    >>> min_chips(2 * 70e9, "A100-SXM-80GB")
    2
    """
    return math.ceil(float(_bytes(total_bytes, "total_bytes")) / _find(chip).memory)


def _bytes(value: ArrayLike, name: str) -> NDArray:
    expected = "a number of bytes, such as 2 * 7e9 for 7e9 parameters in 16 bits"
    array = positive(value, name, expected)
    if (array < 1000).any():
        raise ValueError(f"{name} = {array.min():g} looks like GB: expected {expected}.")
    return array
