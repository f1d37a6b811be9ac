"""Approach 1: a power law through the runs that nothing cheaper beats."""

from __future__ import annotations

from dataclasses import dataclass, field

from numpy.typing import ArrayLike, NDArray

from course_utils import quantities
from course_utils.fitting.power_law import PowerLaw, fit_power_law
from course_utils.fitting.runs import budgets, losses_of, same_length


@dataclass(frozen=True)
class EnvelopeFit:
    """The runs on the lower envelope, and L = coefficient · C^exponent + floor through them."""

    C: NDArray = field(repr=False)
    loss: NDArray = field(repr=False)
    law: PowerLaw
    N: NDArray | None = field(default=None, repr=False)
    params: PowerLaw | None = None
    """N of the runs on the envelope as a power law of C, if N was given."""

    @property
    def exponent(self) -> float:
        """Exponent of C, negative: the loss falls."""
        return self.law.exponent

    @property
    def coefficient(self) -> float:
        """Loss above the floor at C = 1."""
        return self.law.coefficient

    @property
    def floor(self) -> float:
        """Loss that no compute removes; 0 when no floor was asked for, or none helps."""
        return self.law.floor

    @property
    def r_squared(self) -> float:
        """Share of the variance of ln loss on the envelope that the fit explains."""
        return self.law.r_squared

    def predict(self, C: ArrayLike) -> float | NDArray:
        """Loss at a budget of ``C`` FLOPs; scalars or arrays."""
        return self.law.predict(quantities.flops(C))


def fit_envelope(
    C: ArrayLike,
    loss: ArrayLike,
    N: ArrayLike | None = None,
    floor: bool = False,
    tolerance: float = 0.05,
) -> EnvelopeFit:
    """Fit the loss of the runs that no run with less compute beats (Approach 1).

    ``C`` and ``loss`` have one entry per run: FLOPs, nats per token. Runs whose C lies within
    ``tolerance`` count as one budget, of which the best is taken. Without ``floor`` the law is
    L = c·C^−g, with it L = c·C^−g + floor. With ``N`` (parameters) the model sizes on the
    envelope are fitted too: ``.params``.

    Raises ValueError when the envelope has fewer runs than the law has unknowns, and for bad
    numbers, as fit_parametric does.

    Source: Hoffmann et al. (2022), section 3.1; Kaplan et al. (2020), section 6.

    >>> C = [1e18, 1e18, 1e19, 1e19, 1e20]
    >>> fit = fit_envelope(C, [3.6, 3.4, 3.0, 3.1, 2.65])
    >>> fit.loss.tolist(), round(fit.exponent, 4), round(fit.r_squared, 4)
    ([3.4, 3.0, 2.65], -0.0541, 1.0)
    """
    columns = {"C": quantities.flops(C), "loss": losses_of(loss)}
    if N is not None:
        columns["N"] = quantities.params(N)
    C, losses, *sizes = same_length(**columns)
    chosen: list[int] = []
    for _, runs in budgets(C, tolerance):
        best = int(runs[losses[runs].argmin()])
        if not chosen or losses[best] < losses[chosen[-1]]:
            chosen.append(best)
    fewest = 3 if floor else 2
    if len(chosen) < fewest:
        raise ValueError(
            f"The lower envelope has {len(chosen)} run{'s' * (len(chosen) != 1)}: at least "
            f"{fewest} budgets, each better than those below it, are needed."
        )
    law = fit_power_law(C[chosen], losses[chosen], floor)
    if N is None:
        return EnvelopeFit(C[chosen], losses[chosen], law)
    on_envelope = sizes[0][chosen]
    return EnvelopeFit(
        C[chosen], losses[chosen], law, on_envelope, fit_power_law(C[chosen], on_envelope)
    )
