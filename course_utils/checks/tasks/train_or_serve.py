"""Exercise 05: as good but smaller, the cache, the step, the batch, and the bill of a service."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator

from course_utils import hardware
from course_utils.checks.task import Diagnosis, Exercise, Part, Task
from course_utils.laws import BESIROGLU_2024, ChinchillaLaw, training_flops
from course_utils.planning import inference_optimal
from course_utils.quantities import SECONDS_PER_DAY, SECONDS_PER_HOUR, plain
from course_utils.transformer import Transformer

FIT = tuple(vars(BESIROGLU_2024).values())
"""E, A, B, alpha, beta."""


def _fit(rng: Generator) -> tuple[float, ...]:
    """Draw a fit like those that people publish."""
    scale = rng.uniform(0.9, 1.1, 5)
    return tuple(float(value) for value in np.array(FIT) * scale)


# --- equal_loss_run ------------------------------------------------------------------------------


def _equal_loss(N: Any, L: float, *fit: float) -> dict[str, Any]:
    D = ChinchillaLaw(*fit).tokens_for_loss(N, L)
    return {"tokens": D, "flops": training_flops(N, D)}


def _goals(rng: Generator, sizes: int = 1) -> list[tuple]:
    """Sizes below an optimal one, and the loss of that."""
    drawn = []
    for _ in range(4):
        fit, N = _fit(rng), float(rng.integers(5, 200)) * 1e9
        shares = rng.uniform(0.35, 2, sizes)
        loss = ChinchillaLaw(*fit).optimal_for_params(N).loss
        drawn.append((float(N * shares[0]) if sizes == 1 else N * shares, loss, *fit))
    return drawn


def _too_small(rng: Generator) -> list[tuple]:
    drawn = []
    for N, loss, *fit in _goals(rng):
        E, A, _, alpha, _ = fit
        smallest = (A / (loss - E)) ** (1 / alpha)
        drawn.append((smallest * float(rng.uniform(0.3, 0.95)), loss, *fit))
        drawn.append((np.array([N, 0.9 * smallest]), loss, *fit))
    return drawn


def _tokens(formula: Any) -> Any:
    """A diagnosis of the tokens, and of the FLOPs that follow from them."""

    def answer(N: Any, L: float, *fit: float) -> dict[str, Any]:
        D = formula(N, L, *fit)
        return {"tokens": D, "flops": 6 * N * D}

    return answer


def _root(value: Any, exponent: float) -> Any:
    """The root, not a number where there is none: Python's own power would turn complex."""
    with np.errstate(invalid="ignore"):
        return plain(np.power(value, 1 / exponent, dtype=float))


EQUAL_LOSS = Task(
    name="equal_loss_run",
    reference=_equal_loss,
    parts=(
        Part("tokens", 1, _goals, key="tokens"),
        Part("flops", 1, _goals, key="flops"),
        Part("an array of sizes", 1, lambda rng: _goals(rng, sizes=4)),
        Part("sizes that never reach the loss", 1, _too_small, raises=True),
    ),
    diagnoses=(
        Diagnosis(
            "floor forgotten",
            _tokens(lambda N, L, E, A, B, a, b: (B / (L - A / N**a)) ** (1 / b)),
            "You leave E out. It is in the loss too: what B/D^β may be is L − E − A/N^α.",
        ),
        Diagnosis(
            "size forgotten",
            _tokens(lambda N, L, E, A, B, a, b: (B / (L - E)) ** (1 / b) * np.ones_like(N)),
            "That is the data for an endless model. Its size costs loss, too: subtract A/N^α.",
        ),
        Diagnosis(
            "20 tokens per parameter",
            _tokens(lambda N, L, E, A, B, a, b: 20 * N),
            "You keep 20 tokens per parameter. That is a rule for training alone, and a smaller "
            "model on fewer tokens has a higher loss: solve L = E + A/N^α + B/D^β for D.",
        ),
        Diagnosis(
            "wrong root",
            _tokens(lambda N, L, E, A, B, a, b: (B / (L - E - A / N**a)) ** (1 / a)),
            "You took the root with α. D has the exponent β.",
        ),
        Diagnosis(
            "no root",
            _tokens(lambda N, L, E, A, B, a, b: B / (L - E - A / N**a)),
            "That is D^β: take the root, with the power 1/β.",
        ),
        Diagnosis(
            "terms swapped",
            _tokens(lambda N, L, E, A, B, a, b: _root(A / (L - E - B / N**b), a)),
            "You swapped the two terms: A and α go with N, B and β with D.",
        ),
        Diagnosis(
            "forward only",
            lambda N, L, *fit: {"flops": _equal_loss(N, L, *fit)["flops"] / 3},
            "That is 2·N·D, a forward pass. Training takes 6·N·D.",
        ),
    ),
    example=(8e9, 2.0291, *FIT),
    shown={"tokens": "8.654e12", "flops": "4.154e23"},
)


# --- cheapest_for_life ---------------------------------------------------------------------------


def _cheapest(L: float, served: float, weight: float, *fit: float) -> dict[str, float]:
    law = ChinchillaLaw(*fit)
    size = law.optimal(law.compute_for_loss(L)).N
    plan = inference_optimal(law, size, weight * served)
    return {"N": plan.N, "D": plan.D, "total": plan.total_flops}


def _lives(rng: Generator, served: bool = True, weighted: bool = True) -> list[tuple]:
    drawn = []
    for _ in range(3):
        fit = _fit(rng)
        best = ChinchillaLaw(*fit).optimal_for_params(float(rng.integers(5, 100)) * 1e9)
        tokens = best.D * float(rng.uniform(2, 10)) if served else 0.0
        weight = float(rng.uniform(2, 20)) if weighted else 1.0
        drawn.append((best.loss, tokens, weight, *fit))
    return drawn


def _by_rule(L: float, served: float, weight: float, *fit: float) -> dict[str, float]:
    """The one model on 20 tokens per parameter that has the loss."""
    N = np.geomspace(1e6, 1e15, 200_000)
    size = float(np.interp(-L, -ChinchillaLaw(*fit).loss(N, 20 * N), N))
    total = 6 * size * 20 * size + 2 * size * served * weight
    return {"N": size, "D": 20 * size, "total": total}


LIFE = Task(
    name="cheapest_for_life",
    reference=_cheapest,
    # A grid of sizes finds the minimum to its step: the sum is flat there.
    rtol=3e-3,
    parts=(
        Part("nothing served", 1, lambda rng: _lives(rng, served=False, weighted=False)),
        Part("every FLOP alike", 1, lambda rng: _lives(rng, weighted=False)),
        Part("size", 1, _lives, key="N"),
        Part("total", 1, _lives, key="total"),
    ),
    diagnoses=(
        Diagnosis(
            "serving left out",
            lambda L, S, w, *fit: _cheapest(L, 0, 1, *fit),
            "That is the least training alone. Add 2·N·served·weight before you look for the "
            "smallest sum.",
        ),
        Diagnosis(
            "chosen without serving",
            lambda L, S, w, *fit: (
                _cheapest(L, 0, 1, *fit)
                | {"total": _cheapest(L, 0, 1, *fit)["total"] + _serving(L, 0, 1, S * w, *fit)}
            ),
            "You chose the size by its training and added the serving afterwards. Serving is part "
            "of the sum that is to be least.",
        ),
        Diagnosis(
            "weight forgotten",
            lambda L, S, w, *fit: _cheapest(L, S, 1, *fit),
            "You count a served FLOP like a training FLOP. It costs `weight` times as much.",
        ),
        Diagnosis(
            "training price",
            lambda L, S, w, *fit: _cheapest(L, 3 * S, w, *fit),
            "You pay 6 FLOPs for a served token and parameter. Serving has no backward pass: 2·N.",
        ),
        Diagnosis(
            "weight on training",
            lambda L, S, w, *fit: _times(w, _cheapest(L, S / w, 1, *fit)),
            "You multiplied the training by `weight`. It belongs to the served FLOPs.",
        ),
        Diagnosis(
            "20 tokens per parameter",
            _by_rule,
            "You keep 20 tokens per parameter, so that a single size has the loss and nothing is "
            "left to choose. Let N run over many sizes, each with the tokens of task 1.",
        ),
    ),
    example=(2.0291, 2e12, 10, *FIT),
    shown={"N": "1.029e10", "D": "3.619e12", "total": "6.348e23"},
)


def _serving(L: float, served: float, weight: float, later: float, *fit: float) -> float:
    return 2 * _cheapest(L, served, weight, *fit)["N"] * later


def _times(weight: float, plan: dict[str, float]) -> dict[str, float]:
    return plan | {"total": weight * plan["total"]}


# --- kv_cache ------------------------------------------------------------------------------------


def _cache(
    n_layers: int,
    n_heads: int,
    n_kv_heads: int | None,
    head_dim: int,
    tokens: float,
    bytes_per_value: float,
) -> dict[str, float]:
    model = Transformer(
        n_layers=n_layers,
        d_model=n_heads * head_dim,
        n_heads=n_heads,
        vocab_size=32_000,
        context=4096,
        n_kv_heads=n_kv_heads,
        head_dim=head_dim,
    )
    per_token = model.kv_bytes_per_token(bytes_per_value)
    return {"per_token": per_token, "gib": tokens * per_token / 2**30}


def _configurations(rng: Generator, grouped: bool = True) -> list[tuple]:
    drawn = []
    for _ in range(4):
        kv_heads, group = int(rng.integers(2, 13)), int(rng.integers(3, 9))
        heads = kv_heads * group
        drawn.append(
            (
                int(rng.integers(12, 120)),
                heads,
                kv_heads if grouped else None,
                int(rng.choice([64, 80, 128, 192])),
                float(rng.integers(1_000, 200_000)),
                float(rng.choice([1, 4])),
            )
        )
    return drawn


def _cached(values: Any) -> Any:
    """A diagnosis by the number of values that a token is said to keep."""

    def answer(
        L: int, heads: int, kv: int | None, dim: int, tokens: float, size: float
    ) -> dict[str, float]:
        per_token = values(L, heads, heads if kv is None else kv, dim) * size
        return {"per_token": per_token, "gib": tokens * per_token / 2**30}

    return answer


CACHE = Task(
    name="kv_cache",
    reference=_cache,
    parts=(
        Part("bytes of a token", 1, _configurations, key="per_token"),
        Part("GiB of a sequence", 1, _configurations, key="gib"),
        Part("n_kv_heads is None", 1, lambda rng: _configurations(rng, grouped=False)),
    ),
    diagnoses=(
        Diagnosis(
            "query heads",
            _cached(lambda L, heads, kv, dim: 2 * L * heads * dim),
            "You counted the query heads. What is cached are keys and values, and a group of "
            "query heads shares them: use n_kv_heads.",
        ),
        Diagnosis(
            "group size",
            _cached(lambda L, heads, kv, dim: 2 * L * (heads // kv) * dim),
            "n_heads / n_kv_heads is the size of a group. Each of the n_kv_heads heads keeps its "
            "own keys and values.",
        ),
        Diagnosis(
            "keys alone",
            _cached(lambda L, heads, kv, dim: L * kv * dim),
            "You cached keys or values. Attention needs both: a factor 2.",
        ),
        Diagnosis(
            "one layer",
            _cached(lambda L, heads, kv, dim: 2 * kv * dim),
            "That is one layer. Every layer has keys and values of its own.",
        ),
        Diagnosis(
            "16 bits",
            lambda L, h, kv, dim, T, size: _cache(L, h, kv, dim, T, 2),
            "You took 2 bytes for a value. Here it is bytes_per_value, which may be another.",
        ),
        Diagnosis(
            "decimal",
            lambda L, h, kv, dim, T, size: {
                "gib": T * _cache(L, h, kv, dim, T, size)["per_token"] / 1e9
            },
            "That is GB, 10⁹ bytes. A GiB has 2³⁰.",
        ),
        Diagnosis(
            "one token",
            lambda L, h, kv, dim, T, size: {
                "gib": _cache(L, h, kv, dim, T, size)["per_token"] / 2**30
            },
            "That is the cache of a single token: multiply by the tokens of the sequence.",
        ),
    ),
    example=(32, 32, 8, 128, 8192, 2),
    shown={"per_token": "131,072", "gib": "1.00"},
)


# --- decode_step ---------------------------------------------------------------------------------


def _chip(peak: float, bandwidth: float, memory: float = 80e9) -> hardware.Chip:
    return hardware.Chip("", peak, memory, bandwidth, None, "")


def _step(
    weights: float,
    cache: float,
    flops: float,
    batch: Any,
    peak: float,
    bandwidth: float,
    n_chips: int,
) -> dict[str, Any]:
    chip = _chip(peak, bandwidth)
    reading = hardware.decode_seconds_per_token(weights, chip, cache, batch, n_chips)
    multiplying = hardware.seconds(np.asarray(batch) * flops, chip, mfu=1, n_chips=n_chips)
    return _rates(batch, np.maximum(reading, multiplying))


def _rates(batch: Any, seconds: Any) -> dict[str, Any]:
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}


def _services(rng: Generator, low: float, high: float, size: int | None = None) -> list[tuple]:
    """Draw services whose batch is between so many times the one where arithmetic takes over."""
    drawn = []
    for _ in range(4):
        N = float(rng.integers(3, 100)) * 1e9
        peak, bandwidth = float(rng.uniform(1e14, 2e15)), float(rng.uniform(0.5e12, 8e12))
        weights, flops = 2 * N, 2.2 * N
        takes_over = weights / bandwidth / (flops / peak)
        # A batch of `takes_over` reads caches as large as a fifth of the weights.
        cache = 0.2 * weights / takes_over
        times = rng.uniform(low, high, size)
        batch = np.maximum(2, np.round(takes_over * times)).astype(int)
        if size is None:
            batch = int(batch)
        drawn.append((weights, cache, flops, batch, peak, bandwidth, int(rng.integers(2, 9))))
    return drawn


STEP = Task(
    name="decode_step",
    reference=_step,
    parts=(
        Part("few sequences", 1, lambda rng: _services(rng, 0.05, 0.7), key="ms"),
        Part("many sequences", 1, lambda rng: _services(rng, 2, 6), key="ms"),
        Part("tokens a second", 1, lambda rng: _services(rng, 0.05, 0.7), key="tokens_per_second"),
        Part("an array of batches", 1, lambda rng: _services(rng, 0.05, 5, size=5)),
    ),
    diagnoses=(
        Diagnosis(
            "weights for each sequence",
            lambda W, K, F, b, P, bw, n: _rates(
                b, np.maximum(b * (W + K) / (n * bw), b * F / (n * P))
            ),
            "You read the weights again for every sequence. One reading serves the whole batch; "
            "only the caches are read for each.",
        ),
        Diagnosis(
            "one cache",
            lambda W, K, F, b, P, bw, n: _rates(b, np.maximum((W + K) / (n * bw), b * F / (n * P))),
            "You read the cache of one sequence. Each sequence of the batch has its own.",
        ),
        Diagnosis(
            "no caches",
            lambda W, K, F, b, P, bw, n: _rates(b, np.maximum(W / (n * bw), b * F / (n * P))),
            "You read the weights alone. The caches of all sequences are read in a step, too.",
        ),
        Diagnosis(
            "added",
            lambda W, K, F, b, P, bw, n: _rates(b, (W + b * K) / (n * bw) + b * F / (n * P)),
            "You added the times. Reading and multiplying go on side by side: the longer one "
            "counts.",
        ),
        Diagnosis(
            "memory alone",
            lambda W, K, F, b, P, bw, n: _rates(b, (W + b * K) / (n * bw)),
            "You only read. With many sequences multiplying takes longer: batch · flops over the "
            "peak of all chips.",
        ),
        Diagnosis(
            "arithmetic alone",
            lambda W, K, F, b, P, bw, n: _rates(b, b * F / (n * P)),
            "You only multiply. With few sequences the chips wait for memory: bytes over "
            "bandwidth.",
        ),
        Diagnosis(
            "shorter one",
            lambda W, K, F, b, P, bw, n: _rates(
                b, np.minimum((W + b * K) / (n * bw), b * F / (n * P))
            ),
            "You took the shorter of the two times. The step is over when both are done.",
        ),
        Diagnosis(
            "one chip",
            lambda W, K, F, b, P, bw, n: _rates(b, np.maximum((W + b * K) / bw, b * F / P)),
            "That is one chip. n_chips share bytes and FLOPs, and are n_chips times as fast.",
        ),
        Diagnosis(
            "steps a second",
            lambda W, K, F, b, P, bw, n: {
                "tokens_per_second": 1 / (_step(W, K, F, b, P, bw, n)["ms"] / 1000)
            },
            "Those are steps a second. Every step gives each of the sequences a token.",
        ),
    ),
    example=(26.03e9, 0.8389e9, 26.4e9, 64, 989e12, 3.35e12, 1),
    shown={"ms": "23.80", "tokens_per_second": "2,689"},
)


# --- largest_batch -------------------------------------------------------------------------------


def _batch(
    weights: float, cache: float, memory: float, bandwidth: float, n_chips: int, ms: float | None
) -> int:
    chip, limit = _chip(1e15, bandwidth, memory), None if ms is None else ms / 1000
    return hardware.largest_batch(weights, chip, cache, n_chips, limit)


def _machines(rng: Generator, tightest: float | None = None, room: bool = True) -> list[tuple]:
    """Machines with room for the weights or not, and limits as shares of reading all memory."""
    drawn = []
    for _ in range(5):
        memory, bandwidth = float(rng.uniform(20e9, 200e9)), float(rng.uniform(0.5e12, 8e12))
        n = int(rng.integers(2, 9))
        weights = n * memory * float(rng.uniform(0.15, 0.3) if room else rng.uniform(1.01, 3))
        cache = float(rng.uniform(0.3e9, 1.5e9))
        all_of_it = 1000 * memory / bandwidth
        ms = None if tightest is None else all_of_it * float(rng.uniform(tightest, 0.9))
        drawn.append((weights, cache, memory, bandwidth, n, ms))
    return drawn


def _limits(rng: Generator) -> list[tuple]:
    """Limits that bind, and one that is longer than reading all memory."""
    *binding, (weights, cache, memory, bandwidth, n, _) = _machines(rng, tightest=0.4)
    return [*binding, (weights, cache, memory, bandwidth, n, 3000 * memory / bandwidth)]


def _none_fits(rng: Generator) -> list[tuple]:
    """No room for the weights, or no time to read them."""
    slow = [(W, K, m, bw, n, 900 * W / n / bw) for W, K, m, bw, n, _ in _machines(rng)]
    return [*_machines(rng, room=False)[:2], *slow[:2]]


def _whole(value: float) -> int:
    return max(0, math.floor(value))


def _room(m: float, bw: float, n: int, ms: float | None) -> float:
    return n * (m if ms is None else min(m, bw * ms / 1000))


BATCH = Task(
    name="largest_batch",
    reference=_batch,
    parts=(
        Part("no limit of time", 1, _machines),
        Part("a limit of time", 1, _limits),
        Part("not even one", 1, _none_fits),
    ),
    diagnoses=(
        Diagnosis(
            "weights forgotten",
            lambda W, K, m, bw, n, ms: _whole(_room(m, bw, n, ms) / K),
            "You filled the whole memory with caches. The weights are there first: subtract them.",
        ),
        Diagnosis(
            "weights for each sequence",
            lambda W, K, m, bw, n, ms: _whole(_room(m, bw, n, ms) / (W + K)),
            "You store the weights once for every sequence. All share one copy: subtract it, then "
            "divide by the cache.",
        ),
        Diagnosis(
            "weights on every chip",
            lambda W, K, m, bw, n, ms: _whole(n * (_room(m, bw, 1, ms) - W) / K),
            "You put all weights on every chip. The chips share one copy: add up their memories "
            "first.",
        ),
        Diagnosis(
            "one chip",
            lambda W, K, m, bw, n, ms: _whole((_room(m, bw, 1, ms) - W) / K),
            "That is the memory of one chip. n_chips hold weights and caches together.",
        ),
        Diagnosis(
            "limit ignored",
            lambda W, K, m, bw, n, ms: _batch(W, K, m, bw, n, None),
            "All of that fits, but reading it takes longer than limit_ms: within the limit "
            "n_chips · bandwidth · limit_ms/1000 bytes can be read (and without the 1000 there is "
            "hardly a limit).",
        ),
        Diagnosis(
            "memory ignored",
            lambda W, K, m, bw, n, ms: (
                _batch(W, K, m, bw, n, None) if ms is None else _whole((n * bw * ms / 1000 - W) / K)
            ),
            "That much can be read in time, but it does not fit in memory. The smaller of the two "
            "counts.",
        ),
        Diagnosis(
            "rounded up",
            lambda W, K, m, bw, n, ms: max(0, math.ceil((_room(m, bw, n, ms) - W) / K)),
            "You rounded up: the last sequence does not fit any more.",
        ),
        Diagnosis(
            "less than none",
            lambda W, K, m, bw, n, ms: math.floor((_room(m, bw, n, ms) - W) / K),
            "A batch cannot be negative. Where not even the weights fit, or can be read in time, "
            "return 0.",
        ),
    ),
    example=(16.06e9, 1.0737e9, 80e9, 3.35e12, 1, 10),
    shown="16",
)


# --- service_bill --------------------------------------------------------------------------------


HOURS_PER_MONTH = 730


def _bill(
    tokens_per_day: float, speed: float, n_chips: int, rate: float, load: float
) -> dict[str, float]:
    replicas = math.ceil(tokens_per_day / SECONDS_PER_DAY / (speed * load))
    return _invoice(tokens_per_day, replicas, n_chips * rate)


def _invoice(tokens_per_day: float, replicas: float, hourly: float) -> dict[str, float]:
    dollars = hardware.cost(replicas * HOURS_PER_MONTH, hourly)
    millions = tokens_per_day * HOURS_PER_MONTH / 24 / 1e6
    return {"replicas": replicas, "dollars": dollars, "per_million": dollars / millions}


def _demands(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        speed, load = float(rng.uniform(500, 8000)), float(rng.uniform(0.15, 0.7))
        replicas = float(rng.integers(2, 30)) + float(rng.uniform(0.05, 0.4))
        day = replicas * speed * load * SECONDS_PER_DAY
        rate = float(rng.integers(10, 60)) / 10
        drawn.append((day, speed, int(rng.integers(2, 9)), rate, load))
    return drawn


BILL = Task(
    name="service_bill",
    reference=_bill,
    parts=tuple(Part(key, 1, _demands, key=key) for key in ("replicas", "dollars", "per_million")),
    diagnoses=(
        Diagnosis(
            "a share of a replica",
            lambda T, s, n, r, load: _invoice(T, T / SECONDS_PER_DAY / (s * load), n * r),
            "Nobody rents a share of a replica: round up to a whole number.",
        ),
        Diagnosis(
            "rounded",
            lambda T, s, n, r, load: _invoice(T, round(T / SECONDS_PER_DAY / (s * load)), n * r),
            "You rounded to the nearest whole number. With a replica too few the demand is not "
            "met: round up.",
        ),
        Diagnosis(
            "full load",
            lambda T, s, n, r, load: _invoice(T, math.ceil(T / SECONDS_PER_DAY / s), n * r),
            "You let every replica run at full speed all day. It gives only the share `load` of "
            "that: divide by speed · load.",
        ),
        Diagnosis(
            "load upside down",
            lambda T, s, n, r, load: _invoice(T, math.ceil(T / SECONDS_PER_DAY / s * load), n * r),
            "You multiplied the demand by `load`. Idle replicas make more of them necessary: "
            "divide.",
        ),
        Diagnosis(
            "hours for days",
            lambda T, s, n, r, load: _invoice(
                T, math.ceil(T / SECONDS_PER_HOUR / (s * load)), n * r
            ),
            "The demand is for a day, 86,400 seconds, and you divided by those of an hour.",
        ),
        Diagnosis(
            "one chip",
            lambda T, s, n, r, load: _invoice(T, math.ceil(T / SECONDS_PER_DAY / (s * load)), r),
            "You pay one chip for each replica, and it has n_chips: the rate is for one.",
        ),
        Diagnosis(
            "paid by use",
            lambda T, s, n, r, load: _invoice(
                T, load * math.ceil(T / SECONDS_PER_DAY / (s * load)), n * r
            ),
            "You pay for busy time alone. A rented chip costs the same whether it is busy or not.",
        ),
        Diagnosis(
            "price at full speed",
            lambda T, s, n, r, load: {"per_million": 1e6 / (s * SECONDS_PER_HOUR) * n * r},
            "That is the price at full speed, all the time. Divide the month's dollars by the "
            "millions of tokens that are really served in it.",
        ),
    ),
    example=(5e8, 3026, 1, 1.0, 0.40),
    shown={"replicas": "5", "dollars": "3,650", "per_million": "0.240"},
)


EXERCISE = Exercise(
    "05_train_or_serve",
    tasks=(EQUAL_LOSS, LIFE, CACHE, STEP, BATCH, BILL),
    allowed=frozenset({"facts", "quantities"}),
)
