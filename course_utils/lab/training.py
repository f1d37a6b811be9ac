"""Training: a recipe, a pass over examples, the loss on held-out ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from course_utils.lab.parameters import Parameters

BLOCK = 32_768
"""Parameters that the optimiser handles at once: few enough for all their arrays to be cached."""


class Model(Protocol):
    """What :func:`train` needs of a model."""

    weights: Parameters
    gradients: Parameters

    def loss_and_grad(self, inputs: NDArray, targets: NDArray) -> float: ...

    def loss(self, inputs: NDArray, targets: NDArray) -> float: ...


class Examples(Protocol):
    """A sequence of training examples; a slice of it is a batch (inputs, targets)."""

    def __len__(self) -> int: ...

    def __getitem__(self, batch: slice) -> tuple[NDArray, NDArray]: ...


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam with warm-up and linear decay, unless told otherwise.

    ``batch`` examples a step; ``rate`` the peak learning rate, or None for the rule
    :func:`rate_for`; ``warmup`` the share of the steps in which the rate rises; ``final`` the
    share of the peak at which it ends; ``betas`` and ``epsilon`` Adam's; ``optimizer`` "adam"
    or "sgd"; ``clip`` the largest norm of a gradient, or None.
    """

    batch: int = 256
    rate: float | None = None
    warmup: float = 0.02
    final: float = 0.05
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8
    optimizer: str = "adam"
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"batch = {self.batch} is not valid: expected 1 or more.")
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate = {self.rate} is not valid: expected a positive number.")
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"optimizer = {self.optimizer!r}: expected 'adam' or 'sgd'.")


def rate_for(examples: int) -> float:
    """The lab's peak rate for a run of so many examples: longer runs take smaller steps.

    >>> rate_for(300_000)
    0.02
    """
    return min(0.03, max(0.008, 0.02 * (3e5 / examples) ** 0.15))


@dataclass(frozen=True)
class Training:
    """What a run read, cost and saw: examples, CPU-seconds of its thread, the peak rate, and
    the losses of its batches in order."""

    examples: int
    cpu_s: float
    rate: float
    losses: NDArray


class Optimizer:
    """Adam (Kingma & Ba 2015) or plain SGD on one flat array, in place.

    ``factors`` multiplies the rate of single arrays by name.
    """

    def __init__(self, weights: Parameters, recipe: Recipe, factors: dict[str, float]):
        self.recipe = recipe
        self._weights = weights.flat
        self._step = 0
        if recipe.optimizer == "adam":
            self._mean, self._square = np.zeros_like(weights.flat), np.zeros_like(weights.flat)
        self._spare = np.empty(BLOCK, weights.flat.dtype)
        self._blocks: list[tuple[slice, float]] = []
        start = 0
        for name, shape in weights.shapes.items():
            stop = start + math.prod(shape)
            factor = factors.get(name, 1.0)
            if self._blocks and self._blocks[-1][1] == factor:
                last, _ = self._blocks.pop()
                start = last.start
            self._blocks.append((slice(start, stop), factor))
            start = stop
        self._blocks = [
            (slice(a, min(a + BLOCK, whole.stop)), factor)
            for whole, factor in self._blocks
            for a in range(whole.start, whole.stop, BLOCK)
        ]

    def step(self, gradient: NDArray, rate: float) -> None:
        """Move the weights against ``gradient`` (overwritten)."""
        self._step += 1
        clip = self.recipe.clip
        if clip is not None:
            norm = float(np.sqrt(np.vdot(gradient, gradient)))
            if norm > clip:
                gradient *= clip / norm
        if self.recipe.optimizer == "sgd":
            for block, factor in self._blocks:
                gradient[block] *= rate * factor
            self._weights -= gradient
            return
        # Adam's averages without their factors (1 − β), which go into rate and epsilon: two
        # passes over memory less.
        b1, b2 = self.recipe.betas
        unscale = math.sqrt((1 - b2**self._step) / (1 - b2))
        rate *= (1 - b1) / (1 - b1**self._step) * unscale
        epsilon = self.recipe.epsilon * unscale
        for block, factor in self._blocks:
            g, m, v = gradient[block], self._mean[block], self._square[block]
            spare = self._spare[: len(g)]
            m *= b1
            m += g
            v *= b2
            g *= g
            v += g
            np.sqrt(v, out=spare)
            spare += epsilon
            np.divide(m, spare, out=spare)
            spare *= rate * factor
            self._weights[block] -= spare


def train(
    model: Model,
    examples: Examples,
    recipe: Recipe = Recipe(),
    watch: Callable[[int, float], bool | None] | None = None,
) -> Training:
    """One pass over ``examples`` in their order, ``recipe.batch`` at a time.

    ``watch(step, loss)`` is called after each step and may return True to stop the run there.
    Raises FloatingPointError where the loss stops being a number.
    """
    n, batch = len(examples), recipe.batch
    steps = math.ceil(n / batch)
    peak = rate_for(n) if recipe.rate is None else recipe.rate
    warm = max(1, round(recipe.warmup * steps)) if recipe.warmup > 0 else 0
    optimizer = Optimizer(model.weights, recipe, getattr(model, "rate_factors", {}))
    losses = np.empty(steps)
    started = time.thread_time()
    for step in range(steps):
        inputs, targets = examples[step * batch : (step + 1) * batch]
        losses[step] = loss = model.loss_and_grad(inputs, targets)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {loss} at step {step + 1} of {steps}: a smaller rate than {peak:g} "
                "keeps the run stable."
            )
        if step < warm:
            rate = peak * (step + 1) / warm
        else:
            rate = peak * (1 - (1 - recipe.final) * (step - warm) / max(1, steps - warm))
        optimizer.step(model.gradients.flat, rate)
        if watch is not None and watch(step + 1, loss):
            break
    cpu_s = time.thread_time() - started
    return Training(min(n, (step + 1) * batch), cpu_s, peak, losses[: step + 1])


def evaluate(model: Model, examples: Examples, batch: int = 1024) -> float:
    """Mean loss over ``examples`` in nats, without training on them."""
    total = 0.0
    for start in range(0, len(examples), batch):
        inputs, targets = examples[start : start + batch]
        total += model.loss(inputs, targets) * len(targets)
    return total / len(examples)
