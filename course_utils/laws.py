"""Loss laws of language models, and the allocation of compute that each calls optimal.

Throughout, N counts parameters, D training tokens and C = 6·N·D training FLOPs, raw; losses are
in nats per token. Arguments may be scalars or arrays that broadcast together: scalars give
floats, arrays give arrays. Counts that are not positive and finite, or that look like billions,
raise ValueError.

A loss is comparable only within one law: each was fitted to one corpus and one tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.facts import value, values
from course_utils.quantities import PF_DAY, flops, human, params, plain, positive, tokens

Numbers = float | NDArray
"""What a law returns: a float for scalars, an array for arrays."""

TRAIN_FLOPS_PER_PARAM_TOKEN = 6
"""Two FLOPs forward and four backward for every parameter and token: the 6 of C = 6·N·D."""


def training_flops(N: ArrayLike, D: ArrayLike) -> Numbers:
    """Training FLOPs by the rule C = 6·N·D, which counts matrix products with weights only.

    N parameters, D tokens; raises ValueError for bad counts.
    Source: Kaplan et al. 2020, section 2.1; ``course_utils.transformer`` counts exactly.

    >>> f"{training_flops(70e9, 1.4e12):.2e}"
    '5.88e+23'
    """
    return plain(TRAIN_FLOPS_PER_PARAM_TOKEN * params(N) * tokens(D))


@dataclass(frozen=True)
class Allocation:
    """A model size and a number of tokens, what they cost to train and the loss they reach.

    N parameters, D tokens, C training FLOPs, loss in nats per token: all floats, or all arrays
    of one shape. ``epochs`` is D over the unique tokens (below 1, some are never read), or None
    where the law does not know how much data there is.

    >>> plan = HOFFMANN_2022.optimal(1e23)
    >>> f"{plan.tokens_per_param:.2f}"
    '78.21'
    >>> print(plan)
    N = 14.6B, D = 1.14T (78.2 tokens per parameter), C = 1e23 FLOPs, loss 2.0050
    """

    N: Numbers
    D: Numbers
    C: Numbers
    loss: Numbers
    epochs: Numbers | None = None

    @property
    def tokens_per_param(self) -> Numbers:
        """D/N, the ratio behind "20 tokens per parameter"."""
        return self.D / self.N

    def __str__(self) -> str:
        if np.ndim(self.N):
            return repr(self)
        text = (
            f"N = {human(self.N)}, D = {human(self.D)} "
            f"({human(self.tokens_per_param)} tokens per parameter), "
            f"C = {human(self.C)} FLOPs, loss {self.loss:.4f}"
        )
        return text if self.epochs is None else f"{text}, {human(self.epochs)} epochs"


class Exponents(NamedTuple):
    """The exponents of the compute-optimal allocation: N* ∝ C^a and D* ∝ C^b, with a + b = 1.

    >>> a, b = Exponents(0.46, 0.54)
    """

    a: Numbers
    b: Numbers


@dataclass(frozen=True)
class ChinchillaLaw:
    """The parametric law L(N, D) = E + A/N^α + B/D^β.

    E is the loss that no N and D remove (nats per token); A, B, α and β are positive. E = 0 is
    allowed. The coefficients may be arrays, such as the columns of a bootstrap: the methods
    then return one value for every set. Raises ValueError for coefficients out of range.
    Source: Hoffmann et al. 2022, equation 2.

    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> f"{law.loss(70e9, 1.4e12):.4f}"
    '1.9366'
    """

    E: Numbers
    A: Numbers
    B: Numbers
    alpha: Numbers
    beta: Numbers

    def __post_init__(self) -> None:
        E = np.asarray(self.E, dtype=float)
        bad = ~(np.isfinite(E) & (E >= 0))
        if np.any(bad):
            raise ValueError(
                f"E = {first_where(bad, E)[0]:g} is not valid: expected a loss of zero or more nats."
            )
        object.__setattr__(self, "E", plain(E))
        _check_positive(self, "A", "B", "alpha", "beta")

    def loss(self, N: ArrayLike, D: ArrayLike) -> Numbers:
        """Loss of N parameters trained on D tokens, none of them seen twice.

        Raises ValueError for bad counts. Source: Hoffmann et al. 2022, equation 2.

        >>> f"{BESIROGLU_2024.loss(70e9, 1.4e12):.4f}"
        '1.9739'
        """
        return plain(self._loss(params(N), tokens(D)))

    def _loss(self, N: NDArray, D: NDArray) -> NDArray:
        return self.E + self.A * N**-self.alpha + self.B * D**-self.beta

    @property
    def G(self) -> Numbers:
        """The coefficient of N* = G·(C/6)^a: (αA/(βB))^(1/(α+β)).

        >>> f"{HOFFMANN_2022.G:.5f}"
        '1.34471'
        """
        return (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))

    @property
    def gamma(self) -> Numbers:
        """The exponent of the optimal reducible loss, L* − E ∝ C^−γ with γ = αβ/(α+β).

        >>> f"{BESIROGLU_2024.gamma:.4f}"
        '0.1783'
        """
        return self.alpha * self.beta / (self.alpha + self.beta)

    def exponents(self) -> Exponents:
        """How the optimal sizes grow with compute: a of N* ∝ C^a and b of D* ∝ C^b.

        Source: Hoffmann et al. 2022, equation 4. ``G`` and ``gamma`` are the law's properties.

        >>> a, b = HOFFMANN_2022.exponents()
        >>> f"{a:.4f} {b:.4f}"
        '0.4516 0.5484'
        """
        total = self.alpha + self.beta
        return Exponents(self.beta / total, self.alpha / total)

    def optimal(self, C: ArrayLike) -> Allocation:
        """The N and D of least loss with C = 6·N·D training FLOPs, in closed form.

        Raises ValueError for a bad C. Source: Hoffmann et al. 2022, equation 4.

        >>> print(BESIROGLU_2024.optimal(1e23))
        N = 29.4B, D = 566B (19.2 tokens per parameter), C = 1e23 FLOPs, loss 2.0321
        """
        C = flops(C)
        a, b = self.exponents()
        product = C / TRAIN_FLOPS_PER_PARAM_TOKEN
        return self._allocation(self.G * product**a, product**b / self.G, C)

    def optimal_for_params(self, N: ArrayLike) -> Allocation:
        """The allocation at which N parameters are compute-optimal: how many tokens N deserves.

        Raises ValueError for a bad N. Source: Hoffmann et al. 2022, equation 4 solved for D.

        >>> print(HOFFMANN_2022.optimal_for_params(70e9))
        N = 70B, D = 7.66T (109 tokens per parameter), C = 3.22e24 FLOPs, loss 1.8749
        """
        N = params(N)
        D = (N / self.G) ** (self.alpha / self.beta) / self.G
        return self._allocation(N, D, TRAIN_FLOPS_PER_PARAM_TOKEN * N * D)

    def optimal_for_tokens(self, D: ArrayLike) -> Allocation:
        """The allocation at which D tokens are compute-optimal: how large a model D can feed.

        Raises ValueError for a bad D. Source: Hoffmann et al. 2022, equation 4 solved for N.

        >>> print(BESIROGLU_2024.optimal_for_tokens(300e9))
        N = 15.1B, D = 300B (19.9 tokens per parameter), C = 2.72e22 FLOPs, loss 2.0882
        """
        D = tokens(D)
        N = (D * self.G) ** (self.beta / self.alpha) * self.G
        return self._allocation(N, D, TRAIN_FLOPS_PER_PARAM_TOKEN * N * D)

    def _allocation(self, N: NDArray, D: NDArray, C: NDArray) -> Allocation:
        return Allocation(*_same_shape(N, D, C, self._loss(N, D)))

    def compute_for_loss(self, L: ArrayLike) -> Numbers:
        """Fewest training FLOPs that reach the loss L: the inverse of ``optimal(C).loss``.

        Raises ValueError for an L at or below E, which no compute reaches.
        With N* and D* put in, L − E = (A·G^−α + B·G^β)·(C/6)^−γ.

        >>> law = HOFFMANN_2022
        >>> f"{law.compute_for_loss(law.optimal(1e23).loss):.4g}"
        '1e+23'
        """
        reducible = self._reducible(L)
        at_one = self.A * self.G**-self.alpha + self.B * self.G**self.beta
        product = (at_one / reducible) ** (1 / self.gamma)
        return plain(TRAIN_FLOPS_PER_PARAM_TOKEN * product)

    def loss_from_params(self, N: ArrayLike) -> Numbers:
        """The loss that N parameters approach with unlimited data: E + A/N^α.

        Raises ValueError for a bad N.

        >>> round(HOFFMANN_2022.loss_from_params(70e9), 3)
        1.773
        """
        return plain(self.E + self.A * params(N) ** -self.alpha)

    def tokens_for_loss(self, N: ArrayLike, L: ArrayLike) -> Numbers:
        """Tokens on which N parameters reach the loss L.

        Raises ValueError for a bad N, and for an L that N cannot reach on any amount of data.

        >>> law = HOFFMANN_2022
        >>> f"{law.tokens_for_loss(7e9, law.loss(13e9, 260e9)):.3g}"
        '4.32e+11'
        """
        self._reducible(L)  # says what is wrong with an L below E
        N, floors = params(N), np.asarray(self.loss_from_params(N))
        left = np.asarray(L, dtype=float) - floors
        if np.any(left <= 0):
            wanted, size, floor = first_where(left <= 0, L, N, floors)
            raise ValueError(
                f"L = {wanted:g} is out of reach of N = {human(size)} parameters: with unlimited "
                f"data they approach {floor:.4f}. Expected a higher loss or a larger model."
            )
        return plain((self.B / left) ** (1 / self.beta))

    def _reducible(self, L: ArrayLike) -> NDArray:
        reducible = positive(L, "L", "a loss in nats per token") - self.E
        if np.any(reducible <= 0):
            wanted, floor = first_where(reducible <= 0, L, self.E)
            raise ValueError(
                f"L = {wanted:g} is not above the irreducible loss E = {floor:g}: "
                "no amount of compute reaches it. Expected a loss above E."
            )
        return reducible


@dataclass(frozen=True, kw_only=True)
class KaplanLaw:
    """The power laws of Kaplan et al. 2020, which have no irreducible loss.

    N counts parameters WITHOUT embeddings. C is the paper's C_min, in FLOPs: the compute of
    training at a batch far below the critical one. At the critical batch a run costs 2·C_min.
    The fields are named as in the paper; C_c_min and the coefficients of N_opt and D_opt are per
    PF-day (8.64e19 FLOPs), the joint_* fields are those of the fit to N and D together.
    Raises ValueError for a constant that is not positive.
    Source: equations 1.1 to 1.5, Tables 2, 5 and 6.

    >>> f"{KAPLAN_2020.loss_from_params(1e9):.4f}"
    '2.3756'
    """

    alpha_N: float
    N_c: float
    alpha_D: float
    D_c: float
    alpha_C_min: float
    C_c_min: float
    joint_alpha_N: float
    joint_N_c: float
    joint_alpha_D: float
    joint_D_c: float
    N_opt_coefficient: float
    N_opt_exponent: float
    D_opt_coefficient: float
    D_opt_exponent: float
    B_star: float
    alpha_B: float

    def __post_init__(self) -> None:
        _check_positive(self, *(field.name for field in fields(self)))

    def loss(self, N: ArrayLike, D: ArrayLike) -> Numbers:
        """Loss of N parameters trained on D tokens until it stops falling.

        Raises ValueError for bad counts. Source: equation 1.5 with the constants of Table 2
        (α_D = .103), which differ from those of L(N) and L(D) alone.

        >>> f"{KAPLAN_2020.loss(175e9, 300e9):.4f}"
        '1.6610'
        """
        size = (self.joint_N_c / params(N)) ** (self.joint_alpha_N / self.joint_alpha_D)
        return plain((size + self.joint_D_c / tokens(D)) ** self.joint_alpha_D)

    def loss_from_params(self, N: ArrayLike) -> Numbers:
        """Loss of N parameters with as much data as they can use.

        Raises ValueError for a bad N. Source: equation 1.1.

        >>> f"{KAPLAN_2020.loss_from_params(1e6):.4f}"
        '4.0159'
        """
        return plain((self.N_c / params(N)) ** self.alpha_N)

    def loss_from_tokens(self, D: ArrayLike) -> Numbers:
        """Loss of a large model trained on D tokens and stopped early.

        Raises ValueError for a bad D. Source: equation 1.2.

        >>> f"{KAPLAN_2020.loss_from_tokens(300e9):.4f}"
        '1.6378'
        """
        return plain((self.D_c / tokens(D)) ** self.alpha_D)

    def loss_from_compute(self, C: ArrayLike) -> Numbers:
        """Least loss for C_min = C FLOPs.

        Raises ValueError for a bad C. Source: equation 1.3, there in PF-days.

        >>> f"{KAPLAN_2020.loss_from_compute(1e22):.4f}"
        '2.0960'
        """
        return plain((self.C_c_min * PF_DAY / flops(C)) ** self.alpha_C_min)

    def optimal(self, C: ArrayLike) -> Allocation:
        """The paper's compute-efficient N and D for C_min = C FLOPs.

        N is without embeddings. D is the tokens of one epoch at the critical batch, where the
        run costs 2·C_min: 6·N·D is therefore about twice C, and "6·N·D ≤ C" is no check of it.
        For a budget spent at the critical batch pass half of it. The loss is L(C_min).
        Raises ValueError for a bad C. Source: Table 6 and equation 1.3.

        >>> plan = KAPLAN_2020.optimal(1e21)
        >>> f"N {plan.N:.3g}, D {plan.D:.3g}, 6ND {training_flops(plan.N, plan.D):.3g}"
        'N 7.77e+09, D 3.87e+10, 6ND 1.81e+21'
        """
        C = flops(C)
        N = self.N_opt_coefficient * (C / PF_DAY) ** self.N_opt_exponent
        D = self.D_opt_coefficient * (C / PF_DAY) ** self.D_opt_exponent
        return Allocation(*_same_shape(N, D, C, self.loss_from_compute(C)))

    def critical_batch(self, L: ArrayLike) -> Numbers:
        """Tokens in the batch that balances time against compute, at the loss L.

        Raises ValueError for an L that is not positive. Source: equation 1.4, with B* of Table 5.

        >>> f"{KAPLAN_2020.critical_batch(3.0):.4g}"
        '1.123e+06'
        """
        return plain(
            self.B_star * positive(L, "L", "a loss in nats per token") ** -(1 / self.alpha_B)
        )


@dataclass(frozen=True)
class DataConstrainedLaw:
    """A Chinchilla law in which repeated tokens, and parameters too many for the data, fade.

    ``base`` is the law for fresh data. Of D tokens drawn from U unique ones, the repeats
    R = D/U − 1 are worth U·R_D·(1 − e^(−R/R_D)) fresh tokens: nearly themselves at first, never
    more than R_D·U. Parameters beyond the number that U tokens feed optimally fade likewise,
    with R_N. Raises ValueError for an R_D or R_N that is not positive.
    Source: Muennighoff et al. 2023, section 3 and appendix A.

    >>> f"{MUENNIGHOFF_2023.loss(6.34e9, 242e9, unique=25e9):.5f}"
    '2.22564'
    """

    base: ChinchillaLaw
    R_D: float
    R_N: float

    def __post_init__(self) -> None:
        _check_positive(self, "R_D", "R_N")

    def effective_tokens(self, D: ArrayLike, unique: ArrayLike) -> Numbers:
        """The number of fresh tokens that D tokens out of ``unique`` ones are worth.

        D itself up to one epoch, and never more than unique·(1 + R_D). Raises ValueError for
        bad counts.

        >>> f"{MUENNIGHOFF_2023.effective_tokens(100e9, unique=25e9):.4g}"
        '9.314e+10'
        """
        return plain(_fade(tokens(D), tokens(unique, "unique"), self.R_D)[0])

    def effective_params(self, N: ArrayLike, unique: ArrayLike) -> Numbers:
        """The number of parameters that N are worth when there are ``unique`` unique tokens.

        N itself up to the size for which that many tokens are compute-optimal. Raises ValueError
        for bad counts.

        >>> f"{MUENNIGHOFF_2023.effective_params(8.67e9, unique=25e9):.4g}"
        '5.773e+09'
        """
        return plain(_fade(params(N), self._params_fed(tokens(unique, "unique")), self.R_N)[0])

    def _params_fed(self, unique: NDArray) -> Numbers:
        return self.base.optimal_for_tokens(unique).N

    def loss(self, N: ArrayLike, D: ArrayLike, unique: ArrayLike) -> Numbers:
        """Loss of N parameters trained on D tokens drawn from ``unique`` unique ones.

        Raises ValueError for bad counts.

        >>> f"{MUENNIGHOFF_2023.loss(8.67e9, 178e9, unique=25e9):.5f}"
        '2.22696'
        """
        return plain(self._loss(params(N), tokens(D), tokens(unique, "unique")))

    def _loss(self, N: NDArray, D: NDArray, unique: NDArray) -> NDArray:
        effective_N, _ = _fade(N, self._params_fed(unique), self.R_N)
        effective_D, _ = _fade(D, unique, self.R_D)
        return self.base._loss(effective_N, effective_D)

    def optimal(self, C: ArrayLike, unique: ArrayLike) -> Allocation:
        """The N and D of least loss with C = 6·N·D FLOPs and ``unique`` unique tokens.

        Raises ValueError for bad counts. With plenty of data it is ``base.optimal(C)``.

        There is no closed form. Along the budget, at N = N*·e^s and D = D*·e^−s, the loss is
        least where a relative change of N gains as much as the same change of D; in logarithms
        both gains fall with the quantity itself (see ``_log_gain``), so their difference falls
        with s, crosses zero once, and Newton's method finds the crossing.

        >>> print(MUENNIGHOFF_2023.optimal(1e22, unique=25e9))
        N = 7.03B, D = 237B (33.8 tokens per parameter), C = 1e22 FLOPs, loss 2.2221, 9.49 epochs
        """
        C, unique = np.broadcast_arrays(flops(C), tokens(unique, "unique"))
        fresh = self.base.optimal(C)
        params_fed = self._params_fed(unique)

        def difference_of_gains(s: NDArray) -> tuple[NDArray, NDArray]:
            gain_N, slope_N = _log_gain(
                fresh.N * np.exp(s), params_fed, self.R_N, self.base.alpha, fresh.N
            )
            gain_D, slope_D = _log_gain(
                fresh.D * np.exp(-s), unique, self.R_D, self.base.beta, fresh.D
            )
            return gain_N - gain_D, slope_N + slope_D

        s = monotone_root(difference_of_gains, np.zeros_like(fresh.N * unique))
        N, D = fresh.N * np.exp(s), fresh.D * np.exp(-s)
        return Allocation(*_same_shape(N, D, C, self._loss(N, D, unique), D / unique))


def _fade(count: NDArray, full: NDArray, scale: float) -> tuple[NDArray, NDArray]:
    """What ``count`` is worth when all beyond ``full`` fades, and its excess count/full − 1."""
    whole = np.minimum(count, full)
    excess = count / whole - 1
    return whole * (1 - scale * np.expm1(-excess / scale)), excess


def _log_gain(
    count: NDArray, full: NDArray, scale: float, exponent: float, reference: NDArray
) -> tuple[NDArray, NDArray]:
    """Logarithm of the gain −∂(effective^−exponent)/∂(ln count), and its slope in ln count.

    The gain is effective^−exponent times the elasticity d ln effective / d ln count, which is
    count·e^(−excess/scale)/effective. The logarithm leaves out the constant that makes the gains
    of N and D equal at their ``reference``, the optimum for fresh data. Its slope is negative:
    −exponent up to ``full`` and at most −1/scale beyond.
    """
    effective, excess = _fade(count, full, scale)
    log_elasticity = np.log(count / effective) - excess / scale
    faded = 1 - (1 + excess) / scale - (1 + exponent) * np.exp(log_elasticity)
    slope = np.where(excess > 0, faded, -exponent)
    return log_elasticity - exponent * np.log(effective / reference), slope


def monotone_root(
    function: Callable[[NDArray], tuple[NDArray, NDArray]], start: NDArray
) -> NDArray:
    """Where a smooth, strictly monotone function is zero, elementwise, to machine precision.

    ``function(x)`` returns the values and the slopes at x. Newton's method, kept inside the
    bracket that the signs seen so far imply; a step that would leave it halves it instead.
    Raises ValueError when it has not settled in 200 steps, as when the function has no root.

    >>> root = monotone_root(lambda x: (np.exp(x) - 2, np.exp(x)), np.zeros(1))
    >>> f"{root[0]:.12f}"
    '0.693147180560'
    """
    x = np.asarray(start, dtype=float)
    low, high = np.full_like(x, -np.inf), np.full_like(x, np.inf)
    for _ in range(200):
        height, slope = function(x)
        step = -height / slope
        settled = np.abs(step) <= 1e-13 * (1 + np.abs(x))
        if np.all(settled):
            return x + step
        low, high = np.where(step >= 0, x, low), np.where(step <= 0, x, high)
        # Where the function is flat a Newton step leads astray: e^±4 at most in one step.
        ahead = x + np.clip(step, -4, 4)
        outside = ~settled & ((ahead <= low) | (ahead >= high))
        x = np.where(outside, (low + high) / 2, ahead)
    raise ValueError("No root found in 200 steps: expected a monotone function that crosses zero.")


def total_params(N: ArrayLike) -> Numbers:
    """All parameters of a model with N outside its embeddings: N + 47491·N^(1/3).

    The relation of Kaplan et al.'s models, whose width grows as the cube root of N. Raises
    ValueError for a bad N. Source: Pearce & Song 2024.

    >>> f"{total_params(1e6):.4g} {total_params(1e9):.4g}"
    '5.749e+06 1.047e+09'
    """
    N = params(N)
    return plain(N + value("pearce_2024.embedding_coefficient") * np.cbrt(N))


def non_embedding_optimum(law: ChinchillaLaw, N: ArrayLike) -> Allocation:
    """The allocation at which N non-embedding parameters are optimal for C = 6·N·D.

    The loss is ``law`` of ``total_params(N)``, but N and C leave the embeddings out, as Kaplan
    et al. count: over their range of sizes a law with exponent .51 then shows theirs, .73 and
    more. In closed form, since for a given N only D is unknown where the gains of N and D
    balance. Raises ValueError for a bad N. Source: Pearce & Song 2024.

    >>> plan = non_embedding_optimum(BESIROGLU_2024, np.geomspace(768, 1.5e9, 20))
    >>> f"{np.polyfit(np.log(plan.C), np.log(plan.N), 1)[0]:.4f}"
    '0.7865'
    """
    N = params(N)
    total = np.asarray(total_params(N))
    elasticity = (N + (total - N) / 3) / total
    gain = law.alpha * law.A * total**-law.alpha * elasticity
    D = (law.beta * law.B / gain) ** (1 / law.beta)
    C = TRAIN_FLOPS_PER_PARAM_TOKEN * N * D
    return Allocation(*_same_shape(N, D, C, law._loss(total, D)))


def _check_positive(law: object, *names: str) -> None:
    for name in names:
        object.__setattr__(law, name, plain(positive(getattr(law, name), name)))


def first_where(bad: NDArray, *arrays: ArrayLike) -> list[float]:
    """The elements of ``arrays`` where ``bad`` is first true, for a message that names them.

    >>> first_where(np.array([False, True]), [1.5, 2.5], 7)
    [2.5, 7.0]
    """
    return [float(np.broadcast_to(array, np.shape(bad))[bad][0]) for array in arrays]


def _same_shape(*arrays: ArrayLike) -> list[Numbers]:
    return [plain(array.copy()) for array in np.broadcast_arrays(*arrays)]


Law = TypeVar("Law", ChinchillaLaw, KaplanLaw)


def _published(law: type[Law], paper: str) -> Law:
    return law(**{field.name: value(f"{paper}.{field.name}") for field in fields(law)})


HOFFMANN_2022 = _published(ChinchillaLaw, "hoffmann_2022")
"""Hoffmann et al. 2022, equation 10, as printed: rounded too far to give the paper's own table."""
HOFFMANN_2022_UNROUNDED = _published(ChinchillaLaw, "hoffmann_2022_unrounded")
"""The same fit with the digits in the source of the paper."""
BESIROGLU_2024 = _published(ChinchillaLaw, "besiroglu_2024")
"""Besiroglu et al. 2024, Table 1: the refit to 240 of Hoffmann's points."""
SARDANA_2024 = _published(ChinchillaLaw, "sardana_2024")
"""The coefficients behind the results of Sardana et al. 2024."""
KAPLAN_2020 = _published(KaplanLaw, "kaplan_2020")
"""Kaplan et al. 2020, Tables 2, 5 and 6."""


def _muennighoff() -> DataConstrainedLaw:
    # The paper fits the logarithms of A, B and E, and one exponent for both terms.
    fit = values("muennighoff_2023")
    E, A, B = np.exp([fit["e"], fit["a"], fit["b"]])
    base = ChinchillaLaw(E=E, A=A, B=B, alpha=fit["alpha"], beta=fit["alpha"])
    return DataConstrainedLaw(base=base, R_D=fit["R_D"], R_N=fit["R_N"])


MUENNIGHOFF_2023 = _muennighoff()
"""Muennighoff et al. 2023, appendix A, fitted on C4."""
