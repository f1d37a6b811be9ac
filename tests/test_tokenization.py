"""Byte-pair encoding comes back byte for byte, and the units of a loss convert both ways."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import emergence
from course_utils.tokenization import (
    BYTES,
    Tokenizer,
    bits_per_byte,
    loss_from_bits_per_byte,
    loss_from_perplexity,
    merge,
    perplexity,
    train,
)

PROSE = (
    "The cat sat on the mat; the dog did not. Le café coûte 3,50 €.\n\tfor i in range(10):\n" * 20
).encode()
TRAINED = train(PROSE, 60)

losses = st.floats(0, 20)
lengths = st.floats(0.5, 20)
# Few letters and no blank: one word with much to merge.
words = st.text("abc", min_size=2, max_size=60).map(str.encode)


# --- the way there and back ----------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_any_bytes_come_back(data):
    assert TRAINED.decode(TRAINED.encode(data)) == data


@given(st.text(max_size=100), st.integers(0, 30))
def test_any_text_comes_back_from_a_tokenizer_of_any_size(text, merges):
    data = text.encode("utf-8", "surrogatepass")
    tokenizer = train(data + PROSE, merges)
    assert tokenizer.vocab_size == BYTES + merges
    assert tokenizer.decode(tokenizer.encode(data)) == data


def test_known_text_takes_fewer_tokens():
    assert len(TRAINED.encode(PROSE)) < len(PROSE) / 2
    assert Tokenizer(()).encode(PROSE) == list(PROSE)


def test_a_letter_that_training_lacked_is_written_in_bytes():
    assert TRAINED.encode("ß".encode()) == [0xC3, 0x9F]


def test_pieces_are_what_tokens_decode_to():
    assert [TRAINED.decode([i]) for i in range(TRAINED.vocab_size)] == list(TRAINED.pieces)


# --- learning and encoding, against the plain algorithm ------------------------------------------


def learn_plainly(tokens, merges):
    """The algorithm as lesson 01 writes it, for one word; ties go to the smallest pair."""
    learned = []
    for new in range(BYTES, BYTES + merges):
        counts = Counter(pairwise(tokens))
        pair = min(counts, key=lambda each: (-counts[each], each), default=None)
        if pair is None or counts[pair] < 2:
            break
        learned.append(pair)
        tokens = merge(tokens, pair, new)
    return tuple(learned), tokens


@settings(max_examples=200)
@given(words, st.integers(0, 12))
def test_training_is_the_plain_algorithm(word, merges):
    learned, tokens = learn_plainly(list(word), merges)
    tokenizer = train(word, merges)
    assert tokenizer.merges == learned
    assert tokenizer.encode(word) == tokens


@given(words, words, st.integers(1, 12))
def test_encoding_makes_the_merges_in_the_order_learned(word, other, merges):
    tokenizer = train(word, merges)
    tokens = list(other)
    for new, pair in enumerate(tokenizer.merges, BYTES):
        tokens = merge(tokens, pair, new)
    assert tokenizer.encode(other) == tokens


def test_words_count_as_often_as_they_occur():
    # "ab" comes 3 times in one word, "cd" 4 times in four words.
    assert train(b"ababab\ncd\ncd\ncd\ncd", 1).merges == ((ord("c"), ord("d")),)


def test_merges_stay_within_words():
    tokenizer = train(b"one two three four\n" * 50, 200)
    for piece in tokenizer.pieces[BYTES:]:
        assert piece.isspace() or (b" " not in piece[1:] and b"\n" not in piece)


def test_training_ends_when_no_pair_is_left_that_occurs_twice():
    assert train(b"abcabc", 100).pieces[BYTES:] == (b"ab", b"abc")
    assert train(b"", 5).merges == ()


def test_a_merge_of_equal_tokens_joins_from_the_left():
    assert merge([7] * 5, (7, 7), 300) == [300, 300, 7]


# --- units ---------------------------------------------------------------------------------------


@given(losses)
def test_perplexity_and_loss_are_inverse(loss):
    assert loss_from_perplexity(perplexity(loss)) == pytest.approx(loss, abs=1e-12)
    assert perplexity(loss) * emergence.token_probability(loss) == pytest.approx(1)


@given(losses, lengths)
def test_bits_per_byte_and_loss_are_inverse(loss, length):
    bits = bits_per_byte(loss, length)
    assert loss_from_bits_per_byte(bits, length) == pytest.approx(loss, abs=1e-12)


@given(losses, lengths, lengths)
def test_a_text_has_the_same_bits_in_any_tokens(loss, length, other):
    carried = loss_from_bits_per_byte(bits_per_byte(loss, length), other)
    assert carried == pytest.approx(loss * other / length, abs=1e-12)


def test_reference_values():
    # Worked out by hand: L / ln 2 / k, e^L.
    assert bits_per_byte(np.log(256), 1) == pytest.approx(8)
    assert bits_per_byte([3.0, 2.7], [4.5, 4.0]) == pytest.approx([0.961797, 0.973819], abs=1e-6)
    assert perplexity([3.0, 2.7]) == pytest.approx([20.0855, 14.8797], abs=1e-4)
    assert perplexity(2.7 * 4.5 / 4) == pytest.approx(20.853, abs=1e-3)


def test_scalars_stay_scalars_and_arrays_arrays():
    assert isinstance(perplexity(1), float) and isinstance(bits_per_byte(1, 4), float)
    assert bits_per_byte([1.0, 2.0], [[2.0], [4.0]]).shape == (2, 2)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perplexity(-0.1), "loss = -0.1 is not valid"),
        (lambda: perplexity(1200.0), "loss = 1200 is too large for nats per token"),
        (lambda: perplexity(float("nan")), "loss = nan"),
        (lambda: loss_from_perplexity(0.5), "perplexity = 0.5 is not valid: expected 1 or more"),
        (lambda: loss_from_perplexity(-3), "perplexity = -3"),
        (lambda: bits_per_byte(2.0, 0), "bytes_per_token = 0 is not valid"),
        (lambda: bits_per_byte(-2.0, 4), "loss = -2 is not valid"),
        (lambda: loss_from_bits_per_byte(-1.0, 4), "bits = -1 is not valid"),
        (lambda: train(b"abab", -1), "merges = -1 is not valid"),
        (lambda: Tokenizer(((97, 256),)), "expected two tokens from 0 to 255"),
        (lambda: TRAINED.decode([999]), "no token 999: expected 0 to"),
        (lambda: TRAINED.decode([-1]), "no token -1"),
    ],
)
def test_bad_values_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("call", [TRAINED.encode, lambda text: train(text, 3)])
def test_text_has_to_be_bytes(call):
    with pytest.raises(TypeError, match=r"expected bytes, not str: write text\.encode"):
        call("text")
