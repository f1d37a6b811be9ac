"""Wrong answers that people give to exercise 01, and right ones written differently."""

from course_utils.checks.task import Misconception

MISCONCEPTIONS = {
    "cross_entropy": [
        Misconception(
            "naive exponentials",
            says="an exponential that overflows",
            code="""
def cross_entropy(logits, targets):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets]).mean()
""",
        ),
        Misconception(
            "a sum for a mean",
            says="A loss is their mean",
            code="""
def cross_entropy(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(targets)), targets]).sum()
""",
        ),
        Misconception(
            "logarithm of the mean",
            says="Take the logarithm of each first",
            code="""
def cross_entropy(logits, targets):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets].mean())
""",
        ),
        Misconception(
            "the favourite for what came",
            says="Score the one that came",
            code="""
def cross_entropy(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(z).sum(axis=1)).mean()
""",
        ),
        Misconception(
            "sums down the columns",
            says="A prediction is a row",
            code="""
def cross_entropy(logits, targets):
    z = logits - logits.max(axis=0)
    log_p = z - np.log(np.exp(z).sum(axis=0))
    return -log_p[np.arange(len(targets)), targets].mean()
""",
        ),
        Misconception(
            "entropy of the predictions",
            says="how sure it is",
            code="""
def cross_entropy(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(np.exp(log_p) * log_p).sum(axis=1).mean()
""",
        ),
        Misconception(
            "bits",
            says="bits where nats are meant",
            code="""
def cross_entropy(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(targets)), targets].mean() / np.log(2)
""",
        ),
        Misconception(
            "logits are log-probabilities",
            says="up to a constant for each row",
            code="""
def cross_entropy(logits, targets):
    return -logits[np.arange(len(targets)), targets].mean()
""",
        ),
    ],
    "loss_units": [
        Misconception(
            "perplexity to base 2",
            says="2 to the power of a loss holds for a loss in bits",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": 2**loss, "bits_per_byte": loss / np.log(2) / bytes_per_token}
""",
        ),
        Misconception(
            "perplexity to base 10",
            says="holds for decimal logarithms",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": 10**loss, "bits_per_byte": loss / np.log(2) / bytes_per_token}
""",
        ),
        Misconception(
            "perplexity per byte",
            says="Asked is the one per token",
            code="""
def loss_units(loss, bytes_per_token):
    per_byte = loss / bytes_per_token
    return {"perplexity": np.exp(per_byte), "bits_per_byte": per_byte / np.log(2)}
""",
        ),
        Misconception(
            "still in nats",
            says="Those are nats per byte",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": np.exp(loss), "bits_per_byte": loss / bytes_per_token}
""",
        ),
        Misconception(
            "still per token",
            says="Those are bits per token",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": np.exp(loss), "bits_per_byte": loss / np.log(2)}
""",
        ),
        Misconception(
            "multiplied by the bytes",
            says="You multiplied by the bytes",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": np.exp(loss), "bits_per_byte": loss / np.log(2) * bytes_per_token}
""",
        ),
        Misconception(
            "multiplied by ln 2",
            says="A nat is more than a bit",
            code="""
def loss_units(loss, bytes_per_token):
    return {"perplexity": np.exp(loss), "bits_per_byte": loss * np.log(2) / bytes_per_token}
""",
        ),
    ],
    "which_is_better": [
        Misconception(
            "lower perplexity is better",
            says="short tokens are easier to guess",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    better = "A" if np.exp(loss_a) < np.exp(loss_b) else "B"
    return {"better": better, "perplexity": np.exp(loss_b * bytes_a / bytes_b)}
""",
        ),
        Misconception(
            "perplexity in proportion",
            says="You scaled the perplexity itself",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    perplexity = np.exp(loss_b) * bytes_a / bytes_b
    return {"better": "A" if np.exp(loss_a) < perplexity else "B", "perplexity": perplexity}
""",
        ),
        Misconception(
            "longer tokens are better",
            says="You chose the longer tokens",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    better = "A" if bytes_a > bytes_b else "B"
    return {"better": better, "perplexity": np.exp(loss_b * bytes_a / bytes_b)}
""",
        ),
        Misconception(
            "more bits are better",
            says="Fewer bits are better",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    better = "A" if loss_a / bytes_a > loss_b / bytes_b else "B"
    return {"better": better, "perplexity": np.exp(loss_b * bytes_a / bytes_b)}
""",
        ),
        Misconception(
            "scaled the wrong way",
            says="You scaled the wrong way",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    better = "A" if loss_a / bytes_a < loss_b / bytes_b else "B"
    return {"better": better, "perplexity": np.exp(loss_b * bytes_b / bytes_a)}
""",
        ),
        Misconception(
            "B's own perplexity",
            says="B's perplexity on its own tokens",
            code="""
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    better = "A" if loss_a / bytes_a < loss_b / bytes_b else "B"
    return {"better": better, "perplexity": np.exp(loss_b)}
""",
        ),
    ],
    "bigram_loss": [
        Misconception(
            "plain shares",
            says="plain shares of the counts",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    p = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "one added to every count",
            says="You added one to every count",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.ones((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    p = table / table.sum(axis=1, keepdims=True)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "the freed share lost",
            says="give what that frees to nobody",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    total = table.sum(axis=1, keepdims=True)
    p = np.maximum(table - discount, 0) / np.maximum(total, 1)
    p = np.where(total > 0, p, 1 / vocab_size)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "one discount for all kinds",
            says="It was taken once for every",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    total = table.sum(axis=1, keepdims=True)
    p = (np.maximum(table - discount, 0) + discount / vocab_size) / np.maximum(total, 1)
    p = np.where(total > 0, p, 1 / vocab_size)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "freed share for new pairs only",
            says="You give the freed share to new pairs only",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    total = table.sum(axis=1, keepdims=True)
    freed = discount * (table > 0).sum(axis=1, keepdims=True) / vocab_size
    p = np.where(table > 0, table - discount, freed) / np.maximum(total, 1)
    p = np.where(total > 0, p, 1 / vocab_size)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "the first given the second",
            says="The first one is known",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    total, kinds = table.sum(axis=0), (table > 0).sum(axis=0)
    p = (np.maximum(table - discount, 0) + discount * kinds / vocab_size) / np.maximum(total, 1)
    p = np.where(total > 0, p, 1 / vocab_size)
    return -np.log(p[test[:-1], test[1:]]).mean()
""",
        ),
        Misconception(
            "the training loss",
            says="You scored the text that was counted",
            code="""
def bigram_loss(train, test, vocab_size, discount):
    table = np.zeros((vocab_size, vocab_size))
    np.add.at(table, (train[:-1], train[1:]), 1)
    total, kinds = table.sum(axis=1, keepdims=True), (table > 0).sum(axis=1, keepdims=True)
    p = np.maximum(table - discount, 0) + discount * kinds / vocab_size
    p = np.where(total > 0, p / np.maximum(total, 1), 1 / vocab_size)
    return -np.log(p[train[:-1], train[1:]]).mean()
""",
        ),
    ],
    "merge_step": [
        Misconception(
            "the first pair",
            says="You merge the first pair",
            code="""
def merge_step(tokens, new):
    pairs, pair, out = list(zip(tokens, tokens[1:])), tuple(tokens[:2]), []
    for token in tokens:
        out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "one place only",
            says="wherever the pair stands",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens, tokens[1:]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    i = pairs.index(pair)
    out = tokens[:i] + [new] + tokens[i + 2 :]
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "merges that overlap",
            says="Your merges overlap",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens, tokens[1:]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    out = []
    for i, token in enumerate(tokens):
        if i < len(pairs) and pairs[i] == pair:
            out.append(new)
        elif i == 0 or pairs[i - 1] != pair:
            out.append(token)
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "from the right",
            says="You merge from the right",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens, tokens[1:]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    out = []
    for token in tokens[::-1]:
        out = [new, *out[1:]] if out and (token, out[0]) == pair else [token, *out]
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "the new token added",
            says="You add the new token and keep the old ones",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens, tokens[1:]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    out = tokens[:1]
    for before, token in pairs:
        out += [token, new] if (before, token) == pair else [token]
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "pairs at even places",
            says="Every token but the last begins a pair",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens[::2], tokens[1::2]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    out = []
    for token in tokens:
        out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
    return {"pair": pair, "count": pairs.count(pair), "tokens": out}
""",
        ),
        Misconception(
            "the caller's list changed",
            says="changes its inputs in place",
            code="""
def merge_step(tokens, new):
    pairs = list(zip(tokens, tokens[1:]))
    pair = min(set(pairs), key=lambda each: (-pairs.count(each), each))
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            tokens[i : i + 2] = [new]
        i += 1
    return {"pair": pair, "count": pairs.count(pair), "tokens": tokens}
""",
        ),
    ],
    "bpe_encode": [
        Misconception(
            "numbered from zero",
            says="You number the new tokens from 0",
            code="""
def bpe_encode(data, merges):
    tokens = list(data)
    for new, pair in enumerate(merges):
        out = []
        for token in tokens:
            out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
        tokens = out
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}
""",
        ),
        Misconception(
            "numbered from 257",
            says="You number the new tokens from 257",
            code="""
def bpe_encode(data, merges):
    tokens = list(data)
    for new, pair in enumerate(merges, 257):
        out = []
        for token in tokens:
            out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
        tokens = out
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}
""",
        ),
        Misconception(
            "the longest piece first",
            says="You match the longest piece",
            code="""
def bpe_encode(data, merges):
    pieces = [(i,) for i in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    rest, tokens = tuple(data), []
    while rest:
        fits = [i for i, piece in enumerate(pieces) if rest[: len(piece)] == piece]
        tokens.append(max(fits, key=lambda i: len(pieces[i])))
        rest = rest[len(pieces[tokens[-1]]) :]
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}
""",
        ),
        Misconception(
            "the last merge first",
            says="You begin with the last merge",
            code="""
def bpe_encode(data, merges):
    tokens = list(data)
    for new in range(255 + len(merges), 255, -1):
        out = []
        for token in tokens:
            pair = merges[new - 256]
            out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
        tokens = out
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}
""",
        ),
        Misconception(
            "one pass over the text",
            says="one pass for each merge",
            code="""
def bpe_encode(data, merges):
    tokens = []
    for token in data:
        tokens.append(token)
        while tuple(tokens[-2:]) in merges:
            tokens[-2:] = [256 + merges.index(tuple(tokens[-2:]))]
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}
""",
        ),
        Misconception(
            "tokens per byte",
            says="Those are tokens per byte",
            code="""
def bpe_encode(data, merges):
    tokens = list(data)
    for new, pair in enumerate(merges, 256):
        out = []
        for token in tokens:
            out = [*out[:-1], new] if out and (out[-1], token) == pair else [*out, token]
        tokens = out
    return {"tokens": tokens, "bytes_per_token": len(tokens) / len(data)}
""",
        ),
    ],
}

ALTERNATIVES = {
    "cross_entropy": """
def cross_entropy(logits, targets):
    costs = []
    for row, target in zip(logits, targets):
        others = row - row[target]
        costs.append(np.logaddexp.reduce(others))
    return float(np.mean(costs))
""",
    "loss_units": """
def loss_units(loss, bytes_per_token):
    bits = np.log2(np.exp(loss))
    return {"bits_per_byte": bits / bytes_per_token, "perplexity": 2.0**bits}
""",
    "which_is_better": """
def which_is_better(loss_a, bytes_a, loss_b, bytes_b):
    carried = np.exp(loss_b) ** (bytes_a / bytes_b)
    return {"perplexity": float(carried), "better": "AB"[int(carried < np.exp(loss_a))]}
""",
    "bigram_loss": """
def bigram_loss(train, test, vocab_size, discount):
    total, after, cost = {}, {}, 0.0
    for a, b in zip(train.tolist(), train[1:].tolist()):
        total[a] = total.get(a, 0) + 1
        after.setdefault(a, {})[b] = after.get(a, {}).get(b, 0) + 1
    for a, b in zip(test.tolist(), test[1:].tolist()):
        p = 1 / vocab_size
        if a in total:
            kept = max(after[a].get(b, 0) - discount, 0)
            p = (kept + discount * len(after[a]) * p) / total[a]
        cost -= np.log(p)
    return cost / (len(test) - 1)
""",
    "merge_step": """
from collections import Counter


def merge_step(tokens, new):
    counts = Counter(zip(tokens, tokens[1:]))
    most = max(counts.values())
    pair, out, i = min(p for p in counts if counts[p] == most), [], 0
    while i < len(tokens):
        here = tuple(tokens[i : i + 2]) == pair
        out.append(new if here else tokens[i])
        i += 1 + here
    return {"tokens": out, "pair": list(pair), "count": most}
""",
    "bpe_encode": """
def bpe_encode(data, merges):
    tokens = list(data)
    while True:
        ranks = [merges.index(p) if p in merges else 999 for p in zip(tokens, tokens[1:])]
        if not ranks or min(ranks) == 999:
            return {"bytes_per_token": len(data) / len(tokens), "tokens": tokens}
        i = ranks.index(min(ranks))
        tokens = tokens[:i] + [256 + ranks[i]] + tokens[i + 2 :]
""",
}
