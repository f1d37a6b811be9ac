"""Exercise 08: what a batch costs, what sixteen bits lose, what failures and copies take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from course_utils import large_runs
from course_utils.checks.task import Diagnosis, Exercise, Part, Task
from course_utils.fitting import fit_power_law
from course_utils.large_runs import FORMATS
from course_utils.quantities import SECONDS_PER_DAY, plain
from course_utils.transformer import PRESETS

# --- batch_cost ---------------------------------------------------------------------------------


def _batch_cost(batch: Any, critical: float) -> dict[str, Any]:
    return {
        "steps": large_runs.steps_factor(batch, critical),
        "tokens": large_runs.tokens_factor(batch, critical),
    }


def _batches(rng: Generator) -> list[tuple]:
    return [
        (float(rng.integers(1, 90)) * 1e5, float(rng.integers(1, 90)) * 1e5 + 3e4) for _ in range(4)
    ]


def _many_batches(rng: Generator) -> list[tuple]:
    return [(rng.integers(1, 90, 4) * 1e5, float(rng.integers(1, 90)) * 1e5 + 3e4)]


COST = Task(
    name="batch_cost",
    reference=_batch_cost,
    parts=(
        Part("steps", 1, _batches, key="steps"),
        Part("tokens", 1, _batches, key="tokens"),
        Part("an array of batches", 1, _many_batches),
    ),
    diagnoses=(
        Diagnosis(
            "swapped",
            lambda B, crit: {"steps": 1 + B / crit, "tokens": 1 + crit / B},
            "You swapped the two: a larger batch saves steps and costs tokens.",
        ),
        Diagnosis(
            "free until critical",
            lambda B, crit: {"steps": np.maximum(1, crit / B), "tokens": np.maximum(1, B / crit)},
            "You let a batch be free up to the critical one. There is no such corner: at it both "
            "factors are already 2.",
        ),
        Diagnosis(
            "the one forgotten",
            lambda B, crit: {"steps": crit / B, "tokens": B / crit},
            "You forgot the one: no batch takes fewer than S_min steps or E_min tokens.",
        ),
        Diagnosis(
            "relative to the critical batch",
            lambda B, crit: {"steps": (1 + crit / B) / 2, "tokens": (1 + B / crit) / 2},
            "You compare with the critical batch. Asked is the ratio to the least possible.",
        ),
    ),
    example=(4e6, 1e6),
    shown={"steps": "1.25", "tokens": "5.0"},
)


# --- noise_scale --------------------------------------------------------------------------------


def _noise(small: float, small_squares: Any, big: float, big_squares: Any) -> dict[str, float]:
    found = large_runs.gradient_noise(small, small_squares, big, big_squares)
    return {"signal": found.signal, "noise": found.noise, "scale": found.scale}


def _measurements(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        small, big = int(rng.integers(8, 100)), int(rng.integers(1000, 9000))
        signal, scale = rng.uniform(0.01, 2), rng.uniform(100, 3000)
        squares = [
            signal * (1 + scale / size) * rng.uniform(0.97, 1.03, n)
            for size, n in ((small, 5), (big, 3))
        ]
        drawn.append((small, squares[0], big, squares[1]))
    return drawn


def _solved(small: float, short: Any, big: float, long: Any) -> dict[str, float]:
    """Both unknowns from whatever was taken for the mean squares, however odd."""
    noise = (short - long) / (1 / small - 1 / big)
    signal = long - noise / big
    return {"signal": signal, "noise": noise, "scale": noise / signal}


def _naive(small: Any, small_squares: Any, big: Any, big_squares: Any) -> dict[str, float]:
    signal = np.mean(big_squares)
    noise = small * (np.mean(small_squares) - signal)
    return {"signal": signal, "noise": noise, "scale": noise / signal}


def _one_batch(small: Any, small_squares: Any, big: Any, big_squares: Any) -> dict[str, float]:
    return {"noise": small * np.mean(small_squares)}


NOISE = Task(
    name="noise_scale",
    reference=_noise,
    parts=tuple(
        Part(key, points, _measurements, key=key)
        for key, points in (("signal", 1), ("noise", 1), ("scale", 2))
    ),
    diagnoses=(
        Diagnosis(
            "the big batch taken for the truth",
            _naive,
            "You took the big batch's gradient for the true one. Its square still holds noise/big: "
            "two equations with two unknowns take that out.",
        ),
        Diagnosis(
            "all of it noise",
            _one_batch,
            "You call all of the small batch's square noise. It holds the signal, too.",
        ),
        Diagnosis(
            "upside down",
            lambda b, sb, B, sB: {"scale": 1 / large_runs.gradient_noise(b, sb, B, sB).scale},
            "Upside down: the noise scale is noise over signal.",
        ),
        Diagnosis(
            "squared once more",
            lambda b, sb, B, sB: _solved(b, np.mean(np.square(sb)), B, np.mean(np.square(sB))),
            "You squared once more: the inputs are squared norms already.",
        ),
        Diagnosis(
            "square of the mean norm",
            lambda b, sb, B, sB: _solved(
                b, np.mean(np.sqrt(sb)) ** 2, B, np.mean(np.sqrt(sB)) ** 2
            ),
            "You averaged norms and squared the mean. Average the squares.",
        ),
    ),
    example=(10, np.array([1.2, 0.8]), 100, np.array([0.19])),
    shown={"signal": "0.1", "noise": "9.0", "scale": "90.0"},
)


# --- rate_rule ----------------------------------------------------------------------------------


def _rule(batches: Any, rates: Any, losses: Any) -> dict[str, Any]:
    best = np.asarray(rates)[np.argmin(losses, axis=1)]
    return {"best": best, "exponent": fit_power_law(batches, best).exponent}


def _tables(rng: Generator) -> list[tuple]:
    """Losses whose best rates rise with the batch, though not along a straight line."""
    drawn = []
    for _ in range(3):
        batches = 2.0 ** (rng.integers(4, 7) + 2 * np.arange(4))
        rates = 1e-3 * 2.0 ** np.arange(8)
        places = np.sort(rng.choice(8, 4, replace=False))
        if places[0] + places[3] == places[1] + places[2]:
            places = np.array([0, 3, 4, 6])
        bowl = 0.1 * (np.arange(8) - places[:, None]) ** 2
        losses = (1.7 + bowl + rng.uniform(0, 0.03, (4, 8))).round(3)
        drawn.append((batches, rates, losses))
    return drawn


def _ends(batches: Any, rates: Any, losses: Any) -> dict[str, float]:
    best = _rule(batches, rates, losses)["best"]
    return {"exponent": np.log(best[-1] / best[0]) / np.log(batches[-1] / batches[0])}


RULE = Task(
    name="rate_rule",
    reference=_rule,
    parts=(Part("best", 1, _tables, key="best"), Part("exponent", 2, _tables, key="exponent")),
    diagnoses=(
        Diagnosis(
            "one rate for all",
            lambda B, r, loss: {
                "best": np.full(len(B), np.asarray(r)[np.argmin(np.mean(loss, axis=0))])
            },
            "You chose one rate for all batches. Look for the least loss in each row.",
        ),
        Diagnosis(
            "the losses themselves",
            lambda B, r, loss: {"best": np.min(loss, axis=1)},
            "Those are the least losses. Asked are the rates at which they were found.",
        ),
        Diagnosis(
            "places",
            lambda B, r, loss: {"best": np.argmin(loss, axis=1).astype(float)},
            "Those are the rates' places in the list: take rates[place].",
        ),
        Diagnosis(
            "axes swapped",
            lambda B, r, loss: {
                "exponent": fit_power_law(_rule(B, r, loss)["best"], B).exponent,
            },
            "You fitted the batch as a power of the rate. Asked is the rate as a power of the "
            "batch: ln B belongs on the x axis.",
        ),
        Diagnosis(
            "no logarithms",
            lambda B, r, loss: {"exponent": np.polyfit(B, _rule(B, r, loss)["best"], 1)[0]},
            "You fitted a straight line without logarithms. An exponent is the slope of ln(rate) "
            "against ln(batch).",
        ),
        Diagnosis(
            "first and last only",
            _ends,
            "You used the first and the last batch alone. Fit all of them: np.polyfit.",
        ),
    ),
    example=(
        np.array([32.0, 128.0, 512.0]),
        np.array([0.005, 0.01, 0.02, 0.04]),
        np.array([[1.83, 1.93, 2.21, 2.59], [1.82, 1.76, 1.79, 1.99], [1.95, 1.82, 1.76, 1.75]]),
    ),
    shown={"exponent": "0.75"},
)


# --- to_bf16 ------------------------------------------------------------------------------------


def _bits(x: Any) -> Any:
    return np.asarray(x, np.float32).view(np.uint32)


def _upper(bits: Any) -> Any:
    return plain(np.asarray(bits & np.uint32(0xFFFF0000)).view(np.float32).astype(float))


def _values(rng: Generator) -> list[tuple]:
    sizes = 10.0 ** rng.uniform(-6, 6, 6)
    return [(float(np.float32(size)),) for size in sizes]


def _between(rng: Generator) -> list[tuple]:
    """Numbers exactly half-way between two that BF16 knows, above even and above odd ones."""
    odd = 2 * rng.integers(64, 127, 3) + 1
    even = 2 * rng.integers(64, 127, 3)
    return [(float(n + 0.5),) for n in (*odd, *even)]


def _arrays(rng: Generator) -> list[tuple]:
    signs = rng.choice([-1.0, 1.0], 8)
    return [(np.float32(signs * 10.0 ** rng.uniform(-5, 5, 8)).astype(float),)]


BF16 = Task(
    name="to_bf16",
    reference=lambda x: FORMATS["BF16"].round(x),
    parts=(
        Part("single numbers", 1, _values),
        Part("half-way between two", 1, _between),
        Part("arrays, negative ones too", 1, _arrays),
    ),
    diagnoses=(
        Diagnosis(
            "FP16",
            lambda x: plain(np.asarray(x, np.float16).astype(float)),
            "That is FP16: more digits, less range. BF16 keeps float32's 8 exponent bits and 7 "
            "fraction bits.",
        ),
        Diagnosis(
            "cut off",
            lambda x: _upper(_bits(x)),
            "You cut the lower bits off. Round: add half a step first.",
        ),
        Diagnosis(
            "ties upward",
            lambda x: _upper(_bits(x) + np.uint32(0x8000)),
            "Half-way numbers go away from zero with you. They go to the even neighbour: add "
            "0x7FFF, and 1 more if the last kept bit is 1.",
        ),
        Diagnosis(
            "one bit too few",
            lambda x: np.ldexp(np.rint(np.frexp(x)[0] * 128), np.frexp(x)[1] - 7),
            "You keep one bit too few: 7 fraction bits follow the leading 1, so 8 count.",
        ),
        Diagnosis(
            "nothing rounded",
            lambda x: plain(np.asarray(x, np.float32).astype(float)),
            "Nothing is rounded: you return x as float32.",
        ),
    ),
    example=(1.01,),
    shown="1.0078",
)


# --- checkpoint_plan ----------------------------------------------------------------------------


def _plan(days: float, failures: int, write: float, restart: float) -> dict[str, float]:
    mtbf = days * SECONDS_PER_DAY / failures
    tau = large_runs.checkpoint_interval(write, mtbf)
    return {
        "mtbf": mtbf,
        "interval": tau,
        "lost": large_runs.lost_share(tau, write, restart, mtbf),
    }


def _clusters(rng: Generator) -> list[tuple]:
    return [
        (
            int(rng.integers(10, 90)),
            int(rng.integers(20, 500)),
            float(rng.integers(5, 90)),
            float(rng.integers(60, 900)),
        )
        for _ in range(4)
    ]


def _with(tau: Any, lost: Any) -> Any:
    """A diagnosis: another interval, or another sum of losses, from M, write and restart."""

    def formula(days: float, failures: int, write: float, restart: float) -> dict[str, float]:
        mtbf = days * SECONDS_PER_DAY / failures
        interval = tau(write, mtbf)
        return {"interval": interval, "lost": lost(interval, write, restart, mtbf)}

    return formula


def _only_lost(lost: Any) -> Any:
    return lambda *given: {"lost": _with(large_runs.checkpoint_interval, lost)(*given)["lost"]}


CHECKPOINTS = Task(
    name="checkpoint_plan",
    reference=_plan,
    parts=tuple(Part(key, 1, _clusters, key=key) for key in ("mtbf", "interval", "lost")),
    diagnoses=(
        Diagnosis(
            "failures a day",
            lambda days, failures, write, restart: {"mtbf": failures / days},
            "Those are failures a day. Asked is the time between two, in seconds.",
        ),
        Diagnosis(
            "the 2 forgotten",
            _with(lambda write, mtbf: np.sqrt(write * mtbf), large_runs.lost_share),
            "You forgot the 2: a failure costs half an interval on average.",
        ),
        Diagnosis(
            "repeats forgotten",
            _only_lost(lambda tau, write, restart, mtbf: write / tau + restart / mtbf),
            "You forgot what is computed again: half an interval for each failure.",
        ),
        Diagnosis(
            "whole intervals",
            _only_lost(
                lambda tau, write, restart, mtbf: write / tau + tau / mtbf + restart / mtbf,
            ),
            "You let each failure cost a whole interval. On average it comes in the middle of one.",
        ),
        Diagnosis(
            "restart forgotten",
            _only_lost(lambda tau, write, restart, mtbf: write / tau + tau / (2 * mtbf)),
            "You forgot the restart, once for each failure: restart / mtbf.",
        ),
        Diagnosis(
            "restart with every checkpoint",
            _only_lost(
                lambda tau, write, restart, mtbf: write / tau + tau / (2 * mtbf) + restart / tau,
            ),
            "You restart after every checkpoint. A restart follows a failure: divide by mtbf.",
        ),
    ),
    example=(54, 419, 60, 600),
    shown={"mtbf": "11135", "interval": "1156", "lost": "0.158"},
)


# --- bytes_per_device ---------------------------------------------------------------------------

_MODEL = PRESETS["llama-2-7b"]


def _bytes(n_params: Any, cut: int, copies: int, stage: int) -> Any:
    shares = large_runs.device_memory(_MODEL, tensor=cut, data=copies, stage=stage)
    return n_params * sum(shares.values()) / _MODEL.params()


def _layouts(rng: Generator, stages: tuple[int, ...]) -> list[tuple]:
    return [
        (
            float(rng.integers(1, 500)) * 1e9,
            int(2 ** rng.integers(0, 8)),
            int(2 ** rng.integers(2, 9)),
            stage,
        )
        for stage in stages
        for _ in range(2)
    ]


def _per_param(formula: Any) -> Any:
    return lambda n, cut, copies, stage: n * formula(cut, copies, stage)


MEMORY = Task(
    name="bytes_per_device",
    reference=_bytes,
    parts=(
        Part("copies that share nothing", 1, lambda rng: _layouts(rng, (0,))),
        Part("a sharded optimizer", 1, lambda rng: _layouts(rng, (1,))),
        Part("more of it sharded", 1, lambda rng: _layouts(rng, (2, 3))),
    ),
    diagnoses=(
        Diagnosis(
            "8 bytes",
            _per_param(lambda cut, copies, stage: 8 / cut / (copies if stage else 1)),
            "You count 8 bytes a parameter. It is 16: weight 2, gradient 2, master copy 4, "
            "moments 4 + 4.",
        ),
        Diagnosis(
            "copies divide",
            _per_param(lambda cut, copies, stage: 16 / cut / copies),
            "You divide all of it by the copies. A copy holds everything that its stage does not "
            "shard.",
        ),
        Diagnosis(
            "nothing sharded",
            _per_param(lambda cut, copies, stage: 16 / cut),
            "You shard nothing: from stage 1 on the optimizer's bytes are divided by the copies.",
        ),
        Diagnosis(
            "cut forgotten",
            lambda n, cut, copies, stage: _bytes(n, 1, copies, stage),
            "You forgot `cut`: tensor and pipeline parallelism divide all of it.",
        ),
        Diagnosis(
            "master copy not sharded",
            _per_param(
                lambda cut, copies, stage: (
                    (16 - (8, 10, 12)[stage - 1] * (1 - 1 / copies) if stage else 16) / cut
                )
            ),
            "You shard the moments and keep the master copy whole. It belongs to the optimizer: "
            "12 bytes, not 8.",
        ),
    ),
    example=(7e9, 1, 64, 1),
    shown="2.931e10",
)


EXERCISE = Exercise(
    "08_training_at_scale",
    tasks=(COST, NOISE, RULE, BF16, CHECKPOINTS, MEMORY),
    allowed=frozenset({"facts", "quantities"}),
)
