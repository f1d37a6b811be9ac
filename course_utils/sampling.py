"""Compute spent on an answer: many samples, and what chooses among them.

A sample of a question is right with probability p, each time anew. Three ways to use k samples:

- coverage: one of them is right, and a perfect check finds it;
- a vote: the most common answer is taken;
- a verifier: one that accepts most right answers, and some wrong ones, chooses.

Coverage is measured with :func:`course_utils.emergence.pass_at_k`, from counts and without bias.
Probabilities and shares are fractions of 1, counts raw; scalars or arrays that broadcast. Bad
numbers raise ValueError.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.laws import Numbers, first_where, training_flops
from course_utils.planning import SERVE_FLOPS_PER_PARAM_TOKEN
from course_utils.quantities import fraction, params, plain, positive

# --- coverage --------------------------------------------------------------------------------


def coverage(p: ArrayLike, k: ArrayLike) -> Numbers:
    """The chance that one of k samples is right, each with probability p: 1 − (1 − p)^k.

    For p that is known. With p estimated from few samples this is too low on average:
    ``emergence.pass_at_k`` is not.

    >>> round(coverage(0.1, 64), 4)
    0.9988
    """
    p, k = fraction(p, "p"), positive(k, "k")
    with np.errstate(divide="ignore"):
        return plain(-np.expm1(k * np.log1p(-p)))


def mean_coverage(a: ArrayLike, b: ArrayLike, k: ArrayLike) -> Numbers:
    """Coverage averaged over questions whose p is spread as Beta(a, b), density p^(a−1)·(1−p)^(b−1).

    The share that is still unsolved, Γ(a+b)·Γ(b+k) / (Γ(b)·Γ(a+b+k)), falls like k^(−a) for
    large k, though each question for itself falls exponentially: ever harder ones are left.
    Source: Schaeffer et al. 2025 (arXiv 2502.17578), for the power law that a spread makes.

    >>> [round(1 - mean_coverage(0.3, 2, k), 3) for k in (1, 10, 100, 1000, 10_000)]
    [0.87, 0.559, 0.292, 0.147, 0.074]
    """
    a, b, k = np.broadcast_arrays(positive(a, "a"), positive(b, "b"), positive(k, "k"))
    return plain(-np.expm1(_lgamma(a + b) + _lgamma(b + k) - _lgamma(b) - _lgamma(a + b + k)))


# --- choosing --------------------------------------------------------------------------------


def majority_vote(p: ArrayLike, votes: ArrayLike) -> Numbers:
    """The chance that more than half of the votes are right, where there are two answers.

    ``votes`` is odd, so that there is no tie. Below p = ½ more votes hurt.
    Source: Condorcet 1785; Wang et al. 2022 (arXiv 2203.11171) for language models.

    >>> round(majority_vote(0.45, 101), 3), round(majority_vote(0.55, 101), 3)
    (0.156, 0.844)
    """
    p, votes = np.broadcast_arrays(fraction(p, "p"), positive(votes, "votes"))
    even = votes % 2 != 1
    if np.any(even):
        raise ValueError(
            f"votes = {votes[even].flat[0]:g} is not valid: expected an odd whole number, so "
            "that there is no tie."
        )
    pairs = zip(p.flat, votes.flat, strict=True)
    return plain(np.reshape([_most(float(q), int(n)) for q, n in pairs], p.shape))


def verifier_ceiling(p: ArrayLike, accepts_right: ArrayLike, accepts_wrong: ArrayLike) -> Numbers:
    """The share of right answers among those that a verifier accepts, by Bayes' rule.

    It accepts a right answer with probability ``accepts_right`` and a wrong one with
    ``accepts_wrong``. However many samples there are, the accepted ones are no better than that.
    Raises ValueError where nothing is ever accepted.

    >>> round(verifier_ceiling(0.1, 0.6, 0.4), 3)
    0.143
    """
    right, wrong = _accepted(p, accepts_right, accepts_wrong)
    if np.any(right + wrong == 0):
        raise ValueError("The verifier accepts nothing: expected it to accept some answers.")
    return plain(right / (right + wrong))


def best_of(
    p: ArrayLike, k: ArrayLike, accepts_right: ArrayLike, accepts_wrong: ArrayLike
) -> Numbers:
    """The chance that the answer chosen among k samples by a verifier is right.

    The answer is one of those accepted, at random; where none is, one of all, at random. So one
    sample gives p, and many give :func:`verifier_ceiling`. A verifier that takes all right
    answers and no wrong one gives :func:`coverage`.

    >>> round(best_of(0.1, 64, 0.6, 0.4), 3), round(best_of(0.1, 1, 0.6, 0.4), 3)
    (0.143, 0.1)
    """
    right, wrong = _accepted(p, accepts_right, accepts_wrong)
    accepted, p = right + wrong, fraction(p, "p")
    none = 1 - np.asarray(coverage(np.minimum(accepted, 1.0), k))
    # Where all or nothing is accepted one of the two shares is 0/0, and its weight is 0.
    among_accepted = right / np.where(accepted > 0, accepted, 1)
    among_refused = (p - right) / np.where(accepted < 1, 1 - accepted, 1)
    return plain((1 - none) * among_accepted + none * among_refused)


# --- what it costs ---------------------------------------------------------------------------


def answer_flops(N: ArrayLike, tokens: ArrayLike, samples: ArrayLike = 1) -> Numbers:
    """FLOPs of an answer: 2·N for every token of every sample, prompt and context left out.

    N is the active parameters. Source: Kaplan et al. 2020, section 2.1.

    >>> f"{answer_flops(8e9, 500, samples=10):.1e}"
    '8.0e+13'
    """
    written = positive(tokens, "tokens") * positive(samples, "samples")
    return plain(SERVE_FLOPS_PER_PARAM_TOKEN * params(N) * written)


def break_even_answers(
    small: ArrayLike, large: ArrayLike, D: ArrayLike, samples: ArrayLike, tokens: ArrayLike
) -> Numbers:
    """Answers after which the larger of two models is the cheaper one, training included.

    Both are trained on D tokens. The large one answers once, the small one draws ``samples`` to
    be as good, of ``tokens`` tokens each; choosing costs nothing. Infinite where the samples of
    the small one cost no more than the one answer. Source: 6·N·D to train, 2·N a token to
    answer; Snell et al. 2024 (arXiv 2408.03314), section 7, for the comparison.

    >>> f"{break_even_answers(8e9, 70e9, 15e12, samples=64, tokens=1000):.2e}"
    '6.31e+09'
    """
    small, large = params(small, "small"), params(large, "large")
    if np.any(large <= small):
        bad, than = first_where(large <= small, large, small)
        raise ValueError(f"large = {bad:g} is not valid: expected more than small = {than:g}.")
    once = np.asarray(training_flops(large, D)) - training_flops(small, D)
    each = np.asarray(answer_flops(small, tokens, samples)) - answer_flops(large, tokens)
    with np.errstate(divide="ignore"):
        return plain(np.where(each > 0, once / np.maximum(each, 0), np.inf))


# --- helpers ---------------------------------------------------------------------------------

_lgamma = np.vectorize(math.lgamma, otypes=[float])


def _most(p: float, n: int) -> float:
    """P(more than half of n are right), summed from the smaller side for its digits."""
    if p > 0.5:
        return 1 - _most(1 - p, n)
    if p == 0:
        return 0.0
    right = np.arange(n // 2 + 1, n + 1)
    ways = math.lgamma(n + 1) - _lgamma(right + 1) - _lgamma(n - right + 1)
    return float(np.exp(ways + right * math.log(p) + (n - right) * math.log1p(-p)).sum())


def _accepted(p: ArrayLike, right: ArrayLike, wrong: ArrayLike) -> tuple[NDArray, NDArray]:
    """Of all samples, the shares that are right and accepted, and wrong and accepted."""
    p = fraction(p, "p")
    return p * fraction(right, "accepts_right"), (1 - p) * fraction(wrong, "accepts_wrong")
