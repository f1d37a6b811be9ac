"""Exercise 01: cross-entropy, its units, models that do not share a tokenizer, and merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from course_utils import tokenization
from course_utils.checks.task import Diagnosis, Exercise, Part, Task

# --- cross_entropy ------------------------------------------------------------------------------


def _log_softmax(logits: Any, axis: int = 1) -> NDArray:
    shifted = np.asarray(logits, dtype=float)
    shifted = shifted - shifted.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _right(logits: Any, targets: Any, axis: int = 1) -> NDArray:
    """Log-probabilities of what came, one for each row."""
    return _log_softmax(logits, axis)[np.arange(len(targets)), targets]


def _logits(rng: Generator, offset: float) -> list[tuple]:
    drawn = []
    for _ in range(4):
        rows, V = int(rng.integers(3, 9)), int(rng.integers(4, 12))
        logits = rng.normal(0, 2, (rows, V)) + offset * rng.choice([-1, 1], (rows, 1))
        drawn.append((logits, rng.integers(0, V, rows)))
    return drawn


CROSS_ENTROPY = Task(
    name="cross_entropy",
    reference=lambda logits, targets: float(-_right(logits, targets).mean()),
    parts=(
        Part("ordinary logits", 2, lambda rng: _logits(rng, 0)),
        Part("logits near 1000 and −1000", 2, lambda rng: _logits(rng, 1000)),
    ),
    diagnoses=(
        Diagnosis(
            "a sum",
            lambda logits, targets: -_right(logits, targets).sum(),
            "That is the sum over the rows. A loss is their mean, so that it does not grow with "
            "the text.",
        ),
        Diagnosis(
            "mean before logarithm",
            lambda logits, targets: -np.log(np.exp(_right(logits, targets)).mean()),
            "You took the mean of the probabilities and then the logarithm. Take the logarithm "
            "of each first: costs add up, probabilities do not.",
        ),
        Diagnosis(
            "the favourite",
            lambda logits, targets: -_log_softmax(logits).max(axis=1).mean(),
            "You score the token that the model likes best. Score the one that came, "
            "`targets[i]` in row i.",
        ),
        Diagnosis(
            "columns",
            lambda logits, targets: -_right(logits, targets, axis=0).mean(),
            "Your probabilities sum to one down the columns. A prediction is a row: sum over "
            "axis 1.",
        ),
        Diagnosis(
            "entropy",
            lambda logits, targets: (
                -(_log_softmax(logits) * np.exp(_log_softmax(logits))).sum(axis=1).mean()
            ),
            "That is the entropy of the model's own predictions: how sure it is, and not whether "
            "it is right. The targets must come in.",
        ),
        Diagnosis(
            "logits for logarithms",
            lambda logits, targets: -np.asarray(logits)[np.arange(len(targets)), targets].mean(),
            "Logits are logarithms of probabilities only up to a constant for each row: subtract "
            "the logarithm of the sum of their exponentials.",
        ),
    ),
    example=(np.array([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), np.array([0, 2])),
    shown="0.634",
)


# --- loss_units ---------------------------------------------------------------------------------


def _units(loss: Any, bytes_per_token: Any) -> dict[str, Any]:
    return {
        "perplexity": tokenization.perplexity(loss),
        "bits_per_byte": tokenization.bits_per_byte(loss, bytes_per_token),
    }


def _losses(rng: Generator) -> list[tuple]:
    return [(float(rng.uniform(1.2, 4)), float(rng.uniform(2, 5))) for _ in range(4)]


def _many_losses(rng: Generator) -> list[tuple]:
    return [(rng.uniform(1.2, 4, 5), float(rng.uniform(2, 5)))]


UNITS = Task(
    name="loss_units",
    reference=_units,
    parts=(
        Part("perplexity", 1, _losses, key="perplexity"),
        Part("bits per byte", 1, _losses, key="bits_per_byte"),
        Part("an array of losses", 1, _many_losses),
    ),
    diagnoses=(
        Diagnosis(
            "two to the nats",
            lambda loss, k: {"perplexity": 2.0 ** np.asarray(loss)},
            "2 to the power of a loss holds for a loss in bits. This one is in nats: e^loss.",
        ),
        Diagnosis(
            "ten to the nats",
            lambda loss, k: {"perplexity": 10.0 ** np.asarray(loss)},
            "10 to the power of a loss holds for decimal logarithms. This one is in nats: e^loss.",
        ),
        Diagnosis(
            "perplexity of a byte",
            lambda loss, k: {"perplexity": np.exp(np.asarray(loss) / k)},
            "That is a perplexity per byte. Asked is the one per token, as papers print it.",
        ),
        Diagnosis(
            "nats per byte",
            lambda loss, k: {"bits_per_byte": np.asarray(loss) / k},
            "Those are nats per byte: divide by ln 2 to get bits.",
        ),
        Diagnosis(
            "bits per token",
            lambda loss, k: {"bits_per_byte": np.asarray(loss) / np.log(2)},
            "Those are bits per token. A token's bits are shared by its bytes.",
        ),
        Diagnosis(
            "times bytes",
            lambda loss, k: {"bits_per_byte": np.asarray(loss) / np.log(2) * k},
            "You multiplied by the bytes of a token. Its bits are shared by them: divide.",
        ),
        Diagnosis(
            "times ln 2",
            lambda loss, k: {"bits_per_byte": np.asarray(loss) * np.log(2) / k},
            "You multiplied by ln 2. A nat is more than a bit, 1.44 of them: divide by ln 2.",
        ),
    ),
    example=(3.0, 4.5),
    shown={"perplexity": "20.09", "bits_per_byte": "0.962"},
)


# --- which_is_better ----------------------------------------------------------------------------


def _carried(loss_b: float, bytes_a: float, bytes_b: float) -> float:
    """B's perplexity for tokens of A's length."""
    bits = tokenization.bits_per_byte(loss_b, bytes_b)
    return tokenization.perplexity(tokenization.loss_from_bits_per_byte(bits, bytes_a))


def _judged(score_a: float, score_b: float, perplexity: float) -> dict[str, Any]:
    return {"better": "A" if score_a < score_b else "B", "perplexity": perplexity}


def _better(loss_a: float, bytes_a: float, loss_b: float, bytes_b: float) -> dict[str, Any]:
    bits_a, bits_b = (
        tokenization.bits_per_byte(loss, length)
        for loss, length in ((loss_a, bytes_a), (loss_b, bytes_b))
    )
    return _judged(bits_a, bits_b, _carried(loss_b, bytes_a, bytes_b))


def _stretched(loss_a: float, bytes_a: float, loss_b: float, bytes_b: float) -> dict[str, Any]:
    """The flawed comparison: perplexity in proportion to the length of a token."""
    said = np.exp(loss_b) * bytes_a / bytes_b
    return _judged(np.exp(loss_a), said, said)


def _contests(fooled: Callable[..., dict[str, Any]]) -> Callable[[Generator], list[tuple]]:
    """Pairs of models for which a wrong rule picks the wrong one, and some for which it does not."""

    def draw(rng: Generator) -> list[tuple]:
        drawn: list[tuple] = []
        while len(drawn) < 6:
            bytes_a, bytes_b = (float(each) for each in rng.uniform(2.5, 5, 2).round(1))
            loss_a = round(float(rng.uniform(2, 3.5)), 2)
            loss_b = float(round(loss_a * bytes_b / bytes_a * rng.uniform(0.93, 1.07), 2))
            pair = (loss_a, bytes_a, loss_b, bytes_b)
            wrong = fooled(*pair)["better"] != _better(*pair)["better"]
            close = abs(loss_a / bytes_a / (loss_b / bytes_b) - 1) < 0.005
            if not close and abs(bytes_a - bytes_b) > 0.3 and wrong == (len(drawn) % 2 == 0):
                drawn.append(pair)
        return drawn

    return draw


def _by_perplexity(loss_a: float, bytes_a: float, loss_b: float, bytes_b: float) -> dict[str, Any]:
    return _judged(loss_a, loss_b, _carried(loss_b, bytes_a, bytes_b))


BETTER = Task(
    name="which_is_better",
    reference=_better,
    parts=(
        Part("perplexities that mislead", 2, _contests(_by_perplexity), key="better"),
        Part("lengths that mislead", 1, _contests(_stretched), key="better"),
        Part("B's perplexity on A's tokens", 2, _contests(_stretched), key="perplexity"),
    ),
    diagnoses=(
        Diagnosis(
            "lower perplexity",
            lambda LA, kA, LB, kB: {"better": _by_perplexity(LA, kA, LB, kB)["better"]},
            "You chose the lower loss per token, and so the lower perplexity. The tokens differ: "
            "short tokens are easier to guess, and there are more of them. Compare per byte.",
        ),
        Diagnosis(
            "perplexity stretched",
            _stretched,
            "You scaled the perplexity itself. It is the loss, in the exponent, that adds up over "
            "the bytes: scale that, and then take e to its power.",
        ),
        Diagnosis(
            "longer tokens",
            lambda LA, kA, LB, kB: {"better": "A" if kA > kB else "B"},
            "You chose the longer tokens. They make a text short in tokens; whether the model "
            "guesses them well is another matter.",
        ),
        Diagnosis(
            "the worse one",
            lambda LA, kA, LB, kB: {"better": "A" if LA / kA > LB / kB else "B"},
            "You chose the one that needs more bits per byte. Fewer bits are better.",
        ),
        Diagnosis(
            "upside down",
            lambda LA, kA, LB, kB: {"perplexity": np.exp(LB * kB / kA)},
            "You scaled the wrong way: where A's tokens are longer, there is more to guess in each.",
        ),
        Diagnosis(
            "not carried over",
            lambda LA, kA, LB, kB: {"perplexity": np.exp(LB)},
            "That is B's perplexity on its own tokens. Asked is the one on tokens of A's length.",
        ),
    ),
    example=(3.0, 4.5, 2.7, 4.0),
    shown={"better": '"A"', "perplexity": "20.85"},
)


# --- bigram_loss --------------------------------------------------------------------------------


def _pairs(train: Any, V: int) -> NDArray:
    counts = np.zeros((V, V))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    return counts


def _mean_cost(p: NDArray, test: Any) -> float:
    with np.errstate(divide="ignore"):
        cost = float(-np.log(p[test[:-1], test[1:]]).mean())
    return cost if np.isfinite(cost) else np.nan  # an infinite one would agree with any other


def _bigram(train: Any, test: Any, vocab_size: int, discount: float) -> float:
    counts = _pairs(train, vocab_size)
    total, kinds = counts.sum(axis=1, keepdims=True), (counts > 0).sum(axis=1, keepdims=True)
    freed = discount * kinds / vocab_size
    p = (np.maximum(counts - discount, 0) + freed) / np.maximum(total, 1)
    return _mean_cost(np.where(total > 0, p, 1 / vocab_size), test)


def _add_one(train: Any, test: Any, V: int, d: float) -> float:
    counts = _pairs(train, V)
    return _mean_cost((counts + 1) / (counts.sum(axis=1, keepdims=True) + V), test)


def _lost(train: Any, test: Any, V: int, d: float) -> float:
    """Discounted, with the freed share given to nobody."""
    counts = _pairs(train, V)
    total = counts.sum(axis=1, keepdims=True)
    p = np.maximum(counts - d, 0) / np.maximum(total, 1)
    return _mean_cost(np.where(total > 0, p, 1 / V), test)


def _one_share(train: Any, test: Any, V: int, d: float) -> float:
    counts = _pairs(train, V)
    total = counts.sum(axis=1, keepdims=True)
    p = (np.maximum(counts - d, 0) + d / V) / np.maximum(total, 1)
    return _mean_cost(np.where(total > 0, p, 1 / V), test)


def _unseen_only(train: Any, test: Any, V: int, d: float) -> float:
    counts = _pairs(train, V)
    total, kinds = counts.sum(axis=1, keepdims=True), (counts > 0).sum(axis=1, keepdims=True)
    p = np.where(counts > 0, counts - d, d * kinds / V) / np.maximum(total, 1)
    return _mean_cost(np.where(total > 0, p, 1 / V), test)


def _texts(rng: Generator, new_pairs: bool, new_tokens: bool = False) -> list[tuple]:
    """Texts over a few tokens. ``new_tokens``: the test text has one that training lacks."""
    drawn = []
    for _ in range(3):
        V = int(rng.integers(5, 9))
        odds = rng.dirichlet(np.full(V - 1, 0.3), V - 1)
        odds = 0.5 * odds + 0.5 / (V - 1)
        train = [0]
        for _ in range(int(rng.integers(60, 90)) if new_pairs else 400):
            train.append(int(rng.choice(V - 1, p=odds[train[-1]])))
        known = set(pairwise(train))
        test = [train[0]]
        while len(test) < 40:
            new = int(rng.integers(0, V if new_tokens else V - 1))
            if new_pairs or (test[-1], new) in known:
                test.append(new)
        if new_tokens:
            test[10] = test[20] = V - 1
        drawn.append((np.array(train), np.array(test), V, float(rng.uniform(0.3, 0.9))))
    return drawn


BIGRAM = Task(
    name="bigram_loss",
    reference=_bigram,
    parts=(
        Part("pairs that training has", 1, lambda rng: _texts(rng, new_pairs=False)),
        Part("pairs that it lacks", 1, lambda rng: _texts(rng, new_pairs=True)),
        Part("a token that it lacks", 1, lambda rng: _texts(rng, True, new_tokens=True)),
    ),
    diagnoses=(
        Diagnosis(
            "plain shares",
            lambda train, test, V, d: _bigram(train, test, V, 0.0),
            "Those are plain shares of the counts. Take `discount` from each count, or the first "
            "new pair will cost infinitely much.",
        ),
        Diagnosis(
            "add one",
            _add_one,
            "You added one to every count. That is another remedy; here take `discount` from the "
            "counts and share out what that frees.",
        ),
        Diagnosis(
            "freed share lost",
            _lost,
            "You discount, and give what that frees to nobody: your probabilities do not sum to "
            "one. Each of the vocab_size tokens gets an equal part of it.",
        ),
        Diagnosis(
            "one discount shared",
            _one_share,
            "You share out one discount for each context. It was taken once for every *different* "
            "token that followed: share out discount times that number.",
        ),
        Diagnosis(
            "for new pairs only",
            _unseen_only,
            "You give the freed share to new pairs only, in parts of 1/vocab_size, so some of it "
            "is lost. Every token gets its part, seen or not.",
        ),
        Diagnosis(
            "backwards",
            lambda train, test, V, d: _bigram(train[::-1], test[::-1], V, d),
            "You divide by how often the second token came. The first one is known: p(b | a) is "
            "counted among all pairs that begin with a.",
        ),
        Diagnosis(
            "training text",
            lambda train, test, V, d: _bigram(train, train, V, d),
            "You scored the text that was counted. A loss is taken on `test`.",
        ),
    ),
    example=(np.array([0, 1, 0, 1, 0, 2]), np.array([0, 1, 2, 0]), 4, 0.5),
    shown="1.566",
)


# --- merge_step ---------------------------------------------------------------------------------


def _best_pair(tokens: list[int]) -> tuple[tuple[int, int], int]:
    counts = Counter(pairwise(tokens))
    pair = min(counts, key=lambda each: (-counts[each], each))
    return pair, counts[pair]


def _merged(tokens: list[int], new: int, merge: Callable[..., list[int]]) -> dict[str, Any]:
    pair, count = _best_pair(tokens)
    return {"pair": list(pair), "count": count, "tokens": merge(tokens, pair, new)}


def _merge_step(tokens: list[int], new: int) -> dict[str, Any]:
    return _merged(tokens, new, tokenization.merge)


def _once(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    i = list(pairwise(tokens)).index(pair)
    return [*tokens[:i], new, *tokens[i + 2 :]]


def _overlapping(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """A pass that replaces every place where the pair begins, and eats one token for each."""
    out = []
    for i, token in enumerate(tokens):
        if (token, *tokens[i + 1 : i + 2]) == pair:
            out.append(new)
        elif i == 0 or (tokens[i - 1], token) != pair:
            out.append(token)
    return out


def _from_right(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    return tokenization.merge(tokens[::-1], pair[::-1], new)[::-1]


def _kept(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    out: list[int] = []
    for i, token in enumerate(tokens):
        out += [token, new] if tuple(tokens[i - 1 : i + 1]) == pair else [token]
    return out


def _sequences(rng: Generator, runs: bool) -> list[tuple]:
    """Sequences with one most frequent pair; with ``runs``, a pair of equal tokens in odd runs."""
    drawn: list[tuple] = []
    while len(drawn) < 4:
        tokens = [int(each) for each in rng.integers(97, 101, int(rng.integers(12, 24)))]
        if runs:
            token = int(rng.integers(97, 101))
            for place in rng.integers(0, len(tokens), 3):
                tokens[place:place] = [token] * 3
            tokens[:0] = [97 if token != 97 else 98]
        counts = Counter(pairwise(tokens)).most_common(2)
        pair = counts[0][0]
        clear = counts[0][1] > counts[1][1]
        differs = _from_right(tokens, pair, 256) != tokenization.merge(tokens, pair, 256)
        if clear and (pair[0] == pair[1] and differs if runs else pair[0] != pair[1]):
            drawn.append((tokens, 256 + int(rng.integers(0, 9))))
    return drawn


MERGE = Task(
    name="merge_step",
    reference=_merge_step,
    parts=(
        Part("the pair", 1, lambda rng: _sequences(rng, False), key="pair"),
        Part("its count", 1, lambda rng: _sequences(rng, False), key="count"),
        Part("the tokens", 1, lambda rng: _sequences(rng, False), key="tokens"),
        Part("a token that repeats", 1, lambda rng: _sequences(rng, True), key="tokens"),
    ),
    diagnoses=(
        Diagnosis(
            "pairs that do not overlap",
            lambda tokens, new: {
                "count": max(Counter(zip(tokens[::2], tokens[1::2], strict=False)).values())
            },
            "You count pairs at even places only. Every token but the last begins a pair.",
        ),
        Diagnosis(
            "the first pair",
            lambda tokens, new: {
                "pair": tokens[:2],
                "count": Counter(pairwise(tokens))[tuple(tokens[:2])],
                "tokens": tokenization.merge(tokens, tuple(tokens[:2]), new),
            },
            "You merge the first pair of the text. Merge the most frequent one.",
        ),
        Diagnosis(
            "the rarest",
            lambda tokens, new: {
                "pair": list(min((n, p) for p, n in Counter(pairwise(tokens)).items())[1])
            },
            "You take the rarest pair. A merge joins the most frequent one.",
        ),
        Diagnosis(
            "one place",
            lambda tokens, new: _merged(tokens, new, _once),
            "You replace the pair in one place. A merge is made wherever the pair stands.",
        ),
        Diagnosis(
            "from the right",
            lambda tokens, new: _merged(tokens, new, _from_right),
            "You merge from the right. Go from left to right: of three equal tokens the first two "
            "are joined.",
        ),
        Diagnosis(
            "overlapping",
            lambda tokens, new: _merged(tokens, new, _overlapping),
            "Your merges overlap: a token that has been merged cannot be merged again. In a run "
            "of three equal tokens there is room for one pair.",
        ),
        Diagnosis(
            "added, not replaced",
            lambda tokens, new: _merged(tokens, new, _kept),
            "You add the new token and keep the old ones. It stands in the place of both.",
        ),
    ),
    example=([98, 97, 110, 97, 110, 97], 256),
    shown={"count": "2"},
)


# --- bpe_encode ---------------------------------------------------------------------------------


def _encoded(data: list[int], tokens: list[int]) -> dict[str, Any]:
    return {"tokens": tokens, "bytes_per_token": len(data) / len(tokens)}


def _in_order(data: list[int], merges: list[tuple[int, int]], first: int = 256) -> list[int]:
    tokens = list(data)
    for new, pair in enumerate(merges, first):
        tokens = tokenization.merge(tokens, tuple(pair), new)
    return tokens


def _longest(data: list[int], merges: list[tuple[int, int]]) -> list[int]:
    """Greedy matching: the longest piece that fits, from left to right."""
    pieces = tokenization.Tokenizer(tuple(merges)).pieces
    rest, tokens = bytes(data), []
    while rest:
        token = max(
            (i for i, piece in enumerate(pieces) if rest.startswith(piece)),
            key=lambda i: len(pieces[i]),
        )
        tokens.append(token)
        rest = rest[len(pieces[token]) :]
    return tokens


def _backwards(data: list[int], merges: list[tuple[int, int]]) -> list[int]:
    tokens = list(data)
    for i in reversed(range(len(merges))):
        tokens = tokenization.merge(tokens, tuple(merges[i]), 256 + i)
    return tokens


def _one_pass(data: list[int], merges: list[tuple[int, int]]) -> list[int]:
    """Left to right, joining whatever can be joined with what stands before it."""
    number = {tuple(pair): new for new, pair in enumerate(merges, 256)}
    out: list[int] = []
    for token in data:
        out.append(token)
        while tuple(out[-2:]) in number:
            out[-2:] = [number[tuple(out[-2:])]]
    return out


def _byte_text(rng: Generator, length: int) -> list[int]:
    """Letters with habits, so that there is something to merge."""
    habits, out = rng.dirichlet(np.full(4, 0.5), 4), [0]
    for _ in range(length - 1):
        out.append(int(rng.choice(4, p=habits[out[-1]])))
    return [97 + each for each in out]


def _codings(rng: Generator, merges: int, tricky: bool = False) -> list[tuple]:
    """Texts and merges; ``tricky``: matching the longest piece would cut them differently."""
    drawn: list[tuple] = []
    while len(drawn) < 4:
        text = _byte_text(rng, 150)
        learned = tokenization.train(bytes(text[:110]), merges).merges
        data = text[110:]
        if len(learned) == merges and (
            not tricky or _longest(data, learned) != _in_order(data, learned)
        ):
            drawn.append((data, [tuple(pair) for pair in learned]))
    return drawn


ENCODE = Task(
    name="bpe_encode",
    reference=lambda data, merges: _encoded(data, _in_order(data, merges)),
    parts=(
        Part("one merge", 1, lambda rng: _codings(rng, 1), key="tokens"),
        Part("merges of merges", 1, lambda rng: _codings(rng, 6), key="tokens"),
        Part("the order of merges", 1, lambda rng: _codings(rng, 14, True), key="tokens"),
        Part("bytes per token", 1, lambda rng: _codings(rng, 6), key="bytes_per_token"),
    ),
    diagnoses=(
        Diagnosis(
            "numbered from zero",
            lambda data, merges: _encoded(data, _in_order(data, merges, first=0)),
            "You number the new tokens from 0, and those are bytes. Merge i makes token 256 + i.",
        ),
        Diagnosis(
            "numbered from 257",
            lambda data, merges: _encoded(data, _in_order(data, merges, first=257)),
            "You number the new tokens from 257. Merge 0 makes token 256.",
        ),
        Diagnosis(
            "the longest piece",
            lambda data, merges: _encoded(data, _longest(data, merges)),
            "You match the longest piece from left to right. That often gives the same tokens, "
            "not always: make the merges in the order in which they were learned.",
        ),
        Diagnosis(
            "the wrong way round",
            lambda data, merges: _encoded(data, _backwards(data, merges)),
            "You begin with the last merge. Its parts do not exist yet: begin with merge 0.",
        ),
        Diagnosis(
            "one pass",
            lambda data, merges: _encoded(data, _one_pass(data, merges)),
            "You go through the text once and join whatever can be joined. An early merge comes "
            "first everywhere in the text: one pass for each merge.",
        ),
        Diagnosis(
            "tokens per byte",
            lambda data, merges: {"bytes_per_token": len(_in_order(data, merges)) / len(data)},
            "Those are tokens per byte. A token has one byte or more.",
        ),
    ),
    example=([98, 97, 110, 97, 110, 97], [(97, 110), (98, 256)]),
    shown={"bytes_per_token": "2.0"},
)


EXERCISE = Exercise(
    "01_pretraining_and_loss",
    tasks=(CROSS_ENTROPY, UNITS, BETTER, BIGRAM, MERGE, ENCODE),
    allowed=frozenset({"facts", "quantities"}),
)
