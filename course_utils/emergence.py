"""One smooth skill and many metrics: what a score makes of it, and what a test can see of it.

The chain from loss to score assumes that an answer consists of L tokens, each right with the same
probability p, whatever happened to the others::

    loss per token  →  p = exp(−loss)  →  exact match p^L,  edit distance L·(1 − p),  …

Every step is an assumption that a measurement can refute; lesson 06 does. Probabilities, shares
and scores are fractions of 1, losses nats per token; scalars or arrays (they broadcast).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.laws import Numbers, first_where
from course_utils.quantities import fraction, plain, within

# --- from a skill to a score -----------------------------------------------------------------


def token_probability(loss: ArrayLike) -> Numbers:
    """The geometric mean of the probabilities given to the right tokens: exp(−loss).

    ``loss`` is the mean cross-entropy in nats per token. It is the p of the chain only where all
    tokens are equally hard, and of an answer drawn at random, not of the most probable one.
    Raises ValueError for a negative loss. Source: Schaeffer et al. 2023, section 2.

    >>> f"{token_probability(0.0693):.3f}"
    '0.933'
    """
    return plain(np.exp(-within(loss, "loss", "nats per token, 0 or more", 0, math.inf)))


def exact_match(p: ArrayLike, length: ArrayLike) -> Numbers:
    """The share of answers whose ``length`` tokens are all right: p^L.

    Raises ValueError unless 0 ≤ p ≤ 1 and the length is a whole number from 1.
    Source: Schaeffer et al. 2023, section 2.

    >>> [round(exact_match(p, 10), 3) for p in (0.5, 0.9, 0.99)]
    [0.001, 0.349, 0.904]
    """
    return plain(fraction(p, "p") ** _length(length))


def accuracy_needed(score: ArrayLike, length: ArrayLike) -> Numbers:
    """The p at which exact match reaches ``score``: score^(1/L), the inverse of `exact_match`.

    Raises ValueError unless 0 ≤ score ≤ 1 and the length is a whole number from 1.

    >>> f"{accuracy_needed(0.5, 10):.3f}"
    '0.933'
    """
    return plain(fraction(score, "score") ** (1 / _length(length)))


def edit_distance(p: ArrayLike, length: ArrayLike, carried: bool = False) -> Numbers:
    """Tokens to change in an answer of ``length`` tokens, on average: L·(1 − p).

    That lets every token fail for itself. With ``carried`` the first wrong token spoils all that
    follow, as in a calculation that goes on from its own results: L − (p + p² + … + p^L).
    Raises ValueError unless 0 ≤ p ≤ 1 and the length is a whole number from 1.
    Source: Schaeffer et al. 2023, section 2, for L·(1 − p).

    >>> round(edit_distance(0.9, 8), 3), round(edit_distance(0.9, 8, carried=True), 3)
    (0.8, 2.874)
    """
    p, length = np.broadcast_arrays(fraction(p, "p"), _length(length))
    if not carried:
        return plain(length * (1 - p))
    wrong = np.where(p == 1, 1, 1 - p)
    # A geometric series; where nothing goes wrong all L tokens are right.
    right = np.where(p == 1, length, p * (1 - p**length) / wrong)
    return plain(length - right)


def multiple_choice(p: ArrayLike, choices: ArrayLike) -> Numbers:
    """The share of right choices of one who knows the answer with probability p or else guesses.

    p + (1 − p)/choices, so that knowing nothing scores 1/choices. Raises ValueError unless
    0 ≤ p ≤ 1 and ``choices`` is a whole number from 2.

    >>> multiple_choice(0.5, 4)
    0.625
    """
    p, chance = fraction(p, "p"), 1 / _whole(choices, "choices", 2)
    return plain(p + (1 - p) * chance)


def above_chance(score: ArrayLike, chance: ArrayLike, best: ArrayLike = 1.0) -> Numbers:
    """A score on a scale where guessing is 0 and the best possible is 1.

    ``chance`` is what guessing scores, ``best`` the best score, which may be the smaller one, as
    for a loss. Raises ValueError where both are the same.

    >>> above_chance(0.625, chance=0.25)
    0.5
    >>> above_chance(0.0, chance=np.log(64), best=0.0)
    1.0
    """
    score, chance, best = (np.asarray(value, dtype=float) for value in (score, chance, best))
    if np.any(chance == best):
        raise ValueError("chance and best are the same: such a score tells nothing.")
    return plain((score - chance) / (best - chance))


def nll(probabilities: ArrayLike, answers: ArrayLike) -> float:
    """Mean negative log-likelihood of the right answers, in nats.

    ``probabilities`` is (n, V), a row for each question; ``answers`` (n,) the columns of the right
    ones. Infinite where a right answer was given probability 0. Raises ValueError for shapes that
    do not fit and rows that are no probabilities.

    >>> f"{nll([[0.5, 0.5], [0.9, 0.1]], [0, 0]):.4f}"
    '0.3993'
    """
    table, answers = _predictions(probabilities, answers)
    with np.errstate(divide="ignore"):
        return float(-np.log(table[np.arange(len(answers)), answers]).mean())


def brier(probabilities: ArrayLike, answers: ArrayLike) -> float:
    """Mean squared error of the probabilities, summed over all V answers: 0 is best, 2 worst.

    Arguments and errors as in `nll`. Always 1/V for each gives 1 − 1/V. Source: Brier 1950.

    >>> f"{brier([[0.5, 0.5], [0.9, 0.1]], [0, 0]):.4f}"
    '0.2600'
    """
    table, answers = _predictions(probabilities, answers)
    truth = np.zeros_like(table)
    truth[np.arange(len(answers)), answers] = 1
    return float(((table - truth) ** 2).sum(axis=1).mean())


def span_match(right: ArrayLike, length: int) -> float:
    """The share of windows of ``length`` tokens that are right throughout, overlapping ones too.

    ``right`` (n,) tells, token after token of a text, whether the model had it right with the true
    text before it. A model that always says the most probable token would write such a window
    without a fault. Where rights and wrongs cluster this is more than p^L. Raises ValueError when
    the text is shorter than a window or ``right`` holds anything but true and false.

    >>> right = [1, 1, 1, 1, 0, 0]
    >>> span_match(right, 2), round(exact_match(4 / 6, 2), 3)
    (0.6, 0.444)
    """
    hits = np.asarray(right)
    if hits.ndim != 1 or not np.isin(hits, (0, 1)).all():
        raise ValueError("right is not valid: expected one row of True and False.")
    length = int(_length(length))
    if len(hits) < length:
        raise ValueError(
            f"length = {length} is not valid: the text has {len(hits)} tokens, expected as many."
        )
    so_far = np.concatenate(([0], np.cumsum(hits)))
    return float((so_far[length:] - so_far[:-length] == length).mean())


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: ArrayLike) -> Numbers:
    """The chance that at least one of k answers to a question is right, without bias.

    Of ``samples`` answers that were drawn to the question, ``right`` were right: 1 minus the
    share of their subsets of size k that hold no right one. Average it over the questions.
    Raises ValueError where k is larger than the number of samples: what was not drawn is not known.
    Source: Chen et al. 2021 (arXiv 2107.03374), equation 1.

    >>> f"{pass_at_k(samples=100, right=5, k=10):.3f}"
    '0.416'
    >>> pass_at_k(samples=1, right=0, k=10)
    Traceback (most recent call last):
    ...
    ValueError: k = 10 is not valid: only 1 samples were drawn, expected at most as many.
    """
    c, n = _counts(right, samples, ("right", "samples"))
    c, n, k = np.broadcast_arrays(c, n, _whole(k, "k", 1))
    if np.any(k > n):
        asked, drawn = first_where(k > n, k, n)
        raise ValueError(
            f"k = {asked:g} is not valid: only {drawn:g} samples were drawn, "
            "expected at most as many."
        )
    missed = [_no_right(*each) for each in zip(n.flat, c.flat, k.flat, strict=True)]
    return plain(1 - np.reshape(missed, n.shape))


def _no_right(n: float, c: float, k: float) -> float:
    """The share of subsets of size k that hold none of c right answers among n."""
    return float(np.prod(np.clip(1 - k / np.arange(n - c + 1, n + 1), 0, None)))


def emergence_score(scores: ArrayLike) -> float:
    """How sudden a score rises along a ladder of models: its whole rise over its typical step.

    ``scores`` (n,), smallest model first, larger is better. The rise from least to largest
    (negative where the largest comes first) is divided by the square root of the median squared
    step. Equal steps give n − 1; one step between two plateaus gives infinity, a flat ladder 0.
    The score knows nothing of sizes nor of noise. Raises ValueError for fewer than three scores.
    Source: Srivastava et al. 2022 (arXiv 2206.04615), appendix B, "breakthroughness";
    Schaeffer et al. 2023, section 4.

    >>> emergence_score([0.0, 0.25, 0.5, 0.75, 1.0])
    4.0
    >>> round(emergence_score([0.0, 0.0, 0.01, 0.02, 1.0]), 1)
    100.0
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1 or len(scores) < 3 or not np.isfinite(scores).all():
        raise ValueError("scores is not valid: expected one row of three scores or more.")
    first, last = scores.argmin(), scores.argmax()
    rise = (scores[last] - scores[first]) * np.sign(last - first)
    typical = math.sqrt(np.median(np.diff(scores) ** 2))
    if typical == 0:
        return float(np.sign(rise) * math.inf) if rise else 0.0
    return float(rise / typical)


# --- from a sample to an interval ------------------------------------------------------------


class Interval(NamedTuple):
    """What a sample leaves open, from ``low`` to ``high``: fractions of 1, or arrays of them."""

    low: Numbers
    high: Numbers


def wilson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """The interval for a share of which ``successes`` of ``trials`` were seen, in closed form.

    All shares whose own normal approximation would not be surprised by the sample. On average it
    holds the truth as often as ``level`` says, though not for every share.
    Raises ValueError for impossible counts and levels. Source: Wilson 1927.

    >>> low, high = wilson(0, 100)
    >>> f"{low:.3f} to {high:.3f}"
    '0.000 to 0.037'
    """
    k, n = _counts(successes, trials)
    z = NormalDist().inv_cdf(0.5 + _level(level) / 2)
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    # At the ends the two terms cancel: exactly, and not up to rounding.
    low, high = np.where(k == 0, 0, centre - half), np.where(k == n, 1, centre + half)
    return Interval(plain(low), plain(high))


def clopper_pearson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """The exact interval for a share: it holds the truth at least as often as ``level`` says.

    Its ends are the shares at which as many successes, or as few, still have the probability
    (1 − level)/2. Raises ValueError for impossible counts and levels.
    Source: Clopper and Pearson 1934.

    >>> low, high = clopper_pearson(0, 100)
    >>> f"{low:.3f} to {high:.3f}"
    '0.000 to 0.036'
    """
    k, n = np.broadcast_arrays(*_counts(successes, trials))
    tail = (1 - _level(level)) / 2
    pairs = list(zip(k.flat, n.flat, strict=True))
    low = [_share_with_tail(int(k), int(n), tail) for k, n in pairs]
    high = [1 - _share_with_tail(int(n - k), int(n), tail) for k, n in pairs]
    return Interval(plain(np.reshape(low, k.shape)), plain(np.reshape(high, k.shape)))


def _share_with_tail(k: int, n: int, tail: float) -> float:
    """The share at which k successes or more of n have the probability ``tail``, by halving."""
    if k == 0:
        return 0.0
    seen = np.arange(k, n + 1)
    whole = math.lgamma(n + 1)
    ways = np.array([whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in seen])
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        terms = ways + seen * math.log(middle) + (n - seen) * math.log1p(-middle)
        if np.exp(terms).sum() < tail:
            low = middle
        else:
            high = middle
    return middle


def zero_bound(trials: ArrayLike, level: float = 0.95) -> Numbers:
    """The largest share that may hide behind no success in ``trials``: 1 − (1 − level)^(1/n).

    With a larger one, a success would have been seen with more than the probability ``level``.
    At 95 % that is nearly 3/n, the rule of three. Raises ValueError for bad counts and levels.

    >>> f"{zero_bound(100):.4f}, by the rule of three {3 / 100:.4f}"
    '0.0295, by the rule of three 0.0300'
    """
    n = _whole(trials, "trials", 1)
    return plain(-np.expm1(math.log1p(-_level(level)) / n))


def items_for(share: ArrayLike, level: float = 0.95) -> Numbers:
    """Items that a test needs to see a success of this share with probability ``level``, whole.

    So many without a success exclude the share: the inverse of `zero_bound`, about 3/share.
    Raises ValueError unless 0 < share < 1.

    >>> items_for(0.01), items_for(0.002)
    (299.0, 1497.0)
    """
    share = within(
        share, "share", "a fraction above 0 and below 1", np.nextafter(0, 1), np.nextafter(1, 0)
    )
    needed = math.log1p(-_level(level)) / np.log1p(-share)
    # Where the quotient is whole up to rounding, that many items do.
    return plain(np.ceil(needed * (1 - 1e-12)))


# --- checking --------------------------------------------------------------------------------


def _whole(value: ArrayLike, name: str, least: int) -> NDArray:
    expected = f"a whole number from {least}"
    array = within(value, name, expected, least, 2.0**53)
    bad = array[array != np.floor(array)]
    if bad.size:
        raise ValueError(f"{name} = {bad.flat[0]:g} is not valid: expected {expected}.")
    return array


def _length(value: ArrayLike) -> NDArray:
    return _whole(value, "length", 1)


def _counts(
    successes: ArrayLike, trials: ArrayLike, names: tuple[str, str] = ("successes", "trials")
) -> list[NDArray]:
    k, n = np.broadcast_arrays(_whole(successes, names[0], 0), _whole(trials, names[1], 1))
    if np.any(k > n):
        more, fewer = first_where(k > n, k, n)
        raise ValueError(
            f"{names[0]} = {more:g} is not valid: expected at most {names[1]} = {fewer:g}."
        )
    return [k, n]


def _level(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"level = {value!r} is not valid: expected a fraction such as 0.95.")
    return value


def _predictions(probabilities: ArrayLike, answers: ArrayLike) -> tuple[NDArray, NDArray]:
    table = fraction(probabilities, "probabilities")
    answers = np.asarray(answers)
    if table.ndim != 2 or not len(table) or answers.shape != table.shape[:1]:
        raise ValueError(
            f"probabilities of shape {table.shape} and answers of shape {answers.shape} do not "
            "fit: expected (n, V) and (n,)."
        )
    sums = table.sum(axis=1)
    if not np.allclose(sums, 1, atol=1e-4):
        worst = sums[np.abs(sums - 1).argmax()]
        raise ValueError(f"A row of probabilities adds up to {worst:.4g}: expected 1.")
    columns = table.shape[1]
    if not np.isin(answers, np.arange(columns)).all():
        raise ValueError(f"answers is not valid: expected whole numbers from 0 to {columns - 1}.")
    return table, answers.astype(int)
