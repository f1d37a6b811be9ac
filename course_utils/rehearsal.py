"""A small live run in which everything is watched: the troubles of a large one, rehearsed.

It trains the lab's byte model on the running Python's own library, so losses differ by a few
hundredths of a nat between versions of Python; what goes wrong does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import lab

Rounding = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Rehearsal:
    """What a run saw: loss and gradient norm of each step, held-out loss, the trained model.

    A run that diverged ends at the step whose loss is no number, and ``val`` is infinite.
    """

    losses: NDArray
    norms: NDArray
    val: float
    model: lab.ByteMLP


class _Watched(lab.ByteMLP):
    """Remembers loss and gradient norm; computes with rounded weights where told to."""

    compute_in: Rounding | None = None

    def __init__(self, width: int, vocab_size: int, seed: int):
        super().__init__(width, vocab_size=vocab_size, seed=seed)
        self.seen: list[tuple[float, float]] = []

    def loss_and_grad(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        weights, kept = self.weights.flat, None
        if self.compute_in:
            kept = weights.copy()
            weights[:] = self.compute_in(weights)
        loss = super().loss_and_grad(inputs, targets)
        if kept is not None:
            weights[:] = kept
        self.seen.append((loss, float(np.linalg.norm(self.gradients.flat))))
        return loss


def rehearse(
    width: int = 64,
    examples: int = 100_000,
    *,
    goal: float | None = None,
    factors: dict[str, float] | None = None,
    weights_in: Rounding | None = None,
    compute_in: Rounding | None = None,
    seed: int = 0,
    **recipe: object,
) -> Rehearsal:
    """Train a byte model of that width on so many examples, and return what was seen.

    ``goal`` stops the run once the held-out loss is below it, looked at every 1,024 examples.
    ``factors`` multiplies the learning rate of single layers ("embedding", "hidden", "output")
    in place of the lab's own. ``weights_in`` rounds the weights after each step, ``compute_in``
    only those that gradients are computed with, so that a full copy is kept. What else is given
    goes to ``lab.Recipe``. Raises ValueError for what the model or the recipe refuse.

    >>> run = rehearse(16, examples=2560, batch=256, rate=0.02)
    >>> run.losses.shape, bool(run.losses[-1] < run.losses[0])
    ((10,), True)
    """
    source = lab.load("python")
    model = _Watched(width, source.vocab_size, seed)
    model.compute_in = compute_in
    if factors is not None:
        model.rate_factors = factors
    plan = lab.Recipe(**recipe)  # type: ignore[arg-type]
    held_out = source.held_out(model.context, every=100)
    often = max(1, 1024 // plan.batch)

    def watch(step: int, loss: float) -> bool:
        if weights_in:
            model.weights.flat[:] = weights_in(model.weights.flat)
        return goal is not None and step % often == 0 and lab.evaluate(model, held_out) < goal

    val = np.inf
    drawn = source.draw(examples, model.context, np.random.default_rng([seed, 1]))
    with np.errstate(all="ignore"), suppress(FloatingPointError):
        lab.train(model, drawn, plan, watch)
        val = lab.evaluate(model, held_out)
    losses, norms = np.transpose(model.seen)
    return Rehearsal(losses, norms, val, model)
