"""A model on chips -> the memory it takes, the time of a token, and what a token costs.

Writing an answer goes in steps, each of which gives every sequence of the batch one token. A step
reads all weights once and the keys and values of every sequence, and multiplies: whichever takes
longer sets the time (Williams et al. 2009, the roofline model). Times are floors: the bandwidth
and the dense 16-bit peak of the chip's sheet, nothing lost between chips, in kernels or in
queues. Real services reach a share of that speed; put it into ``load``, where prices are asked.
``Terms`` says what an hour costs and what users expect, and puts a price on training and serving.

A mixture of experts is taken at a batch that visits all of them: all weights are read, and the
FLOPs are those of the active ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils import hardware
from course_utils.laws import ChinchillaLaw, training_flops
from course_utils.quantities import SECONDS_PER_HOUR, params, plain, positive
from course_utils.transformer import Transformer

__all__ = ["Service", "Terms"]


@dataclass(frozen=True)
class Service:
    """A model that writes answers on chips which share it perfectly.

    Args:
        model: its configuration; a context beyond its own is a what-if.
        chip: a name out of ``hardware.CHIPS``, or a chip of your own.
        n_chips: how many of them hold one copy of the model together.
        context: tokens in the cache of every sequence.
        bytes_per_weight: 2 for bf16, 1 for 8 bits, .5 for 4; the arithmetic stays in 16 bits.
        bytes_per_value: the same for keys and values.

    Raises ValueError for a number that is not positive or looks like bits, KeyError for an
    unknown chip.

    >>> from course_utils.transformer import PRESETS
    >>> chat = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)
    >>> print(chat)
    llama-2-13b on 1 × H100-SXM: 26.0 GB of weights, 0.84 GB for each sequence of 1,024 tokens
    """

    model: Transformer
    chip: hardware.Chip | str
    n_chips: int = 1
    context: float = 4096
    bytes_per_weight: float = 2
    bytes_per_value: float = 2

    def __post_init__(self) -> None:
        hardware.min_chips(self.weight_bytes, self.chip)  # says what is wrong with a chip
        self.step_seconds(1)  # … and with everything else

    @property
    def weight_bytes(self) -> float:
        """Bytes of all weights; every expert counts, since all must be at hand.

        >>> from course_utils.transformer import PRESETS
        >>> f"{Service(PRESETS['mixtral-8x7b'], 'H200').weight_bytes / 1e9:.1f} GB"
        '93.4 GB'
        """
        expected = "bytes per weight: 2 for bf16, 1 for fp8 or int8, 0.5 for int4"
        size = float(positive(self.bytes_per_weight, "bytes_per_weight", expected))
        if size > 8:
            raise ValueError(f"bytes_per_weight = {size:g} looks like bits: expected {expected}.")
        return self.model.params() * size

    @property
    def cache_bytes(self) -> float:
        """Bytes of the keys and values of one sequence."""
        tokens = float(positive(self.context, "context", "a number of tokens, such as 4096"))
        return tokens * self.model.kv_bytes_per_token(self.bytes_per_value)

    def memory(self, batch: ArrayLike) -> float | NDArray:
        """Bytes of weights and caches; activations are small beside them.

        >>> from course_utils.transformer import PRESETS
        >>> f"{Service(PRESETS['llama-2-13b'], 'H100-SXM', context=1024).memory(64) / 1e9:.1f} GB"
        '79.7 GB'
        """
        return plain(self.weight_bytes + _batch(batch) * self.cache_bytes)

    def step_seconds(self, batch: ArrayLike) -> float | NDArray:
        """Least seconds of a step, in which each of ``batch`` sequences gets one token.

        The longer of reading (``hardware.decode_seconds_per_token``) and multiplying (the
        model's forward FLOPs at the full peak). It is not asked whether the batch fits.

        >>> from course_utils.transformer import PRESETS
        >>> chat = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)
        >>> [round(1000 * chat.step_seconds(batch), 1) for batch in (1, 64, 256)]
        [8.0, 23.8, 71.9]
        """
        sizes = _batch(batch)
        reading = hardware.decode_seconds_per_token(
            self.weight_bytes, self.chip, self.cache_bytes, sizes, self.n_chips
        )
        flops = sizes * self.model.forward_flops_per_token(self.context)
        multiplying = hardware.seconds(flops, self.chip, mfu=1, n_chips=self.n_chips)
        return plain(np.maximum(reading, multiplying))

    def tokens_per_second(self, batch: ArrayLike) -> float | NDArray:
        """Tokens that all sequences together get in a second, at most.

        >>> from course_utils.transformer import PRESETS
        >>> chat = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)
        >>> [round(chat.tokens_per_second(batch)) for batch in (1, 64)]
        [125, 2689]
        """
        return plain(_batch(batch) / self.step_seconds(batch))

    def prompt_seconds(self, tokens: ArrayLike, mfu: ArrayLike) -> float | NDArray:
        """Seconds until a prompt of so many tokens is read, at a share ``mfu`` of the peak.

        A prompt's tokens are multiplied side by side, so that arithmetic sets the time; the
        scores are counted dense, at the prompt's own length. Raises ValueError for bad numbers.

        >>> from course_utils.transformer import PRESETS
        >>> chat = Service(PRESETS["llama-3-8b"], "H100-SXM")
        >>> f"{1000 * chat.prompt_seconds(2000, mfu=0.5):.0f} ms"
        '65 ms'
        """
        length = positive(tokens, "tokens", "a number of tokens, such as 2000")
        flops = length * self.model.forward_flops_per_token(length)
        return hardware.seconds(flops, self.chip, mfu, self.n_chips)

    def largest_batch(self, seconds: float | None = None) -> int:
        """Most sequences that fit beside the weights, and get a token within ``seconds``.

        0 where not even one does. Raises ValueError when ``seconds`` is not positive.

        >>> from course_utils.transformer import PRESETS
        >>> chat = Service(PRESETS["llama-3-8b"], "H100-SXM", context=8192)
        >>> chat.largest_batch(), chat.largest_batch(seconds=0.010)
        (59, 16)
        """
        fitting = hardware.largest_batch(
            self.weight_bytes, self.chip, self.cache_bytes, self.n_chips, seconds
        )
        if seconds is None:
            return fitting
        one = self.model.forward_flops_per_token(self.context)
        return min(fitting, int(seconds / hardware.seconds(one, self.chip, 1, self.n_chips)))

    def price(self, batch: ArrayLike, rate: float, load: ArrayLike = 1.0) -> float | NDArray:
        """What a million written tokens cost, in the currency of ``rate``.

        ``rate`` is the price of one chip for an hour, and yours to give. ``load`` is the share of
        the paid time that the service runs at this batch and at the floor's speed. Raises
        ValueError for numbers that are not positive, or a load above 1.

        >>> from course_utils.transformer import PRESETS
        >>> chat = Service(PRESETS["llama-2-13b"], "H100-SXM", context=1024)
        >>> [round(chat.price(batch, rate=2), 2) for batch in (1, 64)]
        [4.46, 0.21]
        """
        share = positive(load, "load", "a share of the time above 0 and up to 1, such as 0.3")
        if np.any(share > 1):
            raise ValueError(
                f"load = {share.max():g} is above 1: expected the share of the paid time, such as "
                "0.3 for 30 %."
            )
        busy = 1e6 / np.asarray(self.tokens_per_second(batch)) / SECONDS_PER_HOUR
        return hardware.cost(busy / share * self.n_chips, rate)

    def __str__(self) -> str:
        chip = hardware.CHIPS[self.chip] if isinstance(self.chip, str) else self.chip
        return (
            f"{self.model.name or 'transformer'} on {self.n_chips} × {chip.name}: "
            f"{self.weight_bytes / 1e9:.1f} GB of weights, {self.cache_bytes / 1e9:.2f} GB for "
            f"each sequence of {self.context:,g} tokens"
        )


@dataclass(frozen=True)
class Terms:
    """On which terms models are trained and served: chip, price of an hour, use, patience.

    Args:
        chip: a name out of ``hardware.CHIPS``, or a chip of your own, for both.
        rate: price of one chip for an hour, an assumption that is yours to make.
        mfu: share of the dense peak that training reaches.
        load: share of the paid time that serving runs at the floor's speed, with a full batch.
        seconds: within which a user gets the next token; None for no limit.
        context: tokens in the cache of every sequence.
        replicas: how many chips may hold one copy of the model.

    >>> from course_utils.transformer import PRESETS
    >>> terms = Terms("H100-SXM", rate=3, seconds=0.010)
    >>> print(terms.offer(PRESETS["llama-3-8b"]))
    llama-3-8b on 8 × H100-SXM: 16.1 GB of weights, 0.54 GB for each sequence of 4,096 tokens
    """

    chip: hardware.Chip | str
    rate: float
    mfu: float = 0.40
    load: float = 0.30
    seconds: float | None = None
    context: float = 4096
    replicas: tuple[int, ...] = (1, 2, 4, 8)

    def training_cost(self, law: ChinchillaLaw, N: ArrayLike, loss: float) -> float | NDArray:
        """Price of training N parameters until the law gives ``loss``; nan where it never does.

        >>> from course_utils.laws import BESIROGLU_2024 as law
        >>> terms = Terms("H100-SXM", rate=3)
        >>> terms.training_cost(law, [4e9, 8e9, 30e9], law.loss(30e9, 600e9)).round(-3)
        array([    nan, 873000., 228000.])
        """
        N = params(N)
        reaches = np.asarray(law.loss_from_params(N)) < loss
        dollars = np.full(N.shape, np.nan)
        if reaches.any():
            flops = training_flops(N[reaches], law.tokens_for_loss(N[reaches], loss))
            dollars[reaches] = hardware.cost(
                hardware.gpu_hours(flops, self.chip, self.mfu), self.rate
            )
        return plain(dollars)

    def offer(self, model: Transformer) -> Service | None:
        """The service with the lowest price for a token, or None where none is fast enough.

        Each runs the largest batch that fits and keeps to ``seconds``.
        """
        services = [Service(model, self.chip, n, self.context) for n in self.replicas]
        fitting = [each for each in services if each.largest_batch(self.seconds)]
        return min(fitting, key=self._price, default=None)

    def price(self, model: Transformer) -> float:
        """What a million written tokens cost with the best offer; nan without one.

        >>> from course_utils.transformer import PRESETS
        >>> round(Terms("H100-SXM", rate=3, seconds=0.010).price(PRESETS["llama-3-8b"]), 2)
        0.47
        """
        offer = self.offer(model)
        return np.nan if offer is None else self._price(offer)

    def _price(self, service: Service) -> float:
        return service.price(service.largest_batch(self.seconds), self.rate, self.load)


def _batch(batch: ArrayLike) -> NDArray:
    return positive(batch, "batch", "a number of sequences, 1 or more")
