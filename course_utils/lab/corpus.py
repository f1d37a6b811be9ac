"""What the lab's models learn from: the running Python's own library, and a source whose
entropy is known exactly.

Both are a :class:`Source`: a training text and a validation text of small whole numbers.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
import sysconfig
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from course_utils.quantities import human

VALIDATION = 400_000
"""Symbols at the end of a text that are held out."""

VOCABULARY = 97
"""Byte 10 (new line) and bytes 32 to 126 are symbols 1 to 96; every other byte is symbol 0."""

# Tables, generated text, and what distributions leave out or change.
_LEFT_OUT_MODULES = {"encodings", "ensurepip", "idlelib", "lib2to3", "locale", "pydoc_data"}
_LEFT_OUT_FOLDERS = {"test", "tests", "__pycache__"}
_LEFT_OUT_FILES = {"entities.py"}
_ENOUGH = 3_000_000


@dataclass(frozen=True, eq=False)
class Source:
    """Text to learn from, as small whole numbers (uint8).

    ``train`` and ``validation`` are made of pieces of ``piece`` symbols each, which do not
    belong together: a window never spans two. (A text in one piece has one piece.)
    ``entropy`` is the exact entropy rate in nats per symbol, or None where nobody knows it.
    """

    name: str
    train: NDArray
    validation: NDArray
    vocab_size: int
    piece: int | None = None
    entropy: float | None = None

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 of the training text followed by the validation text."""
        return hashlib.sha256(self.train.tobytes() + self.validation.tobytes()).hexdigest()

    def windows(self, context: int, text: NDArray | None = None) -> int:
        """How many windows of ``context`` symbols and a target the text (training) has."""
        text = self.train if text is None else text
        piece = self.piece or len(text)
        return len(text) // piece * (piece - context)

    def examples(self, positions: NDArray, context: int, text: NDArray | None = None) -> Windows:
        """The windows of those numbers, 0 to ``windows(context) - 1``, as training examples."""
        text = self.train if text is None else text
        piece = self.piece or len(text)
        pieces, offsets = np.divmod(positions, piece - context)
        return Windows(text, pieces * piece + offsets, context)

    def draw(self, n: int, context: int, rng: np.random.Generator) -> Windows:
        """``n`` random windows of the training text, each at most once.

        Raises ValueError where the text has fewer.
        """
        available = self.windows(context)
        if n > available:
            raise ValueError(
                f"{human(n)} windows are more than the {human(available)} of {self.name}: "
                "choose a smaller budget or a larger model."
            )
        return self.examples(rng.choice(available, n, replace=False), context)

    def held_out(self, context: int, every: int = 10) -> Windows:
        """Every tenth window of the validation text: the same for all models."""
        positions = np.arange(0, self.windows(context, self.validation), every)
        return self.examples(positions, context, self.validation)


class Windows:
    """Windows of a text as training examples: ``context`` symbols and the next one."""

    def __init__(self, text: NDArray, starts: NDArray, context: int):
        self._text, self._starts, self._context = text, starts, context
        self._windows = np.lib.stride_tricks.sliding_window_view(text, context + 1)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, batch: slice) -> tuple[NDArray, NDArray]:
        windows = self._windows[self._starts[batch]]
        return windows[:, :-1], windows[:, -1]

    def reorder(self, order: NDArray) -> Windows:
        """These windows in another order, which may leave some out and repeat others."""
        return Windows(self._text, self._starts[order], self._context)


@functools.cache
def load(name: str = "python") -> Source:
    """The source called "python" or "markov".

    Where the library's source is missing or cannot be read (some distributions ship compiled
    files only), "python" warns and gives the Markov source in its place.

    Raises ValueError for other names.
    """
    if name == "markov":
        return markov()
    if name != "python":
        raise ValueError(f"There is no source {name!r}: choose 'python' or 'markov'.")
    try:
        return python_library()
    except OSError as error:
        warnings.warn(
            f"{error} The Markov source stands in for it: curves have the same shape, "
            "losses are other numbers.",
            stacklevel=2,
        )
        return markov()


def python_library(library: Path | None = None) -> Source:
    """The modules of the running Python's standard library, file after file, shuffled.

    The rules are fixed, the text is not: it belongs to one version of Python, so a result
    names version and checksum. Modules named in ``sys.stdlib_module_names``, without tests,
    tables and generated text; sorted by path, shuffled with seed 0; the last 400,000 bytes
    validate. ``library`` is the folder to read, by default that of the running Python.

    Raises OSError where the folder is missing, unreadable or holds too little source.
    """
    library = Path(library or sysconfig.get_path("stdlib"))
    found = []
    for module in sorted(sys.stdlib_module_names - _LEFT_OUT_MODULES):
        found += library.glob(f"{module}.py")
        found += (library / module).rglob("*.py")
    found = sorted(
        path.relative_to(library).parts
        for path in found
        if path.name not in _LEFT_OUT_FILES
        and not _LEFT_OUT_FOLDERS.intersection(path.relative_to(library).parts)
    )
    order = np.random.default_rng(0).permutation(len(found))
    text = b"".join(library.joinpath(*found[i]).read_bytes() for i in order)
    text = text.replace(b"\r\n", b"\n")
    if len(text) < _ENOUGH:
        raise OSError(
            f"The Python library's source has {human(len(text))} bytes here, "
            f"fewer than the {human(_ENOUGH)} needed."
        )
    symbols = to_symbols(text)
    version = platform.python_version()
    return Source(
        f"Python {version} library", symbols[:-VALIDATION], symbols[-VALIDATION:], VOCABULARY
    )


def to_symbols(text: bytes) -> NDArray:
    """Number the bytes of a text: new line 1, the printable ones 2 to 96, all others 0.

    >>> to_symbols(b"a~\\n\\t").tolist()
    [67, 96, 1, 0]
    """
    return _SYMBOL_OF_BYTE[np.frombuffer(text, np.uint8)]


_SYMBOL_OF_BYTE = np.zeros(256, np.uint8)
_SYMBOL_OF_BYTE[10] = 1
_SYMBOL_OF_BYTE[32:127] = np.arange(2, 97)


SYMBOLS, ORDER = 16, 4
_SCALES = (0.5, 1.5, 1.2, 1.1, 0.8)
_CHAINS, _STEPS = 4096, 2048


class HasLogits(Protocol):
    """A model that gives unnormalised log-probabilities (V, M) of (M, context) symbols."""

    def logits(self, inputs: NDArray) -> NDArray: ...


class MarkovTree:
    """A source of order 4 over 16 symbols, whose entropy rate is known exactly.

    The log-odds of the next symbol add up a contribution of the last symbol, one of the last
    two, of the last three and of the last four, each drawn once from a normal distribution
    (``scales``: their standard deviations, from no context to four symbols). So there is ever
    finer structure to learn, and an end to it: the entropy rate.

    ``probabilities`` is (16⁴, 16), a row for each context; ``stationary`` (16⁴,) how often
    each context occurs; ``entropy`` the rate in nats per symbol.

    >>> tree = MarkovTree(order=1, scales=(0.0, 0.0))
    >>> round(tree.entropy, 12) == round(float(np.log(16)), 12)
    True
    """

    def __init__(self, seed: int = 0, order: int = ORDER, scales: tuple[float, ...] = _SCALES):
        if len(scales) != order + 1:
            raise ValueError(f"{len(scales)} scales for order {order}: expected {order + 1}.")
        self.order = order
        rng = np.random.default_rng(seed)
        logits = np.zeros((SYMBOLS**order, SYMBOLS))
        for known, scale in enumerate(scales):
            table = scale * rng.standard_normal((SYMBOLS**known, SYMBOLS))
            # The last symbol of a context varies fastest, so a table of shorter contexts repeats.
            logits.reshape(-1, *table.shape)[...] += table
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probabilities: NDArray = odds / odds.sum(axis=1, keepdims=True)
        self.stationary: NDArray = self._stationary()
        surprise = -np.log(self.probabilities)
        self.entropy = float(self.stationary @ (self.probabilities * surprise).sum(axis=1))

    def _next_contexts(self, contexts: NDArray) -> NDArray:
        """How often each context occurs one symbol later: the oldest symbol drops out."""
        joint = contexts[:, None] * self.probabilities
        return joint.reshape(SYMBOLS, -1).sum(axis=0)

    def _stationary(self) -> NDArray:
        contexts = np.full(SYMBOLS**self.order, SYMBOLS**-self.order)
        for _ in range(10_000):
            later = self._next_contexts(contexts)
            if np.abs(later - contexts).sum() < 1e-14:
                break
            contexts = later
        return later / later.sum()

    def loss(self, model: HasLogits, batch: int = 2048) -> float:
        """A model's exact expected loss in nats: every context and symbol, by probability.

        No validation sample, so no sampling error: ``loss − entropy`` is what the model has yet
        to learn. ``model.logits`` must take the last ``order`` symbols.
        """
        places = SYMBOLS ** np.arange(self.order - 1, -1, -1)
        total = 0.0
        for start in range(0, len(self.stationary), batch):
            contexts = np.arange(start, min(start + batch, len(self.stationary)))
            symbols = (contexts[:, None] // places % SYMBOLS).astype(np.uint8)
            logits = model.logits(symbols).astype(float)
            logits -= logits.max(axis=0)
            logits -= np.log(np.exp(logits).sum(axis=0))
            expected = (self.probabilities[contexts].T * logits).sum(axis=0)
            total -= float(self.stationary[contexts] @ expected)
        return total

    def text(self, chains: int, steps: int, rng: np.random.Generator) -> NDArray:
        """``chains`` independent texts of ``steps`` symbols, one after the other, (chains·steps,).

        Every chain starts in the stationary distribution, so every window of it is a fair draw.
        """
        cumulative = np.cumsum(self.probabilities, axis=1).astype(np.float32)
        starts = np.cumsum(self.stationary)
        context = np.searchsorted(starts, rng.random(chains) * starts[-1], side="right")
        out = np.empty((chains, steps), np.uint8)
        for place in range(min(self.order, steps)):
            out[:, place] = context // SYMBOLS ** (self.order - 1 - place) % SYMBOLS
        for step in range(self.order, steps):
            chance = rng.random(chains, np.float32)
            symbol = (cumulative[context, :-1] <= chance[:, None]).sum(axis=1)
            out[:, step] = symbol
            context = (context * SYMBOLS + symbol) % len(starts)
        return out.ravel()


@functools.cache
def markov_tree() -> MarkovTree:
    """The tree of the lab's Markov source."""
    return MarkovTree()


def markov() -> Source:
    """Eight million symbols of the lab's :class:`MarkovTree`, with its entropy."""
    tree = markov_tree()
    text = tree.text(_CHAINS, _STEPS, np.random.default_rng(1))
    held_out = -(-VALIDATION // _STEPS) * _STEPS
    return Source(
        f"Markov tree of order {ORDER} over {SYMBOLS} symbols",
        text[:-held_out],
        text[-held_out:],
        SYMBOLS,
        piece=_STEPS,
        entropy=tree.entropy,
    )
