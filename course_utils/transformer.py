"""A transformer's configuration -> its parameters, FLOPs and memory.

Everything is counted from one table, the breakdown of a model into its components; each total
is a sum over its rows. The conventions:

- A FLOP is one multiplication or one addition, so a matrix with n weights costs 2n per token.
- Only matrix products count. An embedding look-up is none; norms, softmax, biases and
  activation functions are left out, well below one percent at the sizes people train.
- Training costs three times the forward pass: the backward pass computes two products, the
  gradient of the input and the gradient of the weights, for each one of the forward pass.
- Attention is counted dense, every token against all T, unless ``causal=True`` halves it.
"""

from __future__ import annotations

import html
import numbers
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.facts import Catalogue
from course_utils.quantities import human, plain, positive

__all__ = ["PRESETS", "Breakdown", "Component", "Transformer"]

FLOPS_PER_WEIGHT = 2
"""A multiplication and an addition per weight and token."""

TRAIN_PER_FORWARD = 3
"""Forward pass, gradient of the inputs, gradient of the weights."""

VOCABULARY = frozenset({"embedding", "positions", "head"})
"""The components that Kaplan's non-embedding count leaves out."""

Count = int | float | NDArray


@dataclass(frozen=True)
class Component:
    """One row of a breakdown.

    ``params`` are stored, ``active_params`` used by one token, ``matmul_params`` are the
    weights that one token is multiplied by (a tied head stores none and multiplies by V·d).
    ``forward_flops`` are per token.
    """

    name: str
    params: int
    active_params: int
    matmul_params: int
    forward_flops: Count


@dataclass(frozen=True)
class Breakdown:
    """The components of a model, at one context length; shows itself as a table.

    Iterate over it for the rows, ask it by name for one row; ``params``, ``active_params``,
    ``matmul_params`` and ``forward_flops`` are the sums over the rows.

    >>> rows = PRESETS["gpt2"].breakdown()
    >>> rows["mlp"].params, rows.params
    (56669184, 124439808)
    >>> print(rows)
    gpt2, T = 1,024
    component              parameters   forward FLOPs per token   share
    embedding              38,597,376                         0    0.0%
    positions                 786,432                         0    0.0%
    attention projections  28,348,416                56,623,104   19.9%
    attention scores                0                37,748,736   13.3%
    mlp                    56,669,184               113,246,208   39.8%
    router                          0                         0    0.0%
    norms                      38,400                         0    0.0%
    head                            0                77,194,752   27.1%
    total                 124,439,808               284,812,800  100.0%
    """

    title: str
    components: tuple[Component, ...]

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components)

    def __getitem__(self, name: str) -> Component:
        for component in self.components:
            if component.name == name:
                return component
        names = ", ".join(component.name for component in self.components)
        raise KeyError(f"no component is called {name!r}: choose one of {names}")

    @property
    def params(self) -> int:
        return sum(component.params for component in self)

    @property
    def active_params(self) -> int:
        return sum(component.active_params for component in self)

    @property
    def non_embedding_params(self) -> int:
        return sum(component.params for component in self if component.name not in VOCABULARY)

    @property
    def matmul_params(self) -> int:
        return sum(component.matmul_params for component in self)

    @property
    def forward_flops(self) -> Count:
        return sum(component.forward_flops for component in self)

    def _cells(self) -> list[tuple[str, ...]]:
        sparse = self.active_params != self.params
        total = Component(
            "total", self.params, self.active_params, self.matmul_params, self.forward_flops
        )
        cells = [
            ("component", "parameters", "used per token", "forward FLOPs per token", "share"),
            *(
                (
                    row.name,
                    f"{row.params:,}",
                    f"{row.active_params:,}",
                    f"{row.forward_flops:,}",
                    f"{row.forward_flops / self.forward_flops:.1%}",
                )
                for row in (*self, total)
            ),
        ]
        # Dense models use every parameter: the column would say everything twice.
        return cells if sparse else [row[:2] + row[3:] for row in cells]

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(text) for text in column) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0])]
                + [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
            )
            for row in cells
        ]
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        columns = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in head)
        rows = "".join(
            f'<tr><th scope="row">{html.escape(row[0])}</th>'
            + "".join(f"<td>{html.escape(text)}</td>" for text in row[1:])
            + "</tr>"
            for row in body
        )
        return (
            f"<table><caption>{html.escape(self.title)}</caption>"
            f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
        )


@dataclass(frozen=True)
class Transformer:
    """A decoder-only transformer, described by its configuration.

    The defaults describe GPT-2's family: one MLP of two matrices, tied embeddings, learned
    positions, biases and LayerNorm. Llama's family has ``gated_mlp=True,
    tied_embeddings=False, learned_positions=False, biases=False, norm="rmsnorm"``; rotary
    positions have no parameters.

    Args:
        n_layers: number of blocks.
        d_model: width of the residual stream.
        n_heads: number of query heads.
        vocab_size: tokens in the vocabulary, V.
        context: tokens in a training sequence, the T of every method when none is given.
        n_kv_heads: number of key/value heads (not their group size); None means n_heads.
        head_dim: width of one head; None means d_model / n_heads.
        d_ff: hidden width of the MLP; None means 4·d_model.
        gated_mlp: three matrices (SwiGLU) where False has two.
        tied_embeddings: the head reuses the embedding's weights.
        learned_positions: a table of context × d_model.
        relative_positions: a projection of d_model × d_attn per layer (Transformer-XL, Gopher).
        biases: a bias for every linear layer in the blocks.
        qkv_biases: the same for queries, keys and values alone; None means ``biases``.
        norm: "layernorm" (2·d_model parameters), "rmsnorm" (d_model) or "none" (no parameters).
        n_experts, n_active_experts: MLPs per layer, and how many of them a token visits; a
            router of d_model × n_experts chooses.
        name, source: what it is called, and where the configuration was published.

    Raises:
        ValueError: a size is no positive whole number, or the sizes do not fit together.

    >>> model = Transformer(n_layers=2, d_model=64, n_heads=4, vocab_size=8192, context=64)
    >>> model.params()
    628480
    >>> Transformer(n_layers=2, d_model=64, n_heads=5, vocab_size=8192, context=64)
    Traceback (most recent call last):
    ...
    ValueError: d_model = 64 cannot be divided among n_heads = 5: change one of them, or give head_dim.
    """

    n_layers: int
    d_model: int
    n_heads: int
    vocab_size: int
    context: int
    n_kv_heads: int | None = None
    head_dim: int | None = None
    d_ff: int | None = None
    gated_mlp: bool = False
    tied_embeddings: bool = True
    learned_positions: bool = True
    relative_positions: bool = False
    biases: bool = True
    qkv_biases: bool | None = None
    norm: Literal["layernorm", "rmsnorm", "none"] = "layernorm"
    n_experts: int = 1
    n_active_experts: int = 1
    name: str = field(default="", compare=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for size in ("n_layers", "d_model", "n_heads", "vocab_size", "context", "n_experts"):
            self._set_whole(size)
        self._set_whole("n_active_experts")
        for size in ("n_kv_heads", "head_dim", "d_ff"):
            if getattr(self, size) is not None:
                self._set_whole(size)
        if self.head_dim is None and self.d_model % self.n_heads:
            raise ValueError(
                f"d_model = {self.d_model} cannot be divided among n_heads = {self.n_heads}: "
                "change one of them, or give head_dim."
            )
        if self.n_heads % self.kv_heads:
            divisors = [n for n in range(1, self.n_heads + 1) if self.n_heads % n == 0]
            raise ValueError(
                f"n_kv_heads = {self.kv_heads} does not divide n_heads = {self.n_heads}: every "
                "key/value head serves the same number of query heads, so choose one of "
                f"{', '.join(map(str, divisors))}."
            )
        if self.n_active_experts > self.n_experts:
            raise ValueError(
                f"n_active_experts = {self.n_active_experts} is more than n_experts = "
                f"{self.n_experts}: a token cannot visit experts that are not there."
            )
        if self.norm not in _NORM_PARAMS:
            raise ValueError(
                f"norm = {self.norm!r} is not known: choose one of {', '.join(_NORM_PARAMS)}."
            )

    def _set_whole(self, name: str) -> None:
        value = getattr(self, name)
        whole = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not whole or value < 1 or value != value // 1:
            raise ValueError(
                f"{name} = {value!r} is not valid: expected a positive whole number, the raw "
                "count (50257, not 50.257 thousand)."
            )
        object.__setattr__(self, name, int(value))

    # What None stands for is worked out here and not stored, so that dataclasses.replace on
    # one size moves the sizes that follow from it.

    @property
    def kv_heads(self) -> int:
        """Number of key/value heads."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads if self.head_dim is None else self.head_dim

    @property
    def d_attn(self) -> int:
        """Width of all query heads together; d_model in most models, not in all."""
        return self.n_heads * self.d_head

    @property
    def d_mlp(self) -> int:
        """Hidden width of the MLP."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff

    def _components(self, T: ArrayLike | None, causal: bool) -> tuple[Component, ...]:
        T = _context(self.context if T is None else T)
        L, d, V = self.n_layers, self.d_model, self.vocab_size
        d_kv = self.kv_heads * self.d_head

        def row(
            name: str,
            weights: int = 0,
            others: int = 0,
            active: int | None = None,
            matmul: int | None = None,
            products: Count = 0,
        ) -> Component:
            """Weights are in matrix products unless ``matmul`` says so; others never are."""
            active = weights + others if active is None else active
            matmul = weights if matmul is None else matmul
            return Component(
                name, weights + others, active, matmul, FLOPS_PER_WEIGHT * matmul + products
            )

        has_qkv_biases = self.biases if self.qkv_biases is None else self.qkv_biases
        attention_biases = has_qkv_biases * (self.d_attn + 2 * d_kv) + self.biases * d
        # Queries with keys, then probabilities with values: d_attn multiply-adds per pair each.
        scores = 2 * FLOPS_PER_WEIGHT * L * T * self.d_attn
        if causal:
            scores = scores // 2 if isinstance(scores, int) else scores / 2

        into_mlp = 2 if self.gated_mlp else 1
        expert = (into_mlp + 1) * d * self.d_mlp
        expert_biases = self.biases * (into_mlp * self.d_mlp + d)
        router = L * d * self.n_experts if self.n_experts > 1 else 0

        return (
            row("embedding", V * d, matmul=0),
            row(
                "positions",
                # The FLOPs of relative positions are left out, as the count of Hoffmann et
                # al. leaves them out: the projection is made once for a whole batch.
                others=self.learned_positions * self.context * d
                + self.relative_positions * L * d * self.d_attn,
            ),
            row(
                "attention projections",
                L * (2 * d * self.d_attn + 2 * d * d_kv),
                L * attention_biases,
            ),
            row("attention scores", products=scores),
            row(
                "mlp",
                L * self.n_experts * expert,
                L * self.n_experts * expert_biases,
                active=L * self.n_active_experts * (expert + expert_biases),
                matmul=L * self.n_active_experts * expert,
            ),
            row("router", router),
            row("norms", others=(2 * L + 1) * _NORM_PARAMS[self.norm] * d),
            row("head", 0 if self.tied_embeddings else V * d, matmul=V * d),
        )

    def breakdown(self, T: float | None = None, causal: bool = False) -> Breakdown:
        """Parameters and forward FLOPs per token, component by component.

        All totals of this class are sums over these rows. ``T`` is one context length in
        tokens. Raises ValueError when it is not a positive number.

        >>> PRESETS["mixtral-8x7b"].breakdown()["router"].params
        1048576
        """
        length = np.asarray(_context(self.context if T is None else T))
        if length.ndim:
            raise ValueError("a breakdown is made at one context length T: give one number.")
        title = f"{self.name or 'transformer'}, T = {length[()]:,}"
        return Breakdown(title, self._components(T, causal))

    def _totals(self, T: ArrayLike | None = None, causal: bool = False) -> Breakdown:
        return Breakdown(self.name, self._components(T, causal))

    def params(self) -> int:
        """All parameters, with every expert, embedding, position, bias and norm.

        >>> PRESETS["gpt2"].params()
        124439808
        """
        return self._totals().params

    def non_embedding_params(self) -> int:
        """Parameters of the blocks and norms: no token or position table and no head.

        The N of Kaplan et al. 2020, section 2.1. For a dense model without biases and norms
        it is 12·n_layers·d_model², their equation 2.1.

        >>> PRESETS["gpt2"].non_embedding_params()
        85056000
        """
        return self._totals().non_embedding_params

    def active_params(self) -> int:
        """Parameters that one token uses: all but the experts that it does not visit.

        >>> PRESETS["mixtral-8x7b"].active_params()
        12879925248
        """
        return self._totals().active_params

    def matmul_params(self) -> int:
        """Weights that one token is multiplied by: active matrices, with the head, tied or not.

        >>> PRESETS["gpt2"].matmul_params()
        123532032
        """
        return self._totals().matmul_params

    def forward_flops_per_token(self, T: ArrayLike | None = None, causal: bool = False) -> Count:
        """FLOPs of the forward pass per token: 2·matmul_params + 4·n_layers·T·d_attn.

        ``T``: context length in tokens, a number or an array, by default the model's own; one
        beyond it is a what-if. ``causal=True`` halves the second term, for kernels that skip
        what the mask hides. With T tokens in the cache this is also the cost of decoding one
        more token. Raises ValueError when T is not positive.

        >>> 1024 * PRESETS["gpt2"].forward_flops_per_token(1024)
        291648307200
        """
        return self._totals(T, causal).forward_flops

    def train_flops_per_token(self, T: ArrayLike | None = None, causal: bool = False) -> Count:
        """FLOPs of one training token: 6·matmul_params + 12·n_layers·T·d_attn.

        Three times the forward pass; arguments as there. Recomputed activations (a fourth
        forward pass) are hardware's work, not the model's, and not counted.

        >>> PRESETS["gpt2"].train_flops_per_token(1024)
        854438400
        """
        return TRAIN_PER_FORWARD * self.forward_flops_per_token(T, causal)

    def six_nd_ratio(
        self,
        T: ArrayLike | None = None,
        count: Literal["total", "active", "non_embedding", "matmul"] = "total",
        causal: bool = False,
    ) -> float | NDArray:
        """6N / (counted training FLOPs per token): above 1 where 6ND says too much.

        ``count`` names the N: "total", "active" (one token's experts), "non_embedding"
        (Kaplan's) or "matmul". Raises ValueError for another name.

        >>> round(PRESETS["gpt2"].six_nd_ratio(1024), 4)
        0.8738
        """
        counts = {
            "total": self.params,
            "active": self.active_params,
            "non_embedding": self.non_embedding_params,
            "matmul": self.matmul_params,
        }
        if count not in counts:
            raise ValueError(f"count = {count!r} is not known: choose one of {', '.join(counts)}.")
        six_n = FLOPS_PER_WEIGHT * TRAIN_PER_FORWARD * counts[count]()
        return plain(six_n / np.asarray(self.train_flops_per_token(T, causal), dtype=float))

    def hoffmann_flops_per_token(
        self, T: ArrayLike | None = None, vocabulary: bool = True
    ) -> int | float | NDArray:
        """Training FLOPs per token as Hoffmann et al. 2022 count them, in their Appendix F.

        Unlike the count above it charges the embedding as a product with one-hot vectors and
        the softmax at 3 FLOPs a score. ``vocabulary=False`` leaves out embedding and logits,
        which reproduces their Table A4. Raises ValueError for a configuration that the
        appendix does not describe: grouped keys and values, gated MLP or experts.

        >>> PRESETS["gpt3-175b"].hoffmann_flops_per_token(vocabulary=False)
        1072837951488
        """
        if self.kv_heads != self.n_heads or self.gated_mlp or self.n_experts > 1:
            raise ValueError(
                "Appendix F of Hoffmann et al. describes a dense transformer with as many "
                "key/value heads as heads and an MLP of two matrices: use "
                "train_flops_per_token for this one."
            )
        T = _context(self.context if T is None else T)
        d, d_attn = self.d_model, self.d_attn
        block = (
            2 * 3 * d * d_attn  # queries, keys, values
            + 2 * T * d_attn  # scores
            + 3 * self.n_heads * T  # softmax
            + 2 * T * d_attn  # weighted sum of values
            + 2 * d_attn * d  # output projection
            + 2 * 2 * d * self.d_mlp
        )
        tables = vocabulary * 2 * 2 * self.vocab_size * d  # embedding and logits
        return TRAIN_PER_FORWARD * (self.n_layers * block + tables)

    def kv_bytes_per_token(self, bytes_per_value: float = 2) -> int | float:
        """Bytes that one token keeps in the key/value cache.

        2·n_layers·n_kv_heads·head_dim·bytes_per_value, all read from the configuration;
        ``bytes_per_value`` is 2 for bf16, 1 for 8 bits, .5 for 4. Raises ValueError when it is
        not positive or looks like bits.

        >>> PRESETS["llama-3-8b"].kv_bytes_per_token()
        131072
        """
        expected = "bytes per value: 4 for fp32, 2 for bf16, 1 for fp8 or int8, 0.5 for int4"
        size = float(positive(bytes_per_value, "bytes_per_value", expected))
        if size > 8:
            raise ValueError(f"bytes_per_value = {size:g} looks like bits: expected {expected}.")
        return _tidy(2 * self.n_layers * self.kv_heads * self.d_head * size)

    def scaled(self, n_layers: int) -> Transformer:
        """The same proportions at another depth: width, heads and MLP grow with the layers.

        The number of key/value heads stays. For a what-if family of models; raises ValueError
        where a size is then no whole number, or the heads do not fit together.

        >>> [human(PRESETS["llama-3-8b"].scaled(n).params()) for n in (24, 32, 64)]
        ['3.77B', '8.03B', '56.9B']
        """
        factor = Fraction(n_layers) / self.n_layers
        return replace(
            self,
            n_layers=n_layers,
            d_model=self.d_model * factor,
            n_heads=self.n_heads * factor,
            d_ff=None if self.d_ff is None else self.d_ff * factor,
            name=f"{self.name} with {n_layers} layers".strip(),
        )

    def training_memory(self, fp32_gradients: bool = False) -> dict[str, int]:
        """Bytes of weights, gradients and optimizer when training with Adam in mixed precision.

        2 + 2 + 4 + 4 + 4 = 16 bytes a parameter, 18 when the gradients are kept in fp32
        (Rajbhandari et al. 2020, ZeRO, section 3.1). Activations come on top.

        >>> sum(PRESETS["llama-2-7b"].training_memory().values())
        107814649856
        """
        n = self.params()
        return {
            "weights, bf16": 2 * n,
            f"gradients, {'fp32' if fp32_gradients else 'bf16'}": (4 if fp32_gradients else 2) * n,
            "master weights, fp32": 4 * n,
            "Adam's first moment, fp32": 4 * n,
            "Adam's second moment, fp32": 4 * n,
        }

    def training_bytes(self, fp32_gradients: bool = False) -> int:
        """Bytes of weights, gradients and optimizer: the sum of ``training_memory``.

        >>> PRESETS["llama-2-7b"].training_bytes() / PRESETS["llama-2-7b"].params()
        16.0
        """
        return sum(self.training_memory(fp32_gradients).values())

    def activation_bytes(self, batch: float = 1, T: ArrayLike | None = None) -> Count:
        """Bytes of activations kept for the backward pass of one micro-batch.

        s·b·h·L·(34 + 5·a·s/h) with sequence s, batch b, width h, L layers, a heads: 16-bit
        values, nothing recomputed, no parallelism (Korthikanti et al. 2022, equation 2). It
        was derived for GPT's block, with an MLP of 4h and dropout; take it as an estimate for
        others. A fused attention kernel never stores the second term. Raises ValueError when
        batch or T is not positive.

        >>> PRESETS["gpt3-175b"].activation_bytes(batch=1, T=2048)
        275414777856
        """
        s = _context(self.context if T is None else T)
        b = _tidy(float(positive(batch, "batch", "a number of sequences, 1 or more")))
        return s * b * self.n_layers * (34 * self.d_model + 5 * self.n_heads * s)

    def __str__(self) -> str:
        active = self.active_params()
        used = f", {human(active)} used per token" if active != self.params() else ""
        return f"{self.name or 'transformer'}: {human(self.params())} parameters{used}"


_NORM_PARAMS = {"layernorm": 2, "rmsnorm": 1, "none": 0}


def _context(T: ArrayLike) -> Count:
    """A context length as int where it is one whole number, so that counts stay exact."""
    return _tidy(plain(positive(T, "T", "a context length in tokens, such as 2048")))


def _tidy(value: float | NDArray) -> Count:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _gpt2(name: str, n_layers: int, d_model: int, n_heads: int) -> Transformer:
    return Transformer(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        vocab_size=50257,
        context=1024,
        name=name,
        source="Radford et al. 2019, Table 2; released configuration. The sizes printed in the "
        "paper's Table 2 (117M, 345M, 762M, 1542M) differ from the released weights.",
    )


def _hoffmann(name: str, n_heads: int, d_model: int, source: str) -> Transformer:
    return Transformer(
        n_layers=80,
        d_model=d_model,
        n_heads=n_heads,
        head_dim=128,
        vocab_size=32000,
        context=2048,
        learned_positions=False,
        relative_positions=True,
        norm="rmsnorm",
        name=name,
        source=source + " Published to two digits: which biases it has is assumed.",
    )


def _llama(
    name: str,
    source: str,
    n_layers: int,
    d_model: int,
    n_heads: int,
    d_ff: int,
    vocab_size: int,
    context: int,
    n_kv_heads: int | None = None,
    tied_embeddings: bool = False,
    qkv_biases: bool | None = None,
    n_experts: int = 1,
    n_active_experts: int = 1,
) -> Transformer:
    """The block of Llama, which Mistral and Qwen share: rotary, RMSNorm, SwiGLU, no biases."""
    return Transformer(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        vocab_size=vocab_size,
        context=context,
        n_kv_heads=n_kv_heads,
        d_ff=d_ff,
        gated_mlp=True,
        tied_embeddings=tied_embeddings,
        learned_positions=False,
        biases=False,
        qkv_biases=qkv_biases,
        norm="rmsnorm",
        n_experts=n_experts,
        n_active_experts=n_active_experts,
        name=name,
        source=source,
    )


def _pythia(
    name: str, n_layers: int, d_model: int, n_heads: int, vocab_size: int = 50304
) -> Transformer:
    return Transformer(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        vocab_size=vocab_size,
        context=2048,
        tied_embeddings=False,
        learned_positions=False,
        name=name,
        source="Biderman et al. 2023, Table 1; released config.json, vocabulary padded.",
    )


_LLAMA_2 = "Touvron et al. 2023 (Llama 2); released config.json."
_LLAMA_3 = "Grattafiori et al. 2024 (Llama 3), Table 3; released config.json."
_QWEN = (
    "Qwen Team 2024 (Qwen2.5), Table 1; released config.json. Pre-trained at 4,096 tokens, then "
    "extended."
)

_MODELS = (
    _gpt2("gpt2", 12, 768, 12),
    _gpt2("gpt2-medium", 24, 1024, 16),
    _gpt2("gpt2-large", 36, 1280, 20),
    _gpt2("gpt2-xl", 48, 1600, 25),
    Transformer(
        n_layers=96,
        d_model=12288,
        n_heads=96,
        vocab_size=50257,
        context=2048,
        name="gpt3-175b",
        source="Brown et al. 2020, Table 2.1. Half of its layers attend to local bands; "
        "counted dense here.",
    ),
    _hoffmann("gopher", 128, 16384, "Hoffmann et al. 2022, Table 4; Rae et al. 2021."),
    _hoffmann("chinchilla", 64, 8192, "Hoffmann et al. 2022, Table 4."),
    _llama("llama-2-7b", _LLAMA_2, 32, 4096, 32, 11008, 32000, 4096),
    _llama("llama-2-13b", _LLAMA_2, 40, 5120, 40, 13824, 32000, 4096),
    _llama("llama-2-70b", _LLAMA_2, 80, 8192, 64, 28672, 32000, 4096, n_kv_heads=8),
    _llama("llama-3-8b", _LLAMA_3, 32, 4096, 32, 14336, 128256, 8192, n_kv_heads=8),
    _llama("llama-3-70b", _LLAMA_3, 80, 8192, 64, 28672, 128256, 8192, n_kv_heads=8),
    _llama(
        "llama-3.1-405b",
        _LLAMA_3 + " Pre-trained at 8,192 tokens, then extended to 131,072.",
        *(126, 16384, 128, 53248, 128256, 8192),
        n_kv_heads=8,
    ),
    _llama(
        "mistral-7b",
        "Jiang et al. 2023 (Mistral 7B), Table 1. Attention slides over 4,096 tokens; "
        "counted dense here.",
        *(32, 4096, 32, 14336, 32000, 8192),
        n_kv_heads=8,
    ),
    _llama(
        "mixtral-8x7b",
        "Jiang et al. 2024 (Mixtral of Experts), Table 1.",
        *(32, 4096, 32, 14336, 32000, 32768),
        n_kv_heads=8,
        n_experts=8,
        n_active_experts=2,
    ),
    _llama(
        "qwen2.5-0.5b",
        _QWEN,
        *(24, 896, 14, 4864, 151936, 4096),
        n_kv_heads=2,
        tied_embeddings=True,
        qkv_biases=True,
    ),
    _llama(
        "qwen2.5-7b",
        _QWEN,
        *(28, 3584, 28, 18944, 152064, 4096),
        n_kv_heads=4,
        qkv_biases=True,
    ),
    _llama(
        "qwen2.5-72b",
        _QWEN,
        *(80, 8192, 64, 29568, 152064, 4096),
        n_kv_heads=8,
        qkv_biases=True,
    ),
    _pythia("pythia-70m", 6, 512, 8),
    _pythia("pythia-160m", 12, 768, 12),
    _pythia("pythia-410m", 24, 1024, 16),
    _pythia("pythia-1b", 16, 2048, 8),
    _pythia("pythia-1.4b", 24, 2048, 16),
    _pythia("pythia-2.8b", 32, 2560, 32),
    _pythia("pythia-6.9b", 32, 4096, 32, vocab_size=50432),
    _pythia("pythia-12b", 36, 5120, 40, vocab_size=50688),
)

PRESETS: Catalogue[Transformer] = Catalogue("preset", {model.name: model for model in _MODELS})
"""Published configurations by name; each says in ``source`` where it comes from."""
