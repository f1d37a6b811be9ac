"""Wrong answers that people give to exercise 08, and right ones written differently."""

from course_utils.checks.task import Misconception

MISCONCEPTIONS = {
    "batch_cost": [
        Misconception(
            "steps and tokens swapped",
            says="You swapped the two",
            code="""
def batch_cost(batch, critical):
    return {"steps": 1 + batch / critical, "tokens": 1 + critical / batch}
""",
        ),
        Misconception(
            "free until critical",
            says="There is no such corner",
            code="""
def batch_cost(batch, critical):
    ratio = batch / critical
    return {"steps": np.maximum(1, 1 / ratio), "tokens": np.maximum(1, ratio)}
""",
        ),
        Misconception(
            "no least",
            says="You forgot the one",
            code="""
def batch_cost(batch, critical):
    return {"steps": critical / batch, "tokens": batch / critical}
""",
        ),
        Misconception(
            "against the critical batch",
            says="You compare with the critical batch",
            code="""
def batch_cost(batch, critical):
    return {"steps": (1 + critical / batch) / 2, "tokens": (1 + batch / critical) / 2}
""",
        ),
    ],
    "noise_scale": [
        Misconception(
            "the big batch is the truth",
            says="took the big batch's gradient for the true one",
            code="""
def noise_scale(small, small_squares, big, big_squares):
    signal = np.mean(big_squares)
    noise = small * (np.mean(small_squares) - signal)
    return {"signal": signal, "noise": noise, "scale": noise / signal}
""",
        ),
        Misconception(
            "all of it noise",
            says="It holds the signal, too",
            code="""
def noise_scale(small, small_squares, big, big_squares):
    short, long = np.mean(small_squares), np.mean(big_squares)
    signal = (big * long - small * short) / (big - small)
    return {"signal": signal, "noise": small * short, "scale": small * short / signal}
""",
        ),
        Misconception(
            "upside down",
            says="the noise scale is noise over signal",
            code="""
def noise_scale(small, small_squares, big, big_squares):
    short, long = np.mean(small_squares), np.mean(big_squares)
    noise = (short - long) / (1 / small - 1 / big)
    signal = long - noise / big
    return {"signal": signal, "noise": noise, "scale": signal / noise}
""",
        ),
        Misconception(
            "squared twice",
            says="squared norms already",
            code="""
def noise_scale(small, small_squares, big, big_squares):
    short, long = np.mean(small_squares**2), np.mean(big_squares**2)
    noise = (short - long) / (1 / small - 1 / big)
    signal = long - noise / big
    return {"signal": signal, "noise": noise, "scale": noise / signal}
""",
        ),
        Misconception(
            "mean norm squared",
            says="Average the squares",
            code="""
def noise_scale(small, small_squares, big, big_squares):
    short, long = np.mean(small_squares**0.5) ** 2, np.mean(big_squares**0.5) ** 2
    noise = (short - long) / (1 / small - 1 / big)
    signal = long - noise / big
    return {"signal": signal, "noise": noise, "scale": noise / signal}
""",
        ),
    ],
    "rate_rule": [
        Misconception(
            "one rate for all batches",
            says="You chose one rate for all batches",
            code="""
def rate_rule(batches, rates, losses):
    best = np.full(len(batches), rates[np.argmin(losses.mean(axis=0))])
    return {"best": best, "exponent": 0.5}
""",
        ),
        Misconception(
            "losses for rates",
            says="Those are the least losses",
            code="""
def rate_rule(batches, rates, losses):
    best = losses.min(axis=1)
    return {"best": best, "exponent": np.polyfit(np.log(batches), np.log(best), 1)[0]}
""",
        ),
        Misconception(
            "places for rates",
            says="take rates[place]",
            code="""
def rate_rule(batches, rates, losses):
    places = np.argmin(losses, axis=1)
    slope = np.polyfit(np.log(batches), np.log(rates[places]), 1)[0]
    return {"best": places, "exponent": slope}
""",
        ),
        Misconception(
            "axes swapped",
            says="ln B belongs on the x axis",
            code="""
def rate_rule(batches, rates, losses):
    best = rates[np.argmin(losses, axis=1)]
    return {"best": best, "exponent": np.polyfit(np.log(best), np.log(batches), 1)[0]}
""",
        ),
        Misconception(
            "no logarithms",
            says="without logarithms",
            code="""
def rate_rule(batches, rates, losses):
    best = rates[np.argmin(losses, axis=1)]
    return {"best": best, "exponent": np.polyfit(batches, best, 1)[0]}
""",
        ),
        Misconception(
            "end points only",
            says="the first and the last batch alone",
            code="""
def rate_rule(batches, rates, losses):
    best = rates[np.argmin(losses, axis=1)]
    slope = np.log(best[-1] / best[0]) / np.log(batches[-1] / batches[0])
    return {"best": best, "exponent": slope}
""",
        ),
    ],
    "to_bf16": [
        Misconception(
            "the other sixteen bits",
            says="That is FP16",
            code="""
def to_bf16(x):
    return np.asarray(x).astype(np.float16).astype(np.float64)
""",
        ),
        Misconception(
            "cut off",
            says="You cut the lower bits off",
            code="""
def to_bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32)
    return (bits & 0xFFFF0000).view(np.float32)
""",
        ),
        Misconception(
            "ties away from zero",
            says="They go to the even neighbour",
            code="""
def to_bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32) + 0x8000
    return (bits & 0xFFFF0000).view(np.float32)
""",
        ),
        Misconception(
            "seven bits in all",
            says="You keep one bit too few",
            code="""
def to_bf16(x):
    step = 2.0 ** (np.frexp(x)[1] - 7)
    return np.rint(x / step) * step
""",
        ),
        Misconception(
            "float32 will do",
            says="Nothing is rounded",
            code="""
def to_bf16(x):
    return np.float32(x)
""",
        ),
    ],
    "checkpoint_plan": [
        Misconception(
            "failures a day",
            says="Those are failures a day",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(2 * write * mtbf)
    lost = write / interval + interval / (2 * mtbf) + restart / mtbf
    return {"mtbf": failures / days, "interval": interval, "lost": lost}
""",
        ),
        Misconception(
            "the 2 forgotten",
            says="You forgot the 2",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(write * mtbf)
    lost = write / interval + interval / (2 * mtbf) + restart / mtbf
    return {"mtbf": mtbf, "interval": interval, "lost": lost}
""",
        ),
        Misconception(
            "nothing is repeated",
            says="You forgot what is computed again",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(2 * write * mtbf)
    return {"mtbf": mtbf, "interval": interval, "lost": write / interval + restart / mtbf}
""",
        ),
        Misconception(
            "whole intervals lost",
            says="in the middle of one",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(2 * write * mtbf)
    lost = write / interval + (interval + restart) / mtbf
    return {"mtbf": mtbf, "interval": interval, "lost": lost}
""",
        ),
        Misconception(
            "restart for free",
            says="You forgot the restart",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(2 * write * mtbf)
    return {"mtbf": mtbf, "interval": interval, "lost": np.sqrt(2 * write / mtbf)}
""",
        ),
        Misconception(
            "restart with every checkpoint",
            says="A restart follows a failure",
            code="""
def checkpoint_plan(days, failures, write, restart):
    mtbf = days * 86400 / failures
    interval = np.sqrt(2 * write * mtbf)
    lost = (write + restart) / interval + interval / (2 * mtbf)
    return {"mtbf": mtbf, "interval": interval, "lost": lost}
""",
        ),
    ],
    "bytes_per_device": [
        Misconception(
            "8 bytes a parameter",
            says="You count 8 bytes a parameter",
            code="""
def bytes_per_device(n_params, cut, copies, stage):
    return 8 * n_params / cut / (copies if stage else 1)
""",
        ),
        Misconception(
            "copies divide everything",
            says="You divide all of it by the copies",
            code="""
def bytes_per_device(n_params, cut, copies, stage):
    return 16 * n_params / cut / copies
""",
        ),
        Misconception(
            "nothing sharded",
            says="You shard nothing",
            code="""
def bytes_per_device(n_params, cut, copies, stage):
    return 16 * n_params / cut
""",
        ),
        Misconception(
            "cut forgotten",
            says="You forgot `cut`",
            code="""
def bytes_per_device(n_params, cut, copies, stage):
    sharded = (0, 12, 14, 16)[stage]
    return n_params * (16 - sharded + sharded / copies)
""",
        ),
        Misconception(
            "the master copy is a weight",
            says="It belongs to the optimizer",
            code="""
def bytes_per_device(n_params, cut, copies, stage):
    sharded = (0, 8, 10, 12)[stage]
    return n_params * (16 - sharded + sharded / copies) / cut
""",
        ),
    ],
}

ALTERNATIVES = {
    "batch_cost": """
def batch_cost(batch, critical):
    ratio = np.asarray(batch, dtype=float) / critical
    return {"tokens": 1.0 + ratio, "steps": (1.0 + ratio) / ratio}
""",
    "noise_scale": """
def noise_scale(small, small_squares, big, big_squares):
    left = np.array([[1.0, 1 / small], [1.0, 1 / big]])
    signal, noise = np.linalg.solve(left, [np.mean(small_squares), np.mean(big_squares)])
    return {"noise": float(noise), "signal": float(signal), "scale": float(noise / signal)}
""",
    "rate_rule": """
def rate_rule(batches, rates, losses):
    best = np.array([rates[int(row.argmin())] for row in np.asarray(losses)])
    x, y = np.log2(batches), np.log2(best)
    slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)
    return {"best": best, "exponent": float(slope)}
""",
    "to_bf16": """
def to_bf16(x):
    step = np.ldexp(1.0, np.frexp(x)[1] - 8)
    return np.rint(x / step) * step
""",
    "checkpoint_plan": """
def checkpoint_plan(days, failures, write, restart):
    mtbf = days / failures * 24 * 3600
    interval = (2 * write * mtbf) ** 0.5
    return {"mtbf": mtbf, "interval": interval, "lost": (interval + restart) / mtbf}
""",
    "bytes_per_device": """
def bytes_per_device(n_params, cut, copies, stage):
    weights, gradients, optimizer = 2.0, 2.0, 12.0
    optimizer /= copies if stage >= 1 else 1
    gradients /= copies if stage >= 2 else 1
    weights /= copies if stage >= 3 else 1
    return n_params / cut * (weights + gradients + optimizer)
""",
}
