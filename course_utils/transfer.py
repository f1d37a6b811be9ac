"""What learning one thing is worth to another: effective data transferred, and small adapters.

A model that was pretrained on one text and tuned on D_F of another reaches some loss. The same
model from scratch would need D_F + D_T of the other text for it: D_T is the data transferred.
Data is counted in the unit of the law or of the runs, N without embeddings; scalars or arrays
that broadcast. Bad numbers raise ValueError.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.facts import values
from course_utils.lab import Source
from course_utils.lab.corpus import VOCABULARY, to_symbols
from course_utils.laws import Numbers
from course_utils.quantities import params, plain, positive


@dataclass(frozen=True)
class TransferLaw:
    """D_T = k · D_F^alpha · N^beta: data transferred to D_F of tuning data by N parameters.

    ``N`` counts no embeddings. Both published sets hold for one pair of texts, in characters,
    and only where tuning data is short: at most a tenth of what N would need from scratch.
    Raises ValueError where a constant is not positive.
    Source: Hernandez et al. 2021 (arXiv 2102.01293), Table 1.

    >>> f"{HERNANDEZ_2021.transferred(D_F=1e6, N=1e9):.1e} characters"
    '6.0e+08 characters'
    """

    k: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            positive(getattr(self, name), name)

    def transferred(self, D_F: ArrayLike, N: ArrayLike) -> Numbers:
        """D_T, what pretraining is worth beside ``D_F`` of tuning data."""
        D_F = positive(D_F, "D_F")
        return plain(self.k * D_F**self.alpha * params(N) ** self.beta)

    def effective(self, D_F: ArrayLike, N: ArrayLike) -> Numbers:
        """D_E = D_F + D_T, the data that a model from scratch would need.

        >>> f"{HERNANDEZ_2021.effective(1e6, 1e9) / 1e6:.0f} times the tuning data"
        '602 times the tuning data'
        """
        return plain(np.add(positive(D_F, "D_F"), self.transferred(D_F, N)))


HERNANDEZ_2021 = TransferLaw(**values("hernandez_2021"))
"""From English text to Python code, in characters."""

HERNANDEZ_2021_MIX = TransferLaw(**values("hernandez_2021.text_and_code"))
"""From half text, half other code to Python code, in characters."""


def measured_transfer(
    scratch_D: ArrayLike, scratch_loss: ArrayLike, D_F: ArrayLike, loss: ArrayLike
) -> Numbers:
    """The data transferred in runs, read off the losses of models from scratch.

    ``scratch_loss`` is what training from scratch on ``scratch_D`` reached, one entry a size;
    ``loss`` what tuning on ``D_F`` reached. Between two sizes loss is straight in log D. Raises
    ValueError where more data from scratch did not help, or where ``loss`` lies outside of what
    was reached from scratch: then nobody knows, and longer (or shorter) runs are needed.

    >>> round(measured_transfer([1e4, 1e5, 1e6], [3.0, 2.5, 2.0], D_F=1e4, loss=2.5))
    90000
    """
    D, from_scratch = positive(scratch_D, "scratch_D"), positive(scratch_loss, "scratch_loss")
    if D.ndim != 1 or D.shape != from_scratch.shape or len(D) < 2:
        raise ValueError("scratch_D and scratch_loss do not fit: expected two runs or more.")
    order = np.argsort(D)
    D, from_scratch = D[order], from_scratch[order]
    if np.any(np.diff(D) == 0) or np.any(np.diff(from_scratch) >= 0):
        raise ValueError("The loss from scratch does not fall with D: average over more seeds.")
    reached: NDArray = positive(loss, "loss")
    outside = (reached > from_scratch[0]) | (reached < from_scratch[-1])
    if np.any(outside):
        raise ValueError(
            f"loss = {reached[outside].flat[0]:.4g} lies outside of what was reached from scratch, "
            f"{from_scratch[0]:.4g} to {from_scratch[-1]:.4g}: train from scratch on less data, or "
            "on more."
        )
    equal = np.exp(np.interp(-reached, -from_scratch, np.log(D)))
    return plain(equal - positive(D_F, "D_F"))


@functools.cache
def python_manual() -> Source:
    """The running Python's manual, as ``help()`` shows it: English prose about code.

    In the symbols of the lab's "python" source, so that a model of one can be tuned on the other;
    the last 90,000 bytes validate. Raises OSError where this Python ships no manual.

    >>> python_manual().windows(context=12) > 300_000
    True
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise OSError(
            "This Python ships without its manual (pydoc_data.topics): use another Python."
        ) from None
    symbols = to_symbols("\n".join(topics.values()).encode())
    return Source("Python manual", symbols[:-_HELD_OUT], symbols[-_HELD_OUT:], VOCABULARY)


_HELD_OUT = 90_000


def adapter_params(d_in: ArrayLike, d_out: ArrayLike, rank: ArrayLike) -> Numbers:
    """Parameters that LoRA trains beside one frozen d_in × d_out matrix: rank · (d_in + d_out).

    Source: Hu et al. 2021 (arXiv 2106.09685), section 4.

    >>> adapter_params(4096, 4096, rank=16), 4096 * 4096
    (131072.0, 16777216)
    """
    sizes = positive(d_in, "d_in") + positive(d_out, "d_out")
    return plain(positive(rank, "rank") * sizes)
