"""Wrong answers that people give to exercise 09, and right ones written differently."""

from course_utils.checks.task import Misconception

PASS = """
def pass_at_k(samples, right, k):
    if k > samples:
        raise ValueError("too few samples")
    {}
"""

MAJORITY = """
def majority(p, votes):
    if votes % 2 == 0:
        raise ValueError("an odd number, please")
    {}
"""

BEST = """
def best_of_k(p, k, accepts_right, accepts_wrong):
    accepted = p * accepts_right + (1 - p) * accepts_wrong
    none = (1 - accepted) ** k
    coverage = 1 - (1 - p) ** k
    ceiling = p * accepts_right / accepted
    refused = p * (1 - accepts_right) / (1 - accepted)
    accuracy = (1 - none) * ceiling + none * refused
    {}
    return dict(coverage=coverage, ceiling=ceiling, accuracy=accuracy)
"""

TRANSFER = """
def data_transferred(D_F, loss, scratch_D, scratch_loss):
    if np.any(loss < scratch_loss[-1]) or np.any(loss > scratch_loss[0]):
        raise ValueError("not reached from scratch")
    {}
"""

MIXTURE = """
def mixture(total, active, D, experts, visited, batch):
    flops, size = 6 * active * D, 2 * total
    read = 1 - (1 - visited / experts) ** batch
    {}
    return dict(flops=flops, bytes=size, read=read)
"""

ROUNDED = """
def rounded(weights, bits):
    steps, axis, rounding = 2 ** (bits - 1) - 1, 1, np.round
    {}
    step = np.abs(weights).max(axis=axis, keepdims=True) / steps
    step = np.where(step == 0, 1, step)
    near = step * rounding(weights / step)
    return dict(weights=near, worst=np.abs(near - weights).max())
"""

MISCONCEPTIONS = {
    "pass_at_k": [
        Misconception(
            "the share is the chance",
            says="plugged the measured share into",
            code=PASS.format("return 1 - (1 - right / samples) ** k"),
        ),
        Misconception(
            "pass@k is pass@1",
            says="pass@1",
            code=PASS.format("return right / samples"),
        ),
        Misconception(
            "k tries, k chances",
            says="multiplied the share by k",
            code=PASS.format("return min(1.0, k * right / samples)"),
        ),
        Misconception(
            "failure for success",
            says="none of the k is right",
            code=PASS.format(
                "return float(np.prod([max(0, samples - right - i) / (samples - i) "
                "for i in range(k)]))"
            ),
        ),
        Misconception(
            "off by one",
            says="i runs from 0 to k − 1",
            code=PASS.format(
                "return 1 - float(np.prod([max(0, samples - right - i) / (samples - i) "
                "for i in range(k - 1)]))"
            ),
        ),
        Misconception(
            "what was not drawn is known",
            says="ValueError",
            code="""
def pass_at_k(samples, right, k):
    i = np.arange(min(k, samples))
    return 1 - np.prod(np.maximum(samples - right - i, 0) / (samples - i))
""",
        ),
    ],
    "majority": [
        Misconception(
            "a vote finds what is there",
            says="That is coverage",
            code=MAJORITY.format("return 1 - (1 - p) ** votes"),
        ),
        Misconception(
            "a vote wants all",
            says="all votes are right",
            code=MAJORITY.format("return p**votes"),
        ),
        Misconception(
            "the narrowest majority",
            says="the narrowest majority alone",
            code=MAJORITY.format(
                "r = votes // 2 + 1; return math.comb(votes, r) * p**r * (1 - p) ** (votes - r)"
            ),
        ),
        Misconception(
            "half is enough",
            says="votes // 2 right ones too",
            code=MAJORITY.format(
                "return sum(math.comb(votes, r) * p**r * (1 - p) ** (votes - r) "
                "for r in range(votes // 2, votes + 1))"
            ),
        ),
        Misconception(
            "the other side wins",
            says="the *wrong* answer wins",
            code=MAJORITY.format(
                "return sum(math.comb(votes, r) * p**r * (1 - p) ** (votes - r) "
                "for r in range(votes // 2 + 1))"
            ),
        ),
        Misconception(
            "a vote changes nothing",
            says="That is one sample",
            code=MAJORITY.format("return p"),
        ),
    ],
    "best_of_k": [
        Misconception(
            "a verifier is as good as its hit rate",
            says="accepted answers that are right",
            code=BEST.format("ceiling = accepts_right"),
        ),
        Misconception(
            "Bayes without the denominator",
            says="divide by how often one is",
            code=BEST.format("ceiling = p * accepts_right"),
        ),
        Misconception(
            "Bayes without the base rate",
            says="how rare right answers are",
            code=BEST.format("ceiling = accepts_right / (accepts_right + accepts_wrong)"),
        ),
        Misconception(
            "coverage is accuracy",
            says="gave coverage for accuracy",
            code=BEST.format("accuracy = coverage"),
        ),
        Misconception(
            "the ceiling from the first sample on",
            says="the ceiling for every k",
            code=BEST.format("accuracy = ceiling"),
        ),
        Misconception(
            "accepted among others",
            says="*among* those accepted",
            code=BEST.format("accuracy = 1 - (1 - p * accepts_right) ** k"),
        ),
        Misconception(
            "refused is wrong",
            says="you count a wrong answer",
            code=BEST.format("accuracy = (1 - none) * ceiling"),
        ),
        Misconception(
            "refused is like any",
            says="right less often than",
            code=BEST.format("accuracy = (1 - none) * ceiling + none * p"),
        ),
    ],
    "data_transferred": [
        Misconception(
            "effective for transferred",
            says="D_F of it was really there",
            code=TRANSFER.format(
                "return np.exp(np.interp(-loss, -scratch_loss, np.log(scratch_D)))"
            ),
        ),
        Misconception(
            "a straight line in tokens",
            says="You interpolate in D",
            code=TRANSFER.format("return np.interp(-loss, -scratch_loss, scratch_D) - D_F"),
        ),
        Misconception(
            "np.interp on falling numbers",
            says="needs its second argument to rise",
            code=TRANSFER.format(
                "return np.exp(np.interp(loss, scratch_loss, np.log(scratch_D))) - D_F"
            ),
        ),
        Misconception(
            "the gain in loss",
            says="gain in loss at the same data",
            code=TRANSFER.format(
                "return np.interp(np.log(D_F), np.log(scratch_D), scratch_loss) - loss"
            ),
        ),
        Misconception(
            "how many times as much",
            says="Asked is the difference",
            code=TRANSFER.format(
                "return np.exp(np.interp(-loss, -scratch_loss, np.log(scratch_D))) / D_F"
            ),
        ),
        Misconception(
            "made up beyond the runs",
            says="ValueError",
            code="""
def data_transferred(D_F, loss, scratch_D, scratch_loss):
    return np.exp(np.interp(-loss, -scratch_loss, np.log(scratch_D))) - D_F
""",
        ),
    ],
    "mixture": [
        Misconception(
            "all parameters multiply",
            says="all parameters into 6ND",
            code=MIXTURE.format("flops = 6 * total * D"),
        ),
        Misconception(
            "the forward pass is training",
            says="is the forward pass",
            code=MIXTURE.format("flops = 2 * active * D"),
        ),
        Misconception(
            "idle experts need no memory",
            says="store the active parameters only",
            code=MIXTURE.format("size = 2 * active"),
        ),
        Misconception(
            "16 bytes for 16 bits",
            says="16 bits are 2 bytes",
            code=MIXTURE.format("size = 16 * total"),
        ),
        Misconception(
            "a batch reads like a token",
            says="what one token reads",
            code=MIXTURE.format("read = visited / experts"),
        ),
        Misconception(
            "tokens share no expert",
            says="added the shares of the tokens",
            code=MIXTURE.format("read = min(1.0, batch * visited / experts)"),
        ),
        Misconception(
            "what is left alone",
            says="no token visits: subtract",
            code=MIXTURE.format("read = 1 - read"),
        ),
    ],
    "rounded": [
        Misconception(
            "one step for the matrix",
            says="one step for the whole matrix",
            code=ROUNDED.format("axis = None"),
        ),
        Misconception(
            "columns for rows",
            says="belong to columns",
            code=ROUNDED.format("axis = 0"),
        ),
        Misconception(
            "the sign is free",
            says="One bit is the sign",
            code=ROUNDED.format("steps = 2**bits - 1"),
        ),
        Misconception(
            "zero is free",
            says="With 0 itself",
            code=ROUNDED.format("steps = 2 ** (bits - 1)"),
        ),
        Misconception(
            "astype rounds",
            says="cut off towards 0",
            code=ROUNDED.format("rounding = np.trunc"),
        ),
        Misconception(
            "steps are weights",
            says="the numbers of steps",
            code="""
def rounded(weights, bits):
    step = np.abs(weights).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    near = np.round(weights / np.where(step == 0, 1, step))
    return {"weights": near, "worst": np.abs(near - weights).max()}
""",
        ),
        Misconception(
            "zeros divided by zeros",
            says="not a number",
            code="""
def rounded(weights, bits):
    step = np.abs(weights).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    with np.errstate(invalid="ignore"):
        near = step * np.round(weights / step)
    return {"weights": near, "worst": np.abs(near - weights).max()}
""",
        ),
    ],
}

ALTERNATIVES = {
    "pass_at_k": """
def pass_at_k(samples, right, k):
    if k > samples:
        raise ValueError("so many were not drawn")
    missed = 1.0
    for last in range(samples - right + 1, samples + 1):
        missed *= max(0.0, 1 - k / last)
    return 1 - missed
""",
    "majority": """
def majority(p, votes):
    if not votes % 2:
        raise ValueError("a tie is possible")
    chances = np.ones(1)
    for _ in range(votes):
        chances = np.convolve(chances, [1 - p, p])
    return chances[votes // 2 + 1 :].sum()
""",
    "best_of_k": """
def best_of_k(p, k, accepts_right, accepts_wrong):
    hit, alarm = p * accepts_right, (1 - p) * accepts_wrong
    shares = hit / (hit + alarm), (p - hit) / (1 - hit - alarm)
    weight = (1 - hit - alarm) ** k
    accuracy = shares[0] + weight * (shares[1] - shares[0])
    return dict(accuracy=accuracy, ceiling=shares[0], coverage=-np.expm1(k * np.log1p(-p)))
""",
    "data_transferred": """
def data_transferred(D_F, loss, scratch_D, scratch_loss):
    if np.min(loss) < min(scratch_loss) or np.max(loss) > max(scratch_loss):
        raise ValueError("unknown")
    sizes = np.log10(scratch_D)[::-1]
    return 10 ** np.interp(loss, scratch_loss[::-1], sizes) - D_F
""",
    "mixture": """
def mixture(total, active, D, experts, visited, batch):
    alone = 1.0
    for _ in range(batch):
        alone *= (experts - visited) / experts
    return dict(read=1 - alone, bytes=total * 16 / 8, flops=3 * 2 * D * active)
""",
    "rounded": """
def rounded(weights, bits):
    rows = []
    for row in weights:
        step = max(abs(row)) / (2 ** (bits - 1) - 1)
        rows.append([step * round(w / step) if step else 0.0 for w in row])
    return {"weights": np.array(rows), "worst": np.max(np.abs(np.array(rows) - weights))}
""",
}
