"""Two ratios: the lab's transformer beside torch, the byte model beside the machine's peak.

Run it by hand (PyTorch is needed for the first part only, and left out where it is missing):

    PYTHONPATH=. python benchmarks/lab.py

One thread everywhere. Times are CPU-seconds of this process, the least of several tries; the
two transformers take turns. The lab's lead is what a call costs, so it shrinks as the matrices
grow: at 8e5 parameters three quarters of a step are products, which cost both the same.
"""

# ruff: noqa: E402 - the variables must be set before NumPy is imported
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read by NumPy and torch when they are imported

import statistics
import time
from collections.abc import Callable

import numpy as np

from course_utils.lab import ByteMLP, CountedTransformer, Recipe, count_flops
from course_utils.lab.training import Optimizer
from course_utils.quantities import human

try:
    import torch
    from torch.nn import functional as F
except ModuleNotFoundError:
    torch = None

VOCABULARY, CONTEXT = 97, 32
SHAPES = ((1, 16, 1), (2, 24, 2), (2, 48, 2), (2, 80, 4), (3, 104, 4), (4, 128, 4))
"""Layers, width and heads: 6 thousand to 8 hundred thousand parameters."""
BATCHES = (4, 8, 16)
"""Sequences a step: 128, 256 (the lab's batch) and 512 tokens."""
LAB_BATCH = 8


def cpu_seconds(*steps: Callable[[], object], tries: int = 15, least: float = 0.05) -> list[float]:
    """The least CPU time of each step, short ones repeated for ``least`` seconds a try.

    Several steps take turns, so that a machine that slows down slows all of them.
    """

    def time_of(step: Callable[[], object], repeat: int) -> float:
        started = time.process_time()
        for _ in range(repeat):
            step()
        return (time.process_time() - started) / repeat

    repeats = []
    for step in steps:
        step()
        repeats.append(max(1, round(least / max(time_of(step, 1), 1e-6))))
    turns = [
        [time_of(step, n) for step, n in zip(steps, repeats, strict=True)] for _ in range(tries)
    ]
    return [min(times) for times in zip(*turns, strict=True)]


def lab_step(layers: int, width: int, heads: int, tokens: np.ndarray) -> tuple[Callable, int]:
    """A training step of the lab's transformer: loss, gradients, Adam."""
    model = CountedTransformer(layers, width, heads, VOCABULARY, CONTEXT)
    optimizer = Optimizer(model.weights, Recipe(), {})
    inputs, targets = tokens[:, :-1], tokens[:, 1:]

    def step() -> None:
        model.loss_and_grad(inputs, targets)
        optimizer.step(model.gradients.flat, 1e-3)

    return step, model.n_params


def torch_step(layers: int, width: int, heads: int, tokens: np.ndarray) -> tuple[Callable, int]:
    """The same step in eager torch: the same weights, operations and optimiser."""

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, rows, columns in (
                ("qkv", 3 * width, width),
                ("out", width, width),
                ("up", 4 * width, width),
                ("down", width, 4 * width),
            ):
                setattr(self, name, torch.nn.Linear(columns, rows, bias=False))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            batch, length, _ = x.shape
            qkv = self.qkv(F.rms_norm(x, (width,), eps=1e-5))
            q, k, v = qkv.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
            return x + self.down(F.relu(self.up(F.rms_norm(x, (width,), eps=1e-5))))

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(VOCABULARY, width)
            self.positions = torch.nn.Parameter(torch.randn(CONTEXT, width))
            self.blocks = torch.nn.Sequential(*(Block() for _ in range(layers)))
            self.head = torch.nn.Linear(width, VOCABULARY, bias=False)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            x = self.blocks(self.embedding(tokens) + self.positions)
            return self.head(F.rms_norm(x, (width,), eps=1e-5))

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
    inputs, targets = torch.tensor(tokens[:, :-1]), torch.tensor(tokens[:, 1:]).flatten()

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(inputs).view(-1, VOCABULARY), targets).backward()
        optimizer.step()

    return step, sum(p.numel() for p in model.parameters())


def beside_torch() -> None:
    """Tokens per CPU-second of both, and the geometric mean of the ratios at the lab's batch."""
    torch.set_num_threads(1)
    print(f"transformer, context {CONTEXT}, beside eager torch {torch.__version__}")
    print(f"{'N':>8} {'tokens/step':>12} {'lab tokens/s':>13} {'torch tokens/s':>15} {'ratio':>6}")
    ratios: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        for batch in BATCHES:
            tokens = rng.integers(0, VOCABULARY, (batch, CONTEXT + 1))
            (ours, n), (theirs, m) = lab_step(*shape, tokens), torch_step(*shape, tokens)
            assert n == m, "the two models differ"
            rates = [batch * CONTEXT / seconds for seconds in cpu_seconds(ours, theirs)]
            ratios[batch].append(rates[0] / rates[1])
            print(
                f"{human(n):>8} {batch * CONTEXT:>12} {rates[0]:>13,.0f} {rates[1]:>15,.0f}"
                f" {ratios[batch][-1]:>6.2f}"
            )
    for batch, found in ratios.items():
        print(
            f"{batch * CONTEXT} tokens a step: geometric mean {statistics.geometric_mean(found):.2f}"
            f", from {min(found):.2f} to {max(found):.2f}"
        )
    print(f"RATIO 1, lab / torch: {statistics.geometric_mean(ratios[LAB_BATCH]):.2f}")


def beside_the_peak() -> None:
    """FLOP/s of the byte model's training steps over those of the fastest square product."""
    peak = 0.0
    for size in (512, 1024, 2048):
        a, b, out = np.ones((3, size, size), np.float32)
        (seconds,) = cpu_seconds(lambda a=a, b=b, out=out: np.matmul(a, b, out))
        peak = max(peak, 2 * size**3 / seconds)
    print(f"byte model beside the peak of float32 products, {peak / 1e9:.0f} GFLOP/s on one core")
    print(f"{'h':>8} {'N':>8} {'GFLOP/s':>8} {'share':>6}")
    windows = np.random.default_rng(0).integers(0, 97, (256, 13)).astype(np.uint8)
    inputs, targets = windows[:, :-1], windows[:, -1]
    for width in (64, 128, 256, 512, 1024):
        model = ByteMLP(width)
        optimizer = Optimizer(model.weights, Recipe(), model.rate_factors)
        with count_flops() as counter:
            model.loss_and_grad(inputs, targets)

        def step(model: ByteMLP = model, optimizer: Optimizer = optimizer) -> None:
            model.loss_and_grad(inputs, targets)
            optimizer.step(model.gradients.flat, 1e-6)

        (seconds,) = cpu_seconds(step)
        speed = counter.total / seconds
        print(f"{width:>8} {human(model.n_params):>8} {speed / 1e9:>8.1f} {speed / peak:>6.2f}")
        if width == 512:
            ratio = speed / peak
    print(f"RATIO 2, byte model at h = 512 / peak: {ratio:.2f}")


if __name__ == "__main__":
    print(f"NumPy {np.__version__}, one thread")
    if torch is None:
        print("torch is not installed: its comparison is left out (pip install torch)")
    else:
        beside_torch()
    beside_the_peak()
