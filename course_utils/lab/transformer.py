"""A small transformer in NumPy whose backward pass is written out, product by product.

Pre-norm decoder-only blocks in the plainest form that still scales: RMS norm without gain,
multi-head causal attention, a ReLU feed-forward layer four times as wide, learned positions,
no biases. Every weight is therefore a matrix, and every FLOP that the literature counts is a
call of :func:`course_utils.lab.flops.matmul`.

Activations are stored features first, (d, M) with M = batch · context positions: weights
multiply from the left, and every sum over features, keys or classes runs along the first axis,
which NumPy does at full speed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from course_utils.lab.flops import matmul
from course_utils.lab.parameters import Parameters, add_rows, cross_entropy

EPSILON = 1e-5


class CountedTransformer:
    """A decoder-only transformer; ``loss_and_grad`` runs and counts every matrix product.

    Parameters are counts: ``n_layers`` L, ``d_model`` d, ``n_heads``, ``vocab_size`` V,
    ``context`` T (the longest sequence). ``tied`` shares the embedding with the output head.
    ``seed`` draws the weights; ``dtype`` is float32 for training, float64 for checking.

    Weights lie in ``weights`` (named views and one flat array), gradients in ``gradients``.
    Training on D tokens costs 3·D·(24·L·d² + 4·L·T·d + 2·d·V) FLOPs, which is what
    :func:`course_utils.lab.flops.count_flops` finds, to the FLOP.

    Raises ValueError where a size is not a positive whole number or d is not a multiple of the
    number of heads.

    >>> from course_utils.lab import CountedTransformer, count_flops
    >>> model = CountedTransformer(n_layers=2, d_model=32, n_heads=2, vocab_size=97, context=16)
    >>> text = np.arange(4 * 17).reshape(4, 17)
    >>> with count_flops() as counter:
    ...     loss = model.loss_and_grad(text[:, :-1], text[:, 1:])
    >>> counter.backward / counter.forward
    2.0
    >>> counter.total == 3 * (4 * 16) * (24 * 2 * 32**2 + 4 * 2 * 16 * 32 + 2 * 32 * 97)
    True
    >>> counter.table()["0.scores"]
    {'forward': 65536, 'dX': 131072, 'dW': 0}
    """

    def __init__(
        self,
        n_layers: int = 2,
        d_model: int = 32,
        n_heads: int = 2,
        vocab_size: int = 97,
        context: int = 64,
        tied: bool = False,
        seed: int = 0,
        dtype: DTypeLike = np.float32,
    ):
        sizes = dict(
            n_layers=n_layers,
            d_model=d_model,
            n_heads=n_heads,
            vocab_size=vocab_size,
            context=context,
        )
        for name, size in sizes.items():
            if size != int(size) or size < 1:
                raise ValueError(f"{name} = {size!r} is not valid: expected a whole number from 1.")
        if d_model % n_heads:
            raise ValueError(
                f"d_model = {d_model} cannot be shared by n_heads = {n_heads}: "
                "expected a multiple of the number of heads."
            )
        self.n_layers, self.d_model, self.n_heads = n_layers, d_model, n_heads
        self.vocab_size, self.context, self.tied = vocab_size, context, tied
        d = d_model
        shapes = {"embedding": (vocab_size, d), "positions": (d, context)}
        for layer in range(n_layers):
            shapes |= {
                f"{layer}.qkv": (3 * d, d),
                f"{layer}.out": (d, d),
                f"{layer}.up": (4 * d, d),
                f"{layer}.down": (d, 4 * d),
            }
        if not tied:
            shapes["head"] = (vocab_size, d)
        self.weights = Parameters(shapes, dtype)
        self.gradients = self.weights.like()
        self._draw(np.random.default_rng(seed))
        self._room: dict[str, NDArray] = {}
        self._room_for: tuple[int, int] = (0, 0)

    def _draw(self, rng: np.random.Generator) -> None:
        """Weights ~ N(0, 1/fan-in); layers that write into the residual stream start smaller."""
        for name, shape in self.weights.shapes.items():
            scale = shape[-1] ** -0.5
            if name in ("embedding", "positions"):
                scale = self.d_model**-0.5
            elif name.endswith((".out", ".down")):
                scale /= (2 * self.n_layers) ** 0.5
            elif name == "head":
                scale = 0.0  # the first prediction is uniform: the first loss is ln V
            self.weights[name][...] = scale * rng.standard_normal(shape)

    @property
    def n_params(self) -> int:
        """All parameters, embedding and positions included."""
        return self.weights.flat.size

    @property
    def n_block_params(self) -> int:
        """Parameters of the blocks alone: 12·L·d², Kaplan's non-embedding count."""
        return 12 * self.n_layers * self.d_model**2

    def flops_per_token(self, context: int | None = None) -> int:
        """Training FLOPs per token by the formula 3·(24·L·d² + 4·L·T·d + 2·d·V)."""
        T = self.context if context is None else context
        L, d, V = self.n_layers, self.d_model, self.vocab_size
        return 3 * (24 * L * d**2 + 4 * L * T * d + 2 * d * V)

    def loss(self, tokens: ArrayLike, targets: ArrayLike) -> float:
        """Mean cross-entropy in nats per token; ``tokens`` and ``targets`` are (batch, T)."""
        tokens, targets = self._check(tokens), self._check(targets)
        return cross_entropy(self._forward(tokens), targets.ravel(), gradient=False)

    def loss_and_grad(self, tokens: ArrayLike, targets: ArrayLike) -> float:
        """The loss, with d loss / d weights left in ``gradients`` (overwritten each time)."""
        tokens, targets = self._check(tokens), self._check(targets)
        logits = self._forward(tokens)
        loss = cross_entropy(logits, targets.ravel())
        self._backward(tokens, logits)
        return loss

    def logits(self, tokens: ArrayLike) -> NDArray:
        """Unnormalised log-probabilities (V, batch, T); the array is reused by the next call."""
        tokens = self._check(tokens)
        return self._forward(tokens).reshape(self.vocab_size, *tokens.shape)

    def _check(self, tokens: ArrayLike) -> NDArray:
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= self.context:
            raise ValueError(
                f"tokens of shape {tokens.shape} do not fit: expected (batch, T) with "
                f"T from 1 to context = {self.context}."
            )
        if not np.issubdtype(tokens.dtype, np.integer):
            raise ValueError(f"tokens are {tokens.dtype}: expected whole numbers.")
        if tokens.min() < 0 or tokens.max() >= self.vocab_size:
            raise ValueError(
                f"tokens run from {tokens.min()} to {tokens.max()}: expected 0 to "
                f"vocab_size - 1 = {self.vocab_size - 1}."
            )
        return tokens

    def _make_room(self, batch: int, T: int) -> None:
        """Allocate every intermediate array once; a step then allocates next to nothing."""
        if self._room_for == (batch, T):
            return
        d, M, dtype = self.d_model, batch * T, self.weights.flat.dtype
        shapes = {"x": (d, M), "dx": (d, M), "spare": (d, M), "row": (1, M), "final": (d, M)}
        shapes |= {"logits": (self.vocab_size, M), "final.r": (1, M), "wide": (4 * d, M)}
        shapes |= {"dqkv": (3 * d, M)}
        for layer in range(self.n_layers):
            shapes |= {
                f"{layer}.n1": (d, M),
                f"{layer}.r1": (1, M),
                f"{layer}.n2": (d, M),
                f"{layer}.r2": (1, M),
                f"{layer}.qkv": (3 * d, M),
                f"{layer}.sums": (self.n_heads, batch, 1, T),
                f"{layer}.mixed": (d, M),
                f"{layer}.up": (4 * d, M),
            }
        self._room = {name: np.empty(shape, dtype) for name, shape in shapes.items()}
        for layer in range(self.n_layers):
            self._room[f"{layer}.on"] = np.empty((4 * d, M), bool)
        # Keys by queries for each head and sequence, but keys first in memory: the softmax,
        # too, runs along the first axis.
        for name in ("dscores", *(f"{layer}.scores" for layer in range(self.n_layers))):
            by_key = np.empty((T, self.n_heads, batch, T), dtype)
            self._room[name] = by_key.transpose(1, 2, 0, 3)
        # Added to the scores: a query sees keys up to its own position.
        keys, queries = np.indices((T, T))
        self._room["mask"] = np.where(keys > queries, -np.inf, 0).astype(dtype)
        self._room_for = (batch, T)

    def _heads(self, array: NDArray) -> NDArray:
        """View (d, M) as (heads, batch, head width, T): no copy."""
        batch, T = self._room_for
        return array.reshape(self.n_heads, -1, batch, T).swapaxes(1, 2)

    def _qkv(self, array: NDArray) -> list[NDArray]:
        return [self._heads(part) for part in array.reshape(3, self.d_model, -1)]

    def _forward(self, tokens: NDArray) -> NDArray:
        batch, T = tokens.shape
        self._make_room(batch, T)
        room, weights, d = self._room, self.weights, self.d_model
        x, spare = room["x"], room["spare"]
        x[...] = weights["embedding"][tokens.ravel()].T
        by_position = x.reshape(d, batch, T)
        by_position += weights["positions"][:, None, :T]
        for layer in range(self.n_layers):
            normed = self._norm(x, room[f"{layer}.n1"], room[f"{layer}.r1"])
            matmul(weights[f"{layer}.qkv"], normed, room[f"{layer}.qkv"], name=f"{layer}.qkv")
            self._attend(layer)
            matmul(weights[f"{layer}.out"], room[f"{layer}.mixed"], spare, name=f"{layer}.out")
            x += spare
            normed = self._norm(x, room[f"{layer}.n2"], room[f"{layer}.r2"])
            up = matmul(weights[f"{layer}.up"], normed, room[f"{layer}.up"], name=f"{layer}.up")
            up *= np.greater(up, 0, out=room[f"{layer}.on"])  # faster than np.maximum
            matmul(weights[f"{layer}.down"], up, spare, name=f"{layer}.down")
            x += spare
        final = self._norm(x, room["final"], room["final.r"])
        return matmul(self._head(weights), final, room["logits"], name="head")

    def _head(self, weights: Parameters) -> NDArray:
        return weights["embedding" if self.tied else "head"]

    def _attend(self, layer: int) -> None:
        """Softmax attention. The weights stay unnormalised, exp(score − max), and what they
        mix is divided by their sum: a division of (head width, T) in place of (T, T)."""
        room = self._room
        q, k, v = self._qkv(room[f"{layer}.qkv"])
        q *= q.dtype.type(q.shape[-2] ** -0.5)
        scores = room[f"{layer}.scores"]
        matmul(k.swapaxes(-1, -2), q, scores, name=f"{layer}.scores")
        scores += room["mask"]
        sums = room[f"{layer}.sums"]
        np.max(scores, axis=-2, keepdims=True, out=sums)
        scores -= sums
        np.exp(scores, out=scores)
        np.sum(scores, axis=-2, keepdims=True, out=sums)
        mixed = self._heads(room[f"{layer}.mixed"])
        matmul(v, scores, mixed, name=f"{layer}.mix")
        mixed /= sums

    def _backward(self, tokens: NDArray, dlogits: NDArray) -> None:
        room, weights, gradients = self._room, self.weights, self.gradients
        batch, T = tokens.shape
        dx, spare, wide = room["dx"], room["spare"], room["wide"]
        dhead = self._head(gradients)
        matmul(dlogits, room["final"].T, dhead, name="head", which="dW")
        matmul(self._head(weights).T, dlogits, dx, name="head", which="dX")
        self._norm_back(dx, room["final"], room["final.r"])
        for layer in reversed(range(self.n_layers)):
            up = room[f"{layer}.up"]
            name = f"{layer}.down"
            matmul(dx, up.T, gradients[name], name=name, which="dW")
            matmul(weights[name].T, dx, wide, name=name, which="dX")
            wide *= room[f"{layer}.on"]
            name = f"{layer}.up"
            matmul(wide, room[f"{layer}.n2"].T, gradients[name], name=name, which="dW")
            matmul(weights[name].T, wide, spare, name=name, which="dX")
            dx += self._norm_back(spare, room[f"{layer}.n2"], room[f"{layer}.r2"])
            name = f"{layer}.out"
            matmul(dx, room[f"{layer}.mixed"].T, gradients[name], name=name, which="dW")
            matmul(weights[name].T, dx, spare, name=name, which="dX")
            self._attend_back(layer, spare)
            name, dqkv = f"{layer}.qkv", room["dqkv"]
            matmul(dqkv, room[f"{layer}.n1"].T, gradients[name], name=name, which="dW")
            matmul(weights[name].T, dqkv, spare, name=name, which="dX")
            dx += self._norm_back(spare, room[f"{layer}.n1"], room[f"{layer}.r1"])
        gradients["positions"].fill(0)
        np.sum(dx.reshape(-1, batch, T), axis=1, out=gradients["positions"][:, :T])
        rows = np.ascontiguousarray(dx.T)
        if self.tied:
            from_input = np.empty_like(gradients["embedding"])
            add_rows(from_input, rows, tokens.ravel())
            gradients["embedding"][...] += from_input
        else:
            add_rows(gradients["embedding"], rows, tokens.ravel())

    def _attend_back(self, layer: int, dmixed: NDArray) -> None:
        """Gradients of queries, keys and values from that of what was mixed (overwritten)."""
        room = self._room
        q, k, v = self._qkv(room[f"{layer}.qkv"])
        dq, dk, dv = self._qkv(room["dqkv"])
        scores, dscores = room[f"{layer}.scores"], room["dscores"]
        dout = self._heads(dmixed)
        dout /= room[f"{layer}.sums"]
        # Σ_keys p·dp equals Σ_features out·dout: the softmax's correction without a (T, T) sum.
        correction = np.einsum("hbft,hbft->hbt", dout, self._heads(room[f"{layer}.mixed"]))
        matmul(dout, scores.swapaxes(-1, -2), dv, name=f"{layer}.mix", which="dX")
        matmul(v.swapaxes(-1, -2), dout, dscores, name=f"{layer}.mix", which="dX")
        dscores -= correction[..., None, :]
        dscores *= scores
        matmul(k, dscores, dq, name=f"{layer}.scores", which="dX")
        dq *= dq.dtype.type(q.shape[-2] ** -0.5)
        matmul(q, dscores.swapaxes(-1, -2), dk, name=f"{layer}.scores", which="dX")

    def _norm(self, x: NDArray, out: NDArray, r: NDArray) -> NDArray:
        """out = x · r with r = 1 / sqrt(mean x² + ε), column by column."""
        np.einsum("dm,dm->m", x, x, out=r[0])
        r *= 1 / x.dtype.type(self.d_model)
        r += x.dtype.type(EPSILON)
        np.sqrt(r, out=r)
        np.reciprocal(r, out=r)
        return np.multiply(x, r, out=out)

    def _norm_back(self, dout: NDArray, out: NDArray, r: NDArray) -> NDArray:
        """Turn d loss / d out into d loss / d x: r · (dout − out · mean(out · dout)), in place."""
        mean = self._room["row"]
        np.einsum("dm,dm->m", out, dout, out=mean[0])
        mean *= 1 / out.dtype.type(self.d_model)
        # `out` is not needed after this; it may hold the product.
        out *= mean
        dout -= out
        dout *= r
        return dout
