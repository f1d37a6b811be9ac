"""Byte-level byte-pair encoding, and the units in which a loss is quoted.

Losses are cross-entropies in nats per token; a perplexity is a number of equally likely tokens;
bits per byte compare models that cut the same text into different tokens. Scalars or arrays.
"""

from __future__ import annotations

import functools
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.quantities import plain, positive, within

BYTES = 256  # the tokens before any merge

# Words, numbers and runs of signs, each with a space before it, or white space: no merge crosses
# their ends. Together they take up every byte, so that the pieces add up to the text.
_WORDS = re.compile(rb" ?[\w\x80-\xff]+| ?[^\s\w\x80-\xff]+|\s+")


def perplexity(loss: ArrayLike) -> float | NDArray:
    """The number of equally likely tokens that would be as hard to guess: e^loss.

    Raises ValueError for a loss that is negative or beyond all reason.

    >>> f"{perplexity(np.log(97)):.1f}"
    '97.0'
    """
    nats = within(loss, "loss", "nats per token, 0 or more", low=0)
    if np.any(nats > 700):
        raise ValueError(f"loss = {nats.max():g} is too large for nats per token: a perplexity?")
    return plain(np.exp(nats))


def loss_from_perplexity(perplexity: ArrayLike) -> float | NDArray:
    """The loss in nats per token, the inverse of `perplexity`. Raises ValueError below 1.

    >>> f"{loss_from_perplexity(20.1):.2f}"
    '3.00'
    """
    choices = positive(perplexity, "perplexity")
    if np.any(choices < 1):
        raise ValueError(f"perplexity = {choices.min():g} is not valid: expected 1 or more.")
    return plain(np.log(choices))


def bits_per_byte(loss: ArrayLike, bytes_per_token: ArrayLike) -> float | NDArray:
    """The bits that a coder spends on a byte of the text: loss / ln 2 / bytes per token.

    ``loss`` is in nats per token, ``bytes_per_token`` the bytes of the text over its tokens.
    Raises ValueError for a negative loss, and for bytes per token that are not positive.

    >>> [f"{perplexity(loss):.1f}, {bits_per_byte(loss, k):.3f}" for loss, k in ((3, 4.5), (2.7, 4))]
    ['20.1, 0.962', '14.9, 0.974']
    """
    nats = within(loss, "loss", "nats per token, 0 or more", low=0)
    return plain(nats / np.log(2) / positive(bytes_per_token, "bytes_per_token"))


def loss_from_bits_per_byte(bits: ArrayLike, bytes_per_token: ArrayLike) -> float | NDArray:
    """The loss in nats per token, the inverse of `bits_per_byte`, whose errors it raises.

    >>> f"{loss_from_bits_per_byte(bits_per_byte(2.7, 4.0), 4.5):.4f}"  # 2.7 · 4.5 / 4.0
    '3.0375'
    """
    bits = within(bits, "bits", "bits per byte, 0 or more", low=0)
    return plain(bits * np.log(2) * positive(bytes_per_token, "bytes_per_token"))


@dataclass(frozen=True)
class Tokenizer:
    """256 bytes, and a token more for each merge: merge i joins two tokens to token 256 + i.

    Nothing is unknown to it, and ``decode(encode(data)) == data`` for any bytes.
    Raises ValueError where a merge names a token that does not exist before it.
    Source: Sennrich et al. 2016, section 3.2; over bytes, Radford et al. 2019, section 2.2.

    >>> tokenizer = train(b"banana bandana", merges=2)
    >>> tokenizer.pieces[256:], tokenizer.encode(b"banana")
    ((b'an', b'ban'), [257, 256, 97])
    """

    merges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        for new, pair in enumerate(self.merges, BYTES):
            if len(pair) != 2 or not all(0 <= token < new for token in pair):
                raise ValueError(f"merge {pair!r}: expected two tokens from 0 to {new - 1}.")

    @property
    def vocab_size(self) -> int:
        """256 and the merges."""
        return BYTES + len(self.merges)

    @functools.cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes that each token stands for."""
        pieces = [bytes([i]) for i in range(BYTES)]
        for left, right in self.merges:
            pieces.append(pieces[left] + pieces[right])
        return tuple(pieces)

    def encode(self, data: bytes) -> list[int]:
        """The tokens of ``data``: in every word, merges are made in the order learned.

        Raises TypeError for anything but bytes.
        """
        made_by = {tuple(pair): new for new, pair in enumerate(self.merges, BYTES)}

        @functools.cache  # most words come again
        def encoded(word: bytes) -> list[int]:
            tokens = list(word)
            while pairs := [pair for pair in pairwise(tokens) if pair in made_by]:
                first = min(pairs, key=made_by.__getitem__)
                tokens = merge(tokens, first, made_by[first])
            return tokens

        return [token for word in _words(data) for token in encoded(word)]

    def decode(self, tokens: Iterable[int]) -> bytes:
        """The bytes of ``tokens``. Raises ValueError for a token that does not exist."""
        tokens = list(tokens)
        for token in tokens:
            if not 0 <= token < self.vocab_size:
                raise ValueError(f"no token {token}: expected 0 to {self.vocab_size - 1}.")
        return b"".join(self.pieces[token] for token in tokens)


def merge(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """``tokens`` with each ``pair`` of neighbours replaced by ``new``, from left to right.

    >>> merge([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    out: list[int] = []
    for token in tokens:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return out


def train(data: bytes, merges: int) -> Tokenizer:
    """Learn ``merges`` merges from ``data``, each of the most frequent pair within words.

    Of equally frequent pairs the smallest is taken. Fewer are learned where no pair is left that
    occurs twice. Raises TypeError for anything but bytes, ValueError for a negative number.
    """
    if merges < 0:
        raise ValueError(f"merges = {merges} is not valid: expected 0 or more.")
    words = Counter(_words(data))
    texts, times = [list(word) for word in words], list(words.values())
    counts: Counter[tuple[int, int]] = Counter()
    places: defaultdict[tuple[int, int], set[int]] = defaultdict(set)

    def count(i: int, sign: int) -> set[tuple[int, int]]:
        for pair in pairwise(texts[i]):
            counts[pair] += sign * times[i]
            places[pair].add(i)
        return set(pairwise(texts[i]))

    changed, learned = {pair for i in range(len(texts)) for pair in count(i, 1)}, []
    heap: list[tuple[int, tuple[int, int]]] = []
    while len(learned) < merges:
        for each in changed:  # only pairs beside the last merge have a new count
            heapq.heappush(heap, (-counts[each], each))
        while heap and -heap[0][0] != counts[heap[0][1]]:
            heapq.heappop(heap)  # an old count
        if not heap or heap[0][0] > -2:
            break
        pair, changed = heap[0][1], set()
        for i in places.pop(pair):
            changed |= count(i, -1)
            texts[i] = merge(texts[i], pair, BYTES + len(learned))
            changed |= count(i, 1)
        learned.append(pair)
    return Tokenizer(tuple(learned))


def _words(data: bytes) -> list[bytes]:
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(f"expected bytes, not {type(data).__name__}: write text.encode().")
    return _WORDS.findall(data)
