"""Transfer: the published law by its table, and data transferred read off curves made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import lab
from course_utils.facts import value
from course_utils.lab import corpus
from course_utils.transfer import (
    HERNANDEZ_2021,
    HERNANDEZ_2021_MIX,
    TransferLaw,
    adapter_params,
    measured_transfer,
    python_manual,
)


def test_the_law_has_the_published_constants():
    # Hernandez et al. 2021, Table 1: text to Python, and the mix of text and code.
    assert (HERNANDEZ_2021.k, HERNANDEZ_2021.alpha, HERNANDEZ_2021.beta) == (1.9e4, 0.18, 0.38)
    assert (HERNANDEZ_2021_MIX.k, HERNANDEZ_2021_MIX.alpha) == (2.1e5, 0.096)
    assert HERNANDEZ_2021_MIX.beta == value("hernandez_2021.beta")


def test_what_is_transferred():
    # Computed independently in float64: 1e9 parameters and 1e6 characters; then more of either.
    D_T = HERNANDEZ_2021.transferred(1e6, 1e9)
    assert D_T == pytest.approx(6.0e8, rel=0.01)
    assert HERNANDEZ_2021.transferred(1e8, 1e9) / D_T == pytest.approx(2.29, abs=0.005)
    assert HERNANDEZ_2021.transferred(1e6, 1e10) / D_T == pytest.approx(2.40, abs=0.005)
    assert HERNANDEZ_2021.effective(1e6, 1e9) == pytest.approx(D_T + 1e6)


def test_arrays_broadcast():
    assert HERNANDEZ_2021.effective([[1e6], [1e7]], [1e8, 1e9]).shape == (2, 2)


@pytest.mark.parametrize("constants", [(0, 0.2, 0.4), (1, -0.2, 0.4), (1, 0.2, math.nan)])
def test_a_law_of_bad_constants_is_refused(constants):
    with pytest.raises(ValueError, match="is not valid"):
        TransferLaw(*constants)


@pytest.mark.parametrize(("D_F", "N"), [(0, 1e9), (1e6, 7), (-1, 1e9)])
def test_bad_counts_are_refused(D_F, N):
    with pytest.raises(ValueError, match="expected"):
        HERNANDEZ_2021.transferred(D_F, N)


@given(D_F=st.floats(1e4, 1e6), k=st.floats(50, 500), alpha=st.floats(0.1, 0.5))
def test_the_transfer_that_was_put_in_is_read_off(D_F, k, alpha):
    """From scratch the loss is a power of D; tuning acts as if there were D_T more."""
    D = np.geomspace(1e3, 1e9, 600)
    D_T = k * D_F**alpha
    found = measured_transfer(D, D**-0.1, D_F, (D_F + D_T) ** -0.1)
    assert found == pytest.approx(D_T, rel=0.05)


def test_the_order_of_the_runs_does_not_matter():
    assert measured_transfer([1e6, 1e4], [2.0, 3.0], 1e4, 2.5) == pytest.approx(9e4)


def test_pretraining_that_harms_transfers_less_than_nothing():
    assert measured_transfer([1e4, 1e6], [3.0, 2.0], D_F=1e5, loss=2.9) < 0


@pytest.mark.parametrize("loss", [1.9, 3.1])
def test_what_was_never_reached_is_not_made_up(loss):
    with pytest.raises(ValueError, match="outside of what was reached from scratch"):
        measured_transfer([1e4, 1e6], [3.0, 2.0], 1e4, [2.5, loss])


@pytest.mark.parametrize(
    ("D", "losses", "words"),
    [
        ([1e4, 1e5, 1e6], [3.0, 3.1, 2.0], "does not fall"),
        ([1e4, 1e4], [3.0, 2.0], "does not fall"),
        ([1e4], [3.0], "two runs or more"),
        ([1e4, 1e5], [3.0], "two runs or more"),
    ],
)
def test_curves_that_tell_nothing_are_refused(D, losses, words):
    with pytest.raises(ValueError, match=words):
        measured_transfer(D, losses, 1e4, 2.5)


@given(d=st.integers(1, 4096), rank=st.integers(1, 64))
def test_an_adapter_has_two_thin_matrices(d, rank):
    down, up = np.zeros((rank, d)), np.zeros((2 * d, rank))
    assert adapter_params(d, 2 * d, rank) == down.size + up.size


def test_the_manual_is_written_in_the_symbols_of_the_library():
    manual, library = python_manual(), lab.load("python")
    assert manual.vocab_size == library.vocab_size == corpus.VOCABULARY
    # A line of the library that quotes the manual's own words reads the same in both.
    text = b'The "if" statement\n\t\xc3\xa9'
    from_library = corpus.to_symbols(text)
    pattern = from_library[:-4].tobytes()
    assert pattern in manual.train.tobytes() + manual.validation.tobytes()
    assert from_library[-3:].tolist() == [0, 0, 0]
    assert manual.train.max() < manual.vocab_size
    share_of_letters = np.isin(manual.train, np.arange(ord("a") - 30, ord("z") - 29)).mean()
    assert share_of_letters > 0.5
