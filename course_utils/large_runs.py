"""What a large run adds to a small one: the price of a batch, number formats, failures, memory.

Batches count what is averaged (tokens, or examples), times are seconds, memory is bytes; scalars
or arrays that broadcast. Bad numbers raise ValueError. The critical batch is a law, in ``laws``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from course_utils.laws import Numbers
from course_utils.quantities import plain, positive
from course_utils.transformer import Transformer

# --- batch -----------------------------------------------------------------------------------


def steps_factor(batch: ArrayLike, critical: ArrayLike) -> Numbers:
    """Steps to a given loss over the fewest possible, S/S_min = 1 + critical/batch.

    Source: McCandlish et al. 2018, equation 2.11; Kaplan et al. 2020, equations 5.1 and 5.4.

    >>> steps_factor(4e6, critical=1e6)
    1.25
    """
    return plain(1 + positive(critical, "critical") / positive(batch, "batch"))


def tokens_factor(batch: ArrayLike, critical: ArrayLike) -> Numbers:
    """Tokens to a given loss over the fewest possible, E/E_min = 1 + batch/critical.

    With ``steps_factor`` it lies on the hyperbola (S/S_min − 1)(E/E_min − 1) = 1.

    >>> tokens_factor(4e6, critical=1e6)
    5.0
    """
    return steps_factor(critical, batch)


class GradientNoise(NamedTuple):
    """Squared length of the true gradient, and variance of one example's (summed over weights)."""

    signal: float
    noise: float

    @property
    def scale(self) -> float:
        """The simple noise scale, tr Σ / |G|²: the batch at which both count the same."""
        return self.noise / self.signal


def gradient_noise(
    small: float, small_squares: ArrayLike, big: float, big_squares: ArrayLike
) -> GradientNoise:
    """Signal and noise of the gradient, without bias, from batches of two sizes.

    ``small_squares`` and ``big_squares`` are squared norms of gradients of batches of ``small``
    and ``big`` examples. On average such a square is |G|² + tr Σ / batch, so two sizes tell the
    two apart. Raises ValueError where ``big`` is not the larger size, or where the squares leave
    no signal: more or larger batches are needed then. Source: McCandlish et al. 2018, appendix A.1.

    >>> gradient_noise(10, [1.2, 0.8], 100, [0.19]).scale
    90.0
    """
    small, big = float(positive(small, "small")), float(positive(big, "big"))
    if big <= small:
        raise ValueError(f"big = {big:g} is no larger than small = {small:g}: expected two sizes.")
    short = float(positive(small_squares, "small_squares").mean())
    long = float(positive(big_squares, "big_squares").mean())
    signal = (big * long - small * short) / (big - small)
    if signal <= 0:
        raise ValueError(
            f"Squares of {short:g} and {long:g} leave no signal: expected more or larger batches."
        )
    return GradientNoise(signal, (short - long) / (1 / small - 1 / big))


# --- number formats --------------------------------------------------------------------------


@dataclass(frozen=True)
class NumberFormat:
    """A binary floating-point format: a sign bit, ``exponent_bits`` and ``fraction_bits``.

    With ``infinities`` the largest exponent stands for infinity and NaN, as in IEEE 754; without,
    it is used for numbers too and only the very last code is NaN.

    >>> f"{FORMATS['FP16'].largest:.0f} {FORMATS['BF16'].largest:.3g} {FORMATS['FP8 E4M3'].largest}"
    '65504 3.39e+38 448.0'
    """

    exponent_bits: int
    fraction_bits: int
    source: str
    infinities: bool = True

    @property
    def bias(self) -> int:
        return 2 ** (self.exponent_bits - 1) - 1

    @property
    def epsilon(self) -> float:
        """The step from 1 to the next larger number."""
        return 2.0**-self.fraction_bits

    @property
    def largest(self) -> float:
        if self.infinities:
            return (2 - self.epsilon) * 2.0**self.bias
        return (2 - 2 * self.epsilon) * 2.0 ** (self.bias + 1)

    @property
    def smallest_normal(self) -> float:
        """The least number with all its digits."""
        return 2.0 ** (1 - self.bias)

    @property
    def smallest(self) -> float:
        """The least number above 0, with a single digit left."""
        return self.smallest_normal * self.epsilon

    def spacing(self, x: ArrayLike) -> Numbers:
        """The distance between neighbouring numbers at x.

        >>> FORMATS["BF16"].spacing(100.0)
        0.5
        """
        size = np.maximum(np.abs(np.asarray(x, dtype=float)), self.smallest_normal)
        return plain(np.ldexp(self.epsilon, np.frexp(size)[1] - 1))

    def round(self, x: ArrayLike) -> Numbers:
        """x as the format keeps it: the nearest number, ties to the even one.

        What is too large becomes infinite, or NaN in a format without infinities.

        >>> FORMATS["BF16"].round([1 + 2**-9, 0.1])
        array([1.        , 0.10009766])
        """
        x = np.asarray(x, dtype=float)
        with np.errstate(invalid="ignore"):
            step = self.spacing(np.where(np.isfinite(x), x, 1.0))
            near = np.rint(x / step) * step
        too_large = np.copysign(np.inf if self.infinities else np.nan, x)
        return plain(np.where(np.abs(near) > self.largest, too_large, near))


FORMATS: dict[str, NumberFormat] = {
    "FP32": NumberFormat(8, 23, "IEEE 754"),
    "FP16": NumberFormat(5, 10, "IEEE 754"),
    "BF16": NumberFormat(8, 7, "Kalamkar et al. 2019 (arXiv 1905.12322), section 2"),
    "FP8 E4M3": NumberFormat(
        4, 3, "Micikevicius et al. 2022 (arXiv 2209.05433), Table 1", infinities=False
    ),
    "FP8 E5M2": NumberFormat(5, 2, "Micikevicius et al. 2022 (arXiv 2209.05433), Table 1"),
}


# --- failures --------------------------------------------------------------------------------


def checkpoint_interval(write: ArrayLike, mtbf: ArrayLike) -> Numbers:
    """Seconds of training between checkpoints that lose least, to first order: √(2·write·mtbf).

    ``write`` is how long one stops training, ``mtbf`` the mean time between failures (Daly 2006).

    >>> f"{checkpoint_interval(write=10, mtbf=11_135) / 60:.1f} min"
    '7.9 min'
    """
    return plain(np.sqrt(2 * positive(write, "write") * positive(mtbf, "mtbf")))


def lost_share(
    interval: ArrayLike, write: ArrayLike, restart: ArrayLike, mtbf: ArrayLike
) -> Numbers:
    """The share of time lost, to first order: write/interval + interval/(2·mtbf) + restart/mtbf.

    That is writing, repeating half an interval, restarting; too much where much is lost.

    >>> f"{lost_share(471.9, write=10, restart=300, mtbf=11_135):.1%}"
    '6.9%'
    """
    interval, write, restart, mtbf = _times(interval, write, restart, mtbf)
    return plain(write / interval + interval / (2 * mtbf) + restart / mtbf)


def goodput(interval: ArrayLike, write: ArrayLike, restart: ArrayLike, mtbf: ArrayLike) -> Numbers:
    """The share of time that trains, where failures come at random, at any moment.

    interval / (mtbf · e^(restart/mtbf) · (e^((interval + write)/mtbf) − 1)), exact for times
    between failures that are exponentially distributed. Source: Daly 2006, the complete model.

    >>> f"{1 - goodput(471.9, write=10, restart=300, mtbf=11_135):.1%}"
    '6.7%'
    """
    interval, write, restart, mtbf = _times(interval, write, restart, mtbf)
    return plain(interval / mtbf / np.exp(restart / mtbf) / np.expm1((interval + write) / mtbf))


def _times(*times: ArrayLike) -> tuple:
    names = ("interval", "write", "restart", "mtbf")
    return tuple(map(positive, times, names))


# --- memory and parallelism ------------------------------------------------------------------


def device_memory(
    model: Transformer, tensor: int = 1, pipeline: int = 1, data: int = 1, stage: int = 0
) -> dict[str, float]:
    """Bytes of ``model.training_memory`` on each of tensor · pipeline · data devices.

    Tensor and pipeline parallelism cut all of it. Data parallelism copies it, unless sharded:
    stage 1 shards the optimizer (master weights and moments) over the copies, stage 2 the
    gradients too, stage 3 also the weights. Activations come on top. Raises ValueError for
    another stage. Source: Rajbhandari et al. 2020 (ZeRO), section 3 and figure 1.

    >>> from course_utils.transformer import PRESETS
    >>> memory = (device_memory(PRESETS["llama-2-7b"], data=64, stage=stage) for stage in range(4))
    >>> [round(sum(each.values()) / 1e9, 1) for each in memory]
    [107.8, 28.2, 15.0, 1.7]
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"stage = {stage!r} is not valid: expected 0, 1, 2 or 3.")
    cut = float(positive(tensor, "tensor") * positive(pipeline, "pipeline"))
    copies = float(positive(data, "data"))
    shares: dict[str, float] = {}
    for name, size in model.training_memory().items():
        sharded_from = 3 if name.startswith("weights") else 2 if name.startswith("gradients") else 1
        shares[name] = size / cut / (copies if stage >= sharded_from else 1)
    return shares


def pipeline_bubble(stages: ArrayLike, microbatches: ArrayLike) -> Numbers:
    """The share of a step in which a device of the pipeline waits: (p − 1)/(m + p − 1).

    For p stages of equal length and m micro-batches, all forward and then all backward.
    Source: Huang et al. 2019 (GPipe), section 2.3.

    >>> f"{pipeline_bubble(16, 16):.0%} {pipeline_bubble(16, 128):.0%}"
    '48% 10%'
    """
    waiting = positive(stages, "stages") - 1
    return plain(waiting / (positive(microbatches, "microbatches") + waiting))
