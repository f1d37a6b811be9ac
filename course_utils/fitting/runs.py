"""Runs before any fit: columns of one length, losses that can be losses, budgets told apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import quantities

# A guess spread evenly over a vocabulary of 256,000 tokens costs ln(256,000) = 12.5 nats.
LARGEST_PLAUSIBLE_LOSS = 12.5


class FitWarning(UserWarning):
    """A fit went through, and there is something about it that a reader must know."""


def losses_of(loss: ArrayLike) -> NDArray:
    losses = quantities.positive(loss, "loss", "a positive loss in nats per token")
    if losses.size and np.median(losses) > LARGEST_PLAUSIBLE_LOSS:
        warnings.warn(
            f"The median loss is {np.median(losses):.3g}, more than guessing costs "
            f"({LARGEST_PLAUSIBLE_LOSS} nats per token with 256,000 tokens to choose from). "
            "These look like perplexities: pass np.log(perplexity).",
            FitWarning,
            stacklevel=3,
        )
    return losses


def same_length(**columns: NDArray) -> list[NDArray]:
    columns = {name: np.atleast_1d(column) for name, column in columns.items()}
    if any(column.ndim != 1 for column in columns.values()) or (
        len({column.size for column in columns.values()}) != 1
    ):
        shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise ValueError(
            f"One entry per run is expected in each of {', '.join(columns)}, "
            f"but their shapes are: {shapes}."
        )
    return list(columns.values())


def budgets(C: NDArray, tolerance: float) -> Iterator[tuple[float, NDArray]]:
    """(budget, indices of its runs), rising: runs within ``tolerance`` of the group's lowest."""
    order = np.argsort(C, kind="stable")
    while order.size:
        same = C[order] <= C[order[0]] * (1 + tolerance)
        yield float(np.median(C[order[same]])), order[same]
        order = order[~same]
