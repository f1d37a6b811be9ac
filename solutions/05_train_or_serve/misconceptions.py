"""Wrong answers that people give to exercise 05, and right ones written differently."""

from course_utils.checks.task import Misconception

MISCONCEPTIONS = {
    "equal_loss_run": [
        Misconception(
            "20 tokens per parameter for ever",
            says="That is a rule for training alone",
            code="""
def equal_loss_run(N, L, E, A, B, alpha, beta):
    if np.any(L - E - A / N**alpha <= 0):
        raise ValueError("out of reach")
    return {"tokens": 20 * N, "flops": 120 * N**2}
""",
        ),
        Misconception(
            "no irreducible loss",
            says="You leave E out",
            code="""
def equal_loss_run(N, L, E, A, B, alpha, beta):
    if np.any(L - E - A / N**alpha <= 0):
        raise ValueError("out of reach")
    D = (B / (L - A / N**alpha)) ** (1 / beta)
    return {"tokens": D, "flops": 6 * N * D}
""",
        ),
        Misconception(
            "the exponents swapped",
            says="You took the root with α",
            code="""
def equal_loss_run(N, L, E, A, B, alpha, beta):
    left = L - E - A / N**alpha
    if np.any(left <= 0):
        raise ValueError("out of reach")
    D = (B / left) ** (1 / alpha)
    return {"tokens": D, "flops": 6 * N * D}
""",
        ),
        Misconception(
            "training is a forward pass",
            says="That is 2·N·D, a forward pass",
            code="""
def equal_loss_run(N, L, E, A, B, alpha, beta):
    left = L - E - A / N**alpha
    if np.any(left <= 0):
        raise ValueError("out of reach")
    D = (B / left) ** (1 / beta)
    return {"tokens": D, "flops": 2 * N * D}
""",
        ),
        Misconception(
            "data for everything",
            says="should be refused",
            code="""
def equal_loss_run(N, L, E, A, B, alpha, beta):
    with np.errstate(all="ignore"):
        D = np.abs(B / (L - E - A / N**alpha)) ** (1 / beta)
    return {"tokens": D, "flops": 6 * N * D}
""",
        ),
    ],
    "cheapest_for_life": [
        Misconception(
            "compute-optimal is optimal",
            says="chose the size by its training and added the serving afterwards",
            code="""
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    N = np.geomspace(1.0001, 1000, 100_000) * (A / (L - E)) ** (1 / alpha)
    D = (B / (L - E - A / N**alpha)) ** (1 / beta)
    best = np.argmin(N * D)
    total = 6 * N * D + weight * 2 * N * served
    return {"N": N[best], "D": D[best], "total": total[best]}
""",
        ),
        Misconception(
            "training alone",
            says="That is the least training alone",
            code="""
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    N = np.geomspace(1.0001, 1000, 100_000) * (A / (L - E)) ** (1 / alpha)
    D = (B / (L - E - A / N**alpha)) ** (1 / beta)
    best = np.argmin(N * D)
    return {"N": N[best], "D": D[best], "total": 6 * N[best] * D[best]}
""",
        ),
        Misconception(
            "a FLOP is a FLOP",
            says="It costs `weight` times as much",
            code="""
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    N = np.geomspace(1.0001, 1000, 100_000) * (A / (L - E)) ** (1 / alpha)
    D = (B / (L - E - A / N**alpha)) ** (1 / beta)
    total = 6 * N * D + 2 * N * served
    best = np.argmin(total)
    return {"N": N[best], "D": D[best], "total": total[best]}
""",
        ),
        Misconception(
            "6N to serve",
            says="Serving has no backward pass",
            code="""
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    N = np.geomspace(1.0001, 1000, 100_000) * (A / (L - E)) ** (1 / alpha)
    D = (B / (L - E - A / N**alpha)) ** (1 / beta)
    total = 6 * N * D + weight * 6 * N * served
    best = np.argmin(total)
    return {"N": N[best], "D": D[best], "total": total[best]}
""",
        ),
        Misconception(
            "the rule of 20 with serving",
            says="nothing is left to choose",
            code="""
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    N = np.geomspace(1e6, 1e15, 2_000_000)
    N = N[np.argmin(np.abs(E + A / N**alpha + B / (20 * N) ** beta - L))]
    return {"N": N, "D": 20 * N, "total": 120 * N**2 + weight * 2 * N * served}
""",
        ),
    ],
    "kv_cache": [
        Misconception(
            "all heads are cached",
            says="You counted the query heads",
            code="""
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    per_token = 2 * n_layers * n_heads * head_dim * bytes_per_value
    return {"per_token": per_token, "gib": tokens * per_token / 2**30}
""",
        ),
        Misconception(
            "groups taken for their size",
            says="is the size of a group",
            code="""
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    heads = n_heads if n_kv_heads is None else n_heads // n_kv_heads
    per_token = 2 * n_layers * heads * head_dim * bytes_per_value
    return {"per_token": per_token, "gib": tokens * per_token / 2**30}
""",
        ),
        Misconception(
            "keys without values",
            says="Attention needs both",
            code="""
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    per_token = n_layers * (n_kv_heads or n_heads) * head_dim * bytes_per_value
    return {"per_token": per_token, "gib": tokens * per_token / 2**30}
""",
        ),
        Misconception(
            "GB called GiB",
            says="A GiB has 2³⁰",
            code="""
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    per_token = 2 * n_layers * (n_kv_heads or n_heads) * head_dim * bytes_per_value
    return {"per_token": per_token, "gib": tokens * per_token / 1e9}
""",
        ),
        Misconception(
            "always 16 bits",
            says="You took 2 bytes for a value",
            code="""
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    per_token = 4 * n_layers * (n_kv_heads or n_heads) * head_dim
    return {"per_token": per_token, "gib": tokens * per_token / 2**30}
""",
        ),
    ],
    "decode_step": [
        Misconception(
            "FLOPs set the time",
            says="With few sequences the chips wait for memory",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    seconds = batch * flops / (n_chips * peak)
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}
""",
        ),
        Misconception(
            "memory always sets the time",
            says="With many sequences multiplying takes longer",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    seconds = (weight_bytes + batch * kv_bytes) / (n_chips * bandwidth)
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}
""",
        ),
        Misconception(
            "a batch is so many single users",
            says="One reading serves the whole batch",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    reading = batch * (weight_bytes + kv_bytes) / (n_chips * bandwidth)
    seconds = np.maximum(reading, batch * flops / (n_chips * peak))
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}
""",
        ),
        Misconception(
            "one cache for all",
            says="Each sequence of the batch has its own",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    reading = (weight_bytes + kv_bytes) / (n_chips * bandwidth)
    seconds = np.maximum(reading, batch * flops / (n_chips * peak))
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}
""",
        ),
        Misconception(
            "first read, then multiply",
            says="Reading and multiplying go on side by side",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    reading = (weight_bytes + batch * kv_bytes) / (n_chips * bandwidth)
    seconds = reading + batch * flops / (n_chips * peak)
    return {"ms": 1000 * seconds, "tokens_per_second": batch / seconds}
""",
        ),
        Misconception(
            "what one user gets",
            says="Those are steps a second",
            code="""
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    reading = (weight_bytes + batch * kv_bytes) / (n_chips * bandwidth)
    seconds = np.maximum(reading, batch * flops / (n_chips * peak))
    return {"ms": 1000 * seconds, "tokens_per_second": 1 / seconds}
""",
        ),
    ],
    "largest_batch": [
        Misconception(
            "the whole memory for caches",
            says="The weights are there first",
            code="""
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    room = memory if limit_ms is None else min(memory, bandwidth * limit_ms / 1000)
    if n_chips * room < weight_bytes:
        return 0
    return int(n_chips * room / kv_bytes)
""",
        ),
        Misconception(
            "a copy of the weights on every chip",
            says="The chips share one copy",
            code="""
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    room = memory if limit_ms is None else min(memory, bandwidth * limit_ms / 1000)
    return max(0, int(n_chips * (room - weight_bytes) / kv_bytes))
""",
        ),
        Misconception(
            "a copy of the weights for every user",
            says="All share one copy",
            code="""
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    room = memory if limit_ms is None else min(memory, bandwidth * limit_ms / 1000)
    return int(n_chips * room / (weight_bytes + kv_bytes))
""",
        ),
        Misconception(
            "what fits is fast enough",
            says="reading it takes longer than limit_ms",
            code="""
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    return max(0, int((n_chips * memory - weight_bytes) / kv_bytes))
""",
        ),
        Misconception(
            "a negative batch",
            says="A batch cannot be negative",
            code="""
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    room = memory if limit_ms is None else min(memory, bandwidth * limit_ms / 1000)
    return int((n_chips * room - weight_bytes) // kv_bytes)
""",
        ),
    ],
    "service_bill": [
        Misconception(
            "always busy",
            says="You let every replica run at full speed all day",
            code="""
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    replicas = np.ceil(tokens_per_day / 86_400 / speed)
    dollars = replicas * n_chips * rate * 730
    per_million = dollars / (tokens_per_day * 730 / 24 / 1e6)
    return {"replicas": replicas, "dollars": dollars, "per_million": per_million}
""",
        ),
        Misconception(
            "a third of a machine",
            says="Nobody rents a share of a replica",
            code="""
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    replicas = tokens_per_day / 86_400 / (speed * load)
    dollars = replicas * n_chips * rate * 730
    per_million = dollars / (tokens_per_day * 730 / 24 / 1e6)
    return {"replicas": replicas, "dollars": dollars, "per_million": per_million}
""",
        ),
        Misconception(
            "pay only for busy hours",
            says="You pay for busy time alone",
            code="""
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    replicas = np.ceil(tokens_per_day / 86_400 / (speed * load))
    dollars = replicas * n_chips * rate * 730 * load
    per_million = dollars / (tokens_per_day * 730 / 24 / 1e6)
    return {"replicas": replicas, "dollars": dollars, "per_million": per_million}
""",
        ),
        Misconception(
            "a replica is a chip",
            says="You pay one chip for each replica",
            code="""
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    replicas = np.ceil(tokens_per_day / 86_400 / (speed * load))
    dollars = replicas * rate * 730
    per_million = dollars / (tokens_per_day * 730 / 24 / 1e6)
    return {"replicas": replicas, "dollars": dollars, "per_million": per_million}
""",
        ),
        Misconception(
            "tokens per dollar belong to the chip",
            says="That is the price at full speed",
            code="""
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    replicas = np.ceil(tokens_per_day / 86_400 / (speed * load))
    dollars = replicas * n_chips * rate * 730
    per_million = n_chips * rate / (speed * 3600) * 1e6
    return {"replicas": replicas, "dollars": dollars, "per_million": per_million}
""",
        ),
    ],
}

ALTERNATIVES = {
    "equal_loss_run": """
def equal_loss_run(N, L, E, A, B, alpha, beta):
    data_term = L - (E + A * np.power(N, -alpha))
    if np.min(data_term) <= 0:
        raise ValueError("this size cannot reach the loss")
    D = np.exp(np.log(B / data_term) / beta)
    return {"flops": 6.0 * D * N, "tokens": D}
""",
    "cheapest_for_life": """
def cheapest_for_life(L, served, weight, E, A, B, alpha, beta):
    def tokens(log_N):
        return (B / (L - E - A * np.exp(-alpha * log_N))) ** (1 / beta)

    def total(log_N):
        return np.exp(log_N) * (6 * tokens(log_N) + 2 * weight * served)

    low = np.log(A / (L - E)) / alpha + 1e-6
    high = low + 10
    for _ in range(200):  # a third of the interval goes each time
        third = (high - low) / 3
        if total(low + third) < total(high - third):
            high -= third
        else:
            low += third
    return {"N": float(np.exp(low)), "D": float(tokens(low)), "total": float(total(low))}
""",
    "kv_cache": """
def kv_cache(n_layers, n_heads, n_kv_heads, head_dim, tokens, bytes_per_value):
    if n_kv_heads is None:
        n_kv_heads = n_heads
    keys = n_layers * n_kv_heads * head_dim * bytes_per_value
    return {"gib": 2 * keys * tokens / 1024**3, "per_token": float(2 * keys)}
""",
    "decode_step": """
def decode_step(weight_bytes, kv_bytes, flops, batch, peak, bandwidth, n_chips):
    moved = weight_bytes / n_chips + np.asarray(batch) * (kv_bytes / n_chips)
    busy = np.asarray(batch) * (flops / n_chips)
    ms = np.where(moved / bandwidth > busy / peak, moved / bandwidth, busy / peak) * 1e3
    rate = 1e3 * np.asarray(batch) / ms
    if np.ndim(batch) == 0:
        return {"tokens_per_second": float(rate), "ms": float(ms)}
    return {"tokens_per_second": rate, "ms": ms}
""",
    "largest_batch": """
def largest_batch(weight_bytes, kv_bytes, memory, bandwidth, n_chips, limit_ms):
    bounds = [n_chips * memory]
    if limit_ms is not None:
        bounds.append(n_chips * bandwidth * limit_ms * 1e-3)
    free = min(bounds) - weight_bytes
    return int(free // kv_bytes) if free > 0 else 0
""",
    "service_bill": """
def service_bill(tokens_per_day, speed, n_chips, rate, load):
    one = speed * load * 24 * 3600
    replicas = -int(-tokens_per_day // one)
    hour = replicas * n_chips * rate
    return {
        "per_million": hour * 24e6 / tokens_per_day,
        "dollars": hour * 730.0,
        "replicas": replicas,
    }
""",
}
