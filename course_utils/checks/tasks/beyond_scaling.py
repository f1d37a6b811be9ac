"""Exercise 09: many samples, who chooses among them, transfer, experts and few bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from course_utils import emergence, sampling, transfer
from course_utils.checks.task import Diagnosis, Exercise, Part, Task
from course_utils.laws import training_flops

# --- pass_at_k ----------------------------------------------------------------------------------


def _pass_at_k(samples: int, right: int, k: int) -> float:
    return emergence.pass_at_k(samples, right, k)


def _few_samples(rng: Generator) -> list[tuple]:
    return [
        (int(n), int(c), int(k))
        for n, c, k in zip(
            rng.integers(15, 30, 4), rng.integers(2, 6, 4), rng.integers(3, 9, 4), strict=True
        )
    ]


def _many_samples(rng: Generator) -> list[tuple]:
    """So many that the numbers of subsets are too large for a float."""
    return [
        (int(n), int(c), int(k))
        for n, c, k in zip(
            rng.integers(5_000, 9_000, 3),
            rng.integers(2, 6, 3),
            rng.integers(1_000, 2_000, 3),
            strict=True,
        )
    ]


def _no_way_to_miss(rng: Generator) -> list[tuple]:
    n = int(rng.integers(10, 20))
    return [(n, 0, 4), (n, n - 2, 3), (n, n, n), (n, 1, n)]


def _too_few_samples(rng: Generator) -> list[tuple]:
    n = int(rng.integers(2, 9))
    return [(n, 1, n + 1), (1, 0, 10)]


PASS = Task(
    name="pass_at_k",
    # Where nothing is right the answer is 0.
    atol=1e-9,
    reference=_pass_at_k,
    parts=(
        Part("few samples", 1, _few_samples),
        Part("thousands of samples", 1, _many_samples),
        Part("none, all, or too many right ones to miss", 1, _no_way_to_miss),
        Part("more tries than samples", 1, _too_few_samples, raises=True),
    ),
    diagnoses=(
        Diagnosis(
            "share plugged in",
            lambda n, c, k: 1 - (1 - c / n) ** k,
            "You plugged the measured share into 1 − (1 − p)^k: too low on average. Count the "
            "subsets of k samples that hold no right one.",
        ),
        Diagnosis(
            "one try",
            lambda n, c, k: c / n,
            "That is the share of right samples, pass@1. Of k samples one is enough.",
        ),
        Diagnosis(
            "shares added",
            lambda n, c, k: min(1.0, k * c / n),
            "You multiplied the share by k: that counts subsets with two right samples twice.",
        ),
        Diagnosis(
            "the chance to miss",
            lambda n, c, k: 1 - emergence.pass_at_k(n, c, k),
            "That is the chance that none of the k is right: subtract it from 1.",
        ),
        Diagnosis(
            "all right",
            lambda n, c, k: 1 - emergence.pass_at_k(n, n - c, k),
            "That is the chance that all k samples are right. One right one is enough.",
        ),
        Diagnosis(
            "one factor missing",
            lambda n, c, k: 1 - float(np.prod([max(0, n - c - i) / (n - i) for i in range(k - 1)])),
            "You multiply k − 1 factors: i runs from 0 to k − 1, which is range(k).",
        ),
    ),
    example=(20, 3, 5),
    shown="0.6009",
)

# --- majority -----------------------------------------------------------------------------------


def _ballots(rng: Generator, low: int, high: int) -> list[tuple]:
    halves = rng.integers(low, high, 4)
    return [
        (float(p), int(2 * half + 1))
        for p, half in zip(rng.uniform(0.25, 0.75, 4).round(2), halves, strict=True)
    ]


def _ties(rng: Generator) -> list[tuple]:
    return [(float(rng.uniform(0.2, 0.8)), 2 * int(rng.integers(1, 30))), (0.5, 2)]


def _exactly(p: float, votes: int, right: int) -> float:
    """The chance of exactly that many right votes, as what two tails leave of each other."""
    return float(np.prod([(votes - i) / (i + 1) * p for i in range(right)])) * (1 - p) ** (
        votes - right
    )


MAJORITY = Task(
    name="majority",
    # A hopeless vote may be right once in a billion.
    atol=1e-12,
    reference=sampling.majority_vote,
    parts=(
        Part("a few votes", 1, lambda rng: _ballots(rng, 1, 5)),
        Part("dozens of votes", 1, lambda rng: _ballots(rng, 10, 60)),
        Part("an even number of votes", 1, _ties, raises=True),
    ),
    diagnoses=(
        Diagnosis(
            "coverage",
            lambda p, votes: sampling.coverage(p, votes),
            "That is coverage, the chance that *some* vote is right. More than half must be.",
        ),
        Diagnosis(
            "all right",
            lambda p, votes: p**votes,
            "That is the chance that all votes are right. More than half are enough.",
        ),
        Diagnosis(
            "just a majority",
            lambda p, votes: _exactly(p, votes, votes // 2 + 1),
            "That is the narrowest majority alone: add the cases with more right votes.",
        ),
        Diagnosis(
            "one too few",
            lambda p, votes: sampling.majority_vote(p, votes) + _exactly(p, votes, votes // 2),
            "You count votes // 2 right ones too: of 5 votes 2 are no majority.",
        ),
        Diagnosis(
            "the wrong side",
            lambda p, votes: 1 - sampling.majority_vote(p, votes),
            "That is how often the *wrong* answer wins.",
        ),
        Diagnosis(
            "no change",
            lambda p, votes: p,
            "That is one sample. A vote moves it away from one half, up or down.",
        ),
    ),
    example=(0.45, 101),
    shown="0.156",
)

# --- best_of_k ----------------------------------------------------------------------------------


def _best_of_k(p: float, k: int, accepts_right: float, accepts_wrong: float) -> dict[str, Any]:
    return {
        "coverage": sampling.coverage(p, k),
        "ceiling": sampling.verifier_ceiling(p, accepts_right, accepts_wrong),
        "accuracy": sampling.best_of(p, k, accepts_right, accepts_wrong),
    }


def _verifiers(rng: Generator, low: int = 2, high: int = 9) -> list[tuple]:
    return [
        (float(p), int(k), float(t), float(f))
        for p, k, t, f in zip(
            rng.uniform(0.05, 0.45, 4).round(2),
            rng.integers(low, high, 4),
            rng.uniform(0.5, 0.95, 4).round(2),
            rng.uniform(0.05, 0.4, 4).round(2),
            strict=True,
        )
    ]


def _accuracy(formula: Any) -> Any:
    """A diagnosis of the accuracy alone."""
    return lambda p, k, t, f: {"accuracy": formula(p, k, t, f)}


def _share(p: float, t: float, f: float) -> float:
    return p * t + (1 - p) * f


BEST = Task(
    name="best_of_k",
    reference=_best_of_k,
    parts=(
        Part("coverage", 1, _verifiers, key="coverage"),
        Part("the verifier's ceiling", 1, _verifiers, key="ceiling"),
        Part("accuracy with few samples", 1, _verifiers, key="accuracy"),
        Part("accuracy with one sample", 1, lambda rng: _verifiers(rng, 1, 2), key="accuracy"),
    ),
    diagnoses=(
        Diagnosis(
            "hit rate for ceiling",
            lambda p, k, t, f: {"ceiling": t},
            "You gave the share of right answers that are accepted. Asked is the share of "
            "accepted answers that are right.",
        ),
        Diagnosis(
            "false alarms forgotten",
            lambda p, k, t, f: {"ceiling": p * t},
            "That is how often a sample is right *and* accepted: divide by how often one is "
            "accepted at all.",
        ),
        Diagnosis(
            "no base rate",
            lambda p, k, t, f: {"ceiling": t / (t + f)},
            "You left out how rare right answers are: weigh accepts_right with p and "
            "accepts_wrong with 1 − p.",
        ),
        Diagnosis(
            "coverage for accuracy",
            _accuracy(lambda p, k, t, f: sampling.coverage(p, k)),
            "You gave coverage for accuracy: that a right answer is there does not make the "
            "verifier choose it.",
        ),
        Diagnosis(
            "the ceiling at once",
            _accuracy(lambda p, k, t, f: sampling.verifier_ceiling(p, t, f)),
            "You gave the ceiling for every k. With few samples it happens that none is "
            "accepted: then one of those refused is chosen.",
        ),
        Diagnosis(
            "a right one accepted",
            _accuracy(lambda p, k, t, f: sampling.coverage(p * t, k)),
            "That is the chance that a right answer is *among* those accepted. Wrong ones are "
            "accepted beside it, and one is chosen at random.",
        ),
        Diagnosis(
            "none accepted, all lost",
            _accuracy(
                lambda p, k, t, f: (
                    sampling.coverage(_share(p, t, f), k) * sampling.verifier_ceiling(p, t, f)
                )
            ),
            "Where none is accepted you count a wrong answer. One of the refused is chosen "
            "then, and it may be right: p·(1 − accepts_right) of all samples are right and "
            "refused.",
        ),
        Diagnosis(
            "none accepted, a fresh sample",
            _accuracy(
                lambda p, k, t, f: (
                    sampling.coverage(_share(p, t, f), k) * sampling.verifier_ceiling(p, t, f)
                    + (1 - sampling.coverage(_share(p, t, f), k)) * p
                )
            ),
            "Where none is accepted you take p. But refused samples are right less often than "
            "that: use the share of right ones among the refused.",
        ),
    ),
    example=(0.1, 4, 0.6, 0.4),
    shown={"coverage": "0.3439", "ceiling": "0.1429", "accuracy": "0.1345"},
)

# --- data_transferred ---------------------------------------------------------------------------


def _transferred(D_F: Any, loss: Any, scratch_D: Any, scratch_loss: Any) -> Any:
    return transfer.measured_transfer(scratch_D, scratch_loss, D_F, loss)


def _curve(rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    D = np.array([1e3, 1e4, 1e5, 1e6]) * float(rng.uniform(1, 5))
    return D, float(rng.uniform(4, 6)) - np.cumsum(rng.uniform(0.3, 0.9, 4))


def _single_runs(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        D, losses = _curve(rng)
        at = float(rng.uniform(0.2, 0.8))
        between = float(losses[2] * (1 - at) + losses[3] * at)
        drawn.append((float(D[0] * rng.uniform(1, 3)), between, D, losses))
    return drawn


def _series_of_runs(rng: Generator) -> list[tuple]:
    D, losses = _curve(rng)
    at = np.sort(rng.uniform(0.1, 0.9, 3))[::-1]
    tuned = losses[3] + at * (losses[1] - losses[3])
    return [(D[0] * np.array([1.0, 2.0, 4.0]), tuned, D, losses)]


def _never_reached(rng: Generator) -> list[tuple]:
    D, losses = _curve(rng)
    return [
        (float(D[0]), float(losses[3] - 0.1), D, losses),
        (float(D[0]), float(losses[0] + 0.1), D, losses),
    ]


TRANSFER = Task(
    name="data_transferred",
    reference=_transferred,
    parts=(
        Part("single runs", 2, _single_runs),
        Part("an array of runs", 1, _series_of_runs),
        Part("a loss that was never reached from scratch", 1, _never_reached, raises=True),
    ),
    diagnoses=(
        Diagnosis(
            "tuning data not subtracted",
            lambda D_F, loss, D, losses: _transferred(D_F, loss, D, losses) + D_F,
            "That is all the data that training from scratch needs. D_F of it was really there: "
            "subtract it.",
        ),
        Diagnosis(
            "straight in D",
            lambda D_F, loss, D, losses: np.interp(-loss, -losses, D) - D_F,
            "You interpolate in D. Between two sizes the loss is straight in log D: interpolate "
            "np.log(scratch_D), then np.exp.",
        ),
        Diagnosis(
            "interp needs rising x",
            lambda D_F, loss, D, losses: np.exp(np.interp(loss, losses, np.log(D))) - D_F,
            "np.interp needs its second argument to rise, and losses fall: give it -loss and "
            "-scratch_loss, or reverse both arrays.",
        ),
        Diagnosis(
            "read downwards",
            lambda D_F, loss, D, losses: np.interp(np.log(D_F), np.log(D), losses) - loss,
            "That is the gain in loss at the same data. Asked is the gain in data at the same "
            "loss: read the curve sideways.",
        ),
        Diagnosis(
            "a multiple",
            lambda D_F, loss, D, losses: (_transferred(D_F, loss, D, losses) + D_F) / D_F,
            "That is how many times D_F the model acts as if it had. Asked is the difference.",
        ),
    ),
    example=(1e4, 2.3, np.array([1e4, 1e5, 1e6]), np.array([3.0, 2.5, 2.1])),
    shown="3.062e5",
)

# --- mixture ------------------------------------------------------------------------------------


def _mixture(
    total: float, active: float, D: float, experts: int, visited: int, batch: int
) -> dict[str, Any]:
    return {
        "flops": training_flops(active, D),
        "bytes": 2 * total,
        "read": sampling.coverage(visited / experts, batch),
    }


def _mixtures(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        active = float(rng.integers(2, 60)) * 1e9
        drawn.append(
            (
                active * float(rng.integers(3, 20)),
                active,
                float(rng.integers(1, 20)) * 1e12,
                int(rng.choice([8, 16, 64])),
                int(rng.integers(1, 4)),
                int(rng.integers(2, 9)),
            )
        )
    return drawn


MIXTURE = Task(
    name="mixture",
    reference=_mixture,
    parts=tuple(Part(key, 1, _mixtures, key=key) for key in ("flops", "bytes", "read")),
    diagnoses=(
        Diagnosis(
            "all parameters in 6ND",
            lambda total, active, D, experts, visited, batch: {"flops": 6 * total * D},
            "You put all parameters into 6ND. A token passes through the active ones only.",
        ),
        Diagnosis(
            "the forward pass",
            lambda total, active, D, experts, visited, batch: {"flops": 2 * active * D},
            "2·N·D is the forward pass. Training takes three times as much: 6·N·D.",
        ),
        Diagnosis(
            "active parameters in memory",
            lambda total, active, D, experts, visited, batch: {"bytes": 2 * active},
            "You store the active parameters only. Every expert must be at hand: memory takes "
            "all of them.",
        ),
        Diagnosis(
            "bits for bytes",
            lambda total, active, D, experts, visited, batch: {"bytes": 16 * total},
            "16 bits are 2 bytes.",
        ),
        Diagnosis(
            "one token",
            lambda total, active, D, experts, visited, batch: {"read": visited / experts},
            "That is what one token reads. An expert is read when any token of the batch "
            "visits it.",
        ),
        Diagnosis(
            "shares added",
            lambda total, active, D, experts, visited, batch: {
                "read": min(1.0, batch * visited / experts)
            },
            "You added the shares of the tokens. Several tokens visit the same expert, which is "
            "read once: what is the chance that none visits it?",
        ),
        Diagnosis(
            "the experts left alone",
            lambda total, active, D, experts, visited, batch: {
                "read": (1 - visited / experts) ** batch
            },
            "That is the share of experts that no token visits: subtract it from 1.",
        ),
    ),
    example=(671e9, 37e9, 14.8e12, 8, 2, 4),
    shown={"flops": "3.286e24", "bytes": "1.342e12", "read": "0.6836"},
)

# --- rounded ------------------------------------------------------------------------------------


def _rounded(weights: Any, bits: int) -> dict[str, Any]:
    return _in_steps(weights, 2 ** (bits - 1) - 1, 1)


def _in_steps(weights: Any, steps: int, axis: int | None, how: Any = np.round) -> dict[str, Any]:
    """Rounded to so many steps on each side of 0, with one step along ``axis``."""
    weights = np.asarray(weights, dtype=float)
    step = np.abs(weights).max(axis=axis, keepdims=True) / steps
    told = step * how(weights / np.where(step > 0, step, 1))
    return {"weights": told, "worst": float(np.abs(told - weights).max())}


def _steps_alone(weights: Any, bits: int) -> dict[str, Any]:
    """The whole numbers, not multiplied by the size of a step."""
    step = np.abs(weights).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    told = np.round(weights / np.where(step > 0, step, 1))
    return {"weights": told, "worst": float(np.abs(told - weights).max())}


def _matrices(rng: Generator, low: int = 2, high: int = 9) -> list[tuple]:
    """Rows of very different sizes, as in trained models."""
    sizes = np.array([[0.02], [0.3], [1.0], [9.0]])
    return [(rng.standard_normal((4, 6)) * sizes, int(b)) for b in rng.integers(low, high, 3)]


def _with_a_dead_row(rng: Generator) -> list[tuple]:
    weights = rng.standard_normal((3, 5))
    weights[1] = 0
    return [(weights, 4), (np.zeros((2, 2)), 8)]


ROUNDED = Task(
    name="rounded",
    # What rounds to 0 is compared with 0.
    atol=1e-12,
    reference=_rounded,
    parts=(
        Part("many bits", 1, lambda rng: _matrices(rng, 6, 9), key="weights"),
        Part("few bits", 1, lambda rng: _matrices(rng, 2, 5), key="weights"),
        Part("the worst error", 1, _matrices, key="worst"),
        Part("a row of zeros", 1, _with_a_dead_row, key="weights"),
    ),
    diagnoses=(
        Diagnosis(
            "one step for all",
            lambda W, bits: _in_steps(W, 2 ** (bits - 1) - 1, None),
            "You have one step for the whole matrix: small rows lose everything beside a large "
            "one. Take the maximum along axis=1.",
        ),
        Diagnosis(
            "a step for each column",
            lambda W, bits: _in_steps(W, 2 ** (bits - 1) - 1, 0),
            "Your steps belong to columns: a row is axis=1, with keepdims=True.",
        ),
        Diagnosis(
            "the sign forgotten",
            lambda W, bits: _in_steps(W, 2**bits - 1, 1),
            "You give each side of 0 all steps. One bit is the sign: 2^(bits−1) − 1 steps on "
            "each side.",
        ),
        Diagnosis(
            "one step too many",
            lambda W, bits: _in_steps(W, 2 ** (bits - 1), 1),
            "You have 2^(bits−1) steps on each side of 0. With 0 itself that is one number more "
            "than the bits can hold: subtract 1.",
        ),
        Diagnosis(
            "cut off",
            lambda W, bits: _in_steps(W, 2 ** (bits - 1) - 1, 1, np.trunc),
            "You cut off towards 0 (int, astype and np.trunc do that): round to the nearest step.",
        ),
        Diagnosis(
            "steps for weights",
            _steps_alone,
            "You return the numbers of steps. The model needs weights: multiply by the size of "
            "a step.",
        ),
        Diagnosis(
            "the mean error",
            lambda W, bits: {"worst": float(np.abs(_rounded(W, bits)["weights"] - W).mean())},
            "That is the mean error: asked is the largest one.",
        ),
    ),
    example=(np.array([[0.5, -1.0], [0.03, 0.01]]), 3),
    shown={"worst": "0.1667"},
)


EXERCISE = Exercise(
    "09_beyond_scaling",
    tasks=(PASS, MAJORITY, BEST, TRANSFER, MIXTURE, ROUNDED),
    allowed=frozenset({"facts", "quantities"}),
)
