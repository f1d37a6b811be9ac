"""When text runs out, and what then: stock and demand, repetition, copies, synthetic text, mixes.

Tokens are raw, an epoch is one pass over all unique tokens, shares are fractions of 1; scalars or
arrays that broadcast. Bad numbers raise ValueError. Repetition itself is a law in ``laws``.
"""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.facts import value, values
from course_utils.laws import MUENNIGHOFF_2023, DataConstrainedLaw, Numbers, first_where
from course_utils.quantities import fraction, plain, positive, tokens

_FACTS = values("villalobos_2024")
_LARGEST = value("llama_3.tokens")

RANGES: dict[str, tuple[float, float]] = {
    "web": (_FACTS["indexed_web_low"], _FACTS["indexed_web_high"]),
    "kept": (_FACTS["kept_low"], _FACTS["kept_high"]),
    "epochs": (_FACTS["epochs_low"], _FACTS["epochs_high"]),
    "web_growth": (1.0, 1 + _FACTS["web_growth_high"]),
    "demand_growth": (10 ** _FACTS["demand_growth_low"], 10 ** _FACTS["demand_growth_high"]),
    "overtraining": (1.0, _FACTS["overtraining"]),
}
"""Intervals or ranges that Villalobos et al. 2024 name for the assumptions of an Outlook."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """How much text there is and how much is wanted, each growing by a factor a year.

    Of ``web`` tokens on the indexed web the share ``kept`` survives filtering, and may be read
    ``epochs`` times. In ``year`` the largest training set had ``dataset`` tokens. ``web_growth``
    and ``demand_growth`` are factors a year; ``overtraining`` is tokens per parameter over the
    compute-optimal number, which at equal compute takes its square root more tokens. Fields may
    be arrays. Raises ValueError where one is not positive, or demand grows no faster than the
    web. Source: the arithmetic of Villalobos et al. 2024, section 2, without their models.

    >>> f"{Outlook().stock:.3g} tokens, used up in {Outlook().exhaustion():.1f}"
    '5.1e+14 tokens, used up in 2028.2'
    """

    web: Numbers = _FACTS["indexed_web"]
    kept: Numbers = (_FACTS["kept_low"] * _FACTS["kept_high"]) ** 0.5
    epochs: Numbers = _FACTS["epochs"]
    web_growth: Numbers = 1 + _FACTS["web_growth_high"] / 2
    demand_growth: Numbers = 10 ** _FACTS["demand_growth"]
    overtraining: Numbers = 1.0
    dataset: Numbers = _LARGEST
    year: Numbers = 2024.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, plain(positive(getattr(self, name), name)))
        demand, web = np.broadcast_arrays(self.demand_growth, self.web_growth)
        if np.any(demand <= web):
            slow, fast = first_where(demand <= web, demand, web)
            raise ValueError(
                f"demand_growth = {slow:g} a year is no more than web_growth = {fast:g}: the "
                "stock is never used up. Expected a demand that grows faster than the web."
            )

    @classmethod
    def drawn(cls, n: int, seed: int = 0) -> Outlook:
        """``n`` outlooks at once, each field of :data:`RANGES` drawn evenly in its logarithm."""
        rng = np.random.default_rng(seed)
        return cls(**{name: np.exp(rng.uniform(*np.log(x), n)) for name, x in RANGES.items()})

    @property
    def stock(self) -> Numbers:
        """Tokens that can be trained on in ``year``, repeats included."""
        return self.web * self.kept * self.epochs

    def supply(self, year: ArrayLike) -> Numbers:
        """The stock in that year."""
        return plain(self.stock * self.web_growth ** (np.asarray(year) - self.year))

    def demand(self, year: ArrayLike) -> Numbers:
        """The largest training set in that year, if there is text enough."""
        now = self.dataset * np.sqrt(self.overtraining)
        return plain(now * self.demand_growth ** (np.asarray(year) - self.year))

    def exhaustion(self) -> Numbers:
        """The year, with a fraction, in which demand meets supply."""
        gap = np.log(self.supply(self.year) / self.demand(self.year))
        return plain(self.year + gap / np.log(self.demand_growth / self.web_growth))


# --- repetition ------------------------------------------------------------------------------


def marginal_value(epochs: ArrayLike, law: DataConstrainedLaw = MUENNIGHOFF_2023) -> Numbers:
    """What one more token is worth after that many epochs, in fresh ones: e^(−(epochs−1)/R_D).

    >>> f"{marginal_value(4):.2f} {marginal_value(16):.2f}"
    '0.82 0.38'
    """
    return plain(np.exp(-np.maximum(positive(epochs, "epochs") - 1, 0) / law.R_D))


def epochs_at_value(share: ArrayLike, law: DataConstrainedLaw = MUENNIGHOFF_2023) -> Numbers:
    """The epochs after which one more token is worth that share of a fresh one.

    >>> f"{epochs_at_value(0.5):.1f}"
    '11.7'
    """
    return plain(1 - law.R_D * np.log(positive(fraction(share, "share"), "share")))


def effective_epochs(epochs: ArrayLike, law: DataConstrainedLaw = MUENNIGHOFF_2023) -> Numbers:
    """How many epochs of fresh text that many epochs are worth: ``law.effective_tokens`` over U.

    >>> f"{effective_epochs(4):.4f}"
    '3.7257'
    """
    return plain(law.effective_tokens(positive(epochs, "epochs") * 1e9, 1e9) / 1e9)


def epochs_for(effective: ArrayLike, law: DataConstrainedLaw = MUENNIGHOFF_2023) -> Numbers:
    """The inverse of ``effective_epochs``; raises ValueError from its ceiling, 1 + R_D, on.

    >>> f"{epochs_for(14):.1f}"
    '29.7'
    """
    effective = positive(effective, "effective")
    if np.any(effective >= 1 + law.R_D):
        raise ValueError(
            f"effective = {np.max(effective):g} epochs are out of reach: repeats add up to "
            f"{1 + law.R_D:.4g} at most. Expected less, or more unique text."
        )
    repeats = -law.R_D * np.log1p(-np.maximum(effective - 1, 0) / law.R_D)
    return plain(np.minimum(effective, 1) + repeats)


def measured_worth(unique: ArrayLike, epochs: ArrayLike, loss: ArrayLike) -> dict[tuple, NDArray]:
    """What repeats were worth in runs, in epochs of fresh text, read off their loss.

    The arguments have an entry for each run. Runs of one epoch tell what fresh text gives,
    averaged over seeds and straight in log D between them; those of more epochs get an entry
    (unique, epochs), an array over seeds, held at the ends of what was measured fresh.

    >>> measured_worth([1e5, 4e5, 1e5], [1, 1, 2], [2.2, 2.0, 2.1])
    {(100000, 2): array([2.])}
    """
    unique, epochs, loss = np.broadcast_arrays(tokens(unique), epochs, positive(loss, "loss"))
    D = np.unique(unique[epochs == 1])
    fresh = np.array([loss[(epochs == 1) & (unique == each)].mean() for each in D])
    if np.any(np.diff(fresh) >= 0):
        raise ValueError("The loss of fresh text does not fall with D: take more seeds.")
    worth = np.exp(np.interp(-loss, -fresh, np.log(D))) / unique
    kinds = {
        (int(u), int(k)): (unique == u) & (epochs == k) for u, k in zip(unique, epochs, strict=True)
    }
    return {kind: worth[rows] for kind, rows in kinds.items() if kind[1] > 1}


# --- copies ----------------------------------------------------------------------------------


def library_files(pattern: str = "*.py") -> dict[str, str]:
    """Source files of the running Python's library by name; OSError where there are none.

    >>> "json/decoder.py" in library_files("json/*.py")
    True
    """
    folder = Path(sysconfig.get_path("stdlib"))
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise OSError(f"This Python's library has no source files {pattern}: use another Python.")
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8", "replace") for p in paths}


def lsh_probability(similarity: ArrayLike, bands: int, rows: int) -> Numbers:
    """Chance that one of ``bands`` groups of ``rows`` MinHashes agrees: 1 − (1 − s^rows)^bands.

    >>> f"{lsh_probability(0.75, bands=14, rows=8):.2f}"
    '0.77'
    """
    agree = fraction(similarity, "similarity") ** positive(rows, "rows")
    return plain(1 - (1 - agree) ** positive(bands, "bands"))


def lsh_threshold(bands: int, rows: int) -> Numbers:
    """About where ``lsh_probability`` climbs from 0 to 1: (1/bands)^(1/rows).

    >>> f"{lsh_threshold(bands=14, rows=8):.2f}"
    '0.72'
    """
    return plain(positive(bands, "bands") ** (-1 / positive(rows, "rows")))


# --- synthetic text, and mixes ---------------------------------------------------------------


def collapse(samples: int, generations: int, chains: int, accumulate: bool, seed=0) -> NDArray:
    """Fit a normal distribution to draws, draw from the fit, fit again, …: a simulation.

    Returns the variances, (generations + 1, chains), each divided by the number of draws; the
    first row is the truth, 1. Every fit sees ``samples`` draws of the one before, the first real
    ones, and with ``accumulate`` all earlier draws too.

    >>> f"{collapse(100, 50, 2000, accumulate=True)[-1].mean():.2f}"
    '0.98'
    """
    rng = np.random.default_rng(seed)
    mean, variance = np.zeros(chains), np.ones(chains)
    history = [variance]
    for generation in range(1, generations + 1):
        draws = mean + np.sqrt(variance) * rng.standard_normal((samples, chains))
        new = 1 / generation if accumulate else 1.0  # the share of these draws among all
        step = draws.mean(axis=0) - mean
        variance = (1 - new) * variance + new * draws.var(axis=0) + new * (1 - new) * step**2
        mean, history = mean + new * step, [*history, variance]
    return np.array(history)


def expected_variance(samples: int, generations: int, accumulate: bool) -> float:
    """The mean of ``collapse`` over all possible chains, exactly.

    Replacing multiplies it by 1 − 1/samples in every generation, accumulating by
    1 − 1/(samples·k²) in the k-th: the first product goes to zero, the second does not.

    >>> f"{expected_variance(100, 50, False):.3f} {expected_variance(100, 50, True):.3f}"
    '0.605 0.984'
    """
    k = np.arange(1, generations + 1) if accumulate else np.ones(generations)
    return float(np.prod(1 - 1 / (positive(samples, "samples") * k**2)))


def replay_tokens(domain: ArrayLike, replay: ArrayLike) -> Numbers:
    """General tokens to add to ``domain`` ones so that they are the share ``replay`` of the mix.

    >>> f"{replay_tokens(10e9, 0.25):.3g}"
    '3.33e+09'
    """
    share = fraction(replay, "replay")
    return plain(tokens(domain, "domain") * share / positive(1 - share, "1 − replay"))
