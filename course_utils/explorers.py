"""Interactive figures: controls, a picture that follows them, and the same in words.

An explorer is a widget; a lesson ends a cell with it. Every picture is made by a function that
can be called alone (``flops_figure``, ``budget_figure``, ``serving_figure``), so nothing depends on
a kernel: what is stored in a notebook, and shown where there is no kernel, is the picture at the
start.

The picture is a ``widgets.Image`` fed by an object-oriented figure, which answers a move about
twice as fast as ``interactive_output`` with inline plots.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

import ipywidgets as widgets
import numpy as np

from course_utils import figures
from course_utils.facts import MODELS, Model
from course_utils.figures import Picture
from course_utils.laws import (
    BESIROGLU_2024,
    HOFFMANN_2022,
    HOFFMANN_2022_UNROUNDED,
    KAPLAN_2020,
    Allocation,
    training_flops,
)
from course_utils.quantities import human
from course_utils.serving import Terms
from course_utils.transformer import PRESETS, Transformer


class Explorer(widgets.VBox):
    """A question, controls to answer it with, a picture and its words.

    ``draw`` takes the values of the ``controls`` by name and returns a Picture. The controls are
    ipywidgets with a description; all work with the keyboard.
    """

    def __init__(
        self,
        question: str,
        controls: Mapping[str, widgets.ValueWidget],
        draw: Callable[..., Picture],
    ) -> None:
        self.question = question
        self.controls = dict(controls)
        self.image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        self.caption = widgets.HTML()
        self._draw = draw
        self._redraw()
        for control in self.controls.values():
            control.observe(self._redraw, "value")
        heading = widgets.HTML(f"<strong>{html.escape(question)}</strong>")
        super().__init__([heading, *self.controls.values(), self.image, self.caption])

    def picture(self) -> Picture:
        """Draw the picture for the controls' present values."""
        return self._draw(**{name: control.value for name, control in self.controls.items()})

    def _redraw(self, change: object = None) -> None:
        picture = self.picture()
        self.image.layout.width = f"{figures.css_width(picture.fig)}px"
        self.image.value = figures.render(picture.fig, _SCREEN_DPI)
        # A screen reader announces what changes inside a region of this role.
        words = html.escape(picture.caption)
        self.caption.value = f'<p role="status" aria-live="polite">{words}</p>'

    def _repr_mimebundle_(self, **options: object) -> dict[str, object]:
        """Beside the live widget, a picture and words for readers without a kernel."""
        bundle = super()._repr_mimebundle_(**options)
        picture = self.picture()
        bundle["text/html"] = figures.as_html(*picture)
        bundle["text/plain"] = f"{self.question}\n{picture.caption}"
        return bundle


_SCREEN_DPI = 110


def _switch(description: str, value: bool) -> widgets.Checkbox:
    return widgets.Checkbox(
        description=description, value=value, indent=False, layout=widgets.Layout(width="auto")
    )


def _slider(description: str, options: list, value: object) -> widgets.SelectionSlider:
    return widgets.SelectionSlider(description=description, options=options, value=value, **_WIDE)


_WIDE = {
    "layout": widgets.Layout(width="100%", max_width="640px"),
    "style": {"description_width": "12em"},
}


# --- the FLOPs of a configuration ----------------------------------------------------------------

WIDTHS = (32, 64, 128, 256, 512, 768, 1024, 1600, 2048, 4096, 8192, 12288, 16384)
LAYERS = (1, 2, 4, 6, 12, 24, 32, 48, 80, 96, 126)
CONTEXTS = tuple(2**n for n in range(6, 18))
VOCABULARIES = (97, 256, 8192, 32_000, 50_257, 128_256)
EXPERTS = (8, 64)
USED_EXPERTS = 2
HEAD_DIM = 64

CONVENTIONS = {
    "blocks only (Kaplan)": "non_embedding",
    "blocks and head, as used": "matmul",
    "all parameters": "total",
}
"""What people call N -> its name in ``Transformer.six_nd_ratio``."""


def flops_figure(
    d_model: int = 768,
    n_layers: int = 12,
    T: int = 1024,
    vocab_size: int = 50_257,
    tied_embeddings: bool = True,
    n_experts: int = 1,
) -> Picture:
    """Draw what a token's FLOPs are spent on, and 6N over the counted FLOPs, against context.

    The model is a plain one: heads of 64, an MLP of 4·d_model, no biases; with experts, a token
    visits two. Raises ValueError, as ``Transformer`` does, for sizes that make no model.
    """
    model = Transformer(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=max(1, d_model // HEAD_DIM),
        vocab_size=vocab_size,
        context=T,
        tied_embeddings=tied_embeddings,
        learned_positions=False,
        biases=False,
        norm="none",
        n_experts=n_experts,
        n_active_experts=min(n_experts, USED_EXPERTS),
    )
    contexts = np.geomspace(CONTEXTS[0], CONTEXTS[-1], 45)
    tables = [model.breakdown(context) for context in contexts]
    now = model.breakdown(T)
    parts = [row.name for row in now if row.forward_flops > 0]
    ratios = {name: model.six_nd_ratio(contexts, kind) for name, kind in CONVENTIONS.items()}

    fig, (left, right) = figures.figure(9.5, 4.2, cols=2)
    x_label = "context T (tokens)"
    shares = {name: [table[name].forward_flops for table in tables] for name in parts}
    figures.shares(left, contexts, shares, title="Where a token's FLOPs go", x_label=x_label)
    figures.ratios(right, contexts, ratios, title="What 6ND makes of them", x_label=x_label)
    right.set_ylim(0, max(1.25, right.get_ylim()[1]))
    for ax in (left, right):
        ax.axvline(T, color="black", linewidth=1.5)
    return Picture(fig, _flops_alt(contexts, ratios), _flops_caption(model, T))


def _flops_alt(contexts: np.ndarray, ratios: Mapping[str, np.ndarray]) -> str:
    curves = "; ".join(
        f"{name} from {ratio[0]:.2f} to {ratio[-1]:.2f}" for name, ratio in ratios.items()
    )
    return (
        f"Two panels over the context T, from {contexts[0]:,.0f} to {contexts[-1]:,.0f} tokens on "
        "a logarithmic axis. Left: stacked areas, the share of each component in the FLOPs of a "
        "token; attention scores grow with T and push the others together. Right: 6ND over the "
        f"counted FLOPs for three ways to count N, all falling with T: {curves}. "
        "A vertical line marks the chosen context."
    )


def _flops_caption(model: Transformer, T: int) -> str:
    counted, now = model.train_flops_per_token(T), model.breakdown(T)
    shares = ", ".join(
        f"{row.name} {row.forward_flops / now.forward_flops:.0%}"
        for row in now
        if row.forward_flops
    )
    ratios = {name: model.six_nd_ratio(T, kind) for name, kind in CONVENTIONS.items()}
    says = "; ".join(
        f"{name} {human(ratio * counted)}, {ratio:.2f} of the count"
        for name, ratio in ratios.items()
    )
    experts = (
        f" A token uses {human(model.active_params())} of {human(model.params())} parameters."
        if model.n_experts > 1
        else ""
    )
    return (
        f"One training token costs {human(counted)} FLOPs at T = {T:,}, by count: {shares}. "
        f"6N says: {says}.{experts}"
    )


def flops_explorer() -> Explorer:
    """Explore the FLOPs of a configuration, and where 6ND fails."""
    return Explorer(
        "At which context does 6ND, with the N you prefer, miss half of the FLOPs? "
        "And which configuration makes it count twice too many?",
        {
            "d_model": _slider("width d_model", _counts(WIDTHS), 768),
            "n_layers": _slider("layers", _counts(LAYERS), 12),
            "T": _slider("context T (tokens)", _counts(CONTEXTS), 1024),
            "vocab_size": _slider("vocabulary (tokens)", _counts(VOCABULARIES), 50_257),
            "n_experts": _slider(
                "experts a layer",
                [("1 (dense)", 1), *((f"{n} ({USED_EXPERTS} used)", n) for n in EXPERTS)],
                1,
            ),
            "tied_embeddings": _switch("head shares the embedding's weights", True),
        },
        flops_figure,
    )


def _counts(values: tuple[int, ...]) -> list[tuple[str, int]]:
    return [(f"{value:,}", value) for value in values]


# --- a compute budget under several laws ---------------------------------------------------------

BUDGETS = (18.0, 26.0)
"""Powers of ten between which the budget moves."""

NEAR = 1.5
"""A published model is near a budget when its 6ND is within this factor of it."""

LAWS: dict[str, Callable[[object], Allocation]] = {
    # Kaplan's C is C_min; at the critical batch, for which the paper plans, a run costs twice that.
    "Kaplan 2020": lambda C: KAPLAN_2020.optimal(np.asarray(C) / 2),
    "Hoffmann 2022, as printed": HOFFMANN_2022.optimal,
    "Besiroglu 2024": BESIROGLU_2024.optimal,
}
UNROUNDED = {"Hoffmann 2022, unrounded": HOFFMANN_2022_UNROUNDED.optimal}


def near(C: float, factor: float = NEAR) -> list[Model]:
    """Return the published models whose 6·N·D is within ``factor`` of C FLOPs, by that.

    N is the active parameters, which are what a token costs.
    """
    costs = [
        (float(training_flops(model.active_params, model.tokens)), model)
        for model in MODELS.values()
        if model.tokens is not None
    ]
    close = [(cost, model) for cost, model in costs if C / factor <= cost <= C * factor]
    return [model for _, model in sorted(close, key=lambda pair: pair[0])]


def budget_figure(C: float = 1e23, unrounded: bool = False) -> Picture:
    """Draw what each law would train with C FLOPs, beside what people did train.

    With ``unrounded`` the fourth law is Hoffmann et al.'s with the digits that the paper's
    table cut off. Raises ValueError for a budget that is no count of FLOPs.
    """
    laws = LAWS | (UNROUNDED if unrounded else {})
    plans = {name: optimal(C) for name, optimal in laws.items()}
    neighbours = near(C)
    fig, ax = figures.figure(8.5, 5.4)
    figures.nd_plane(
        ax,
        {
            name: optimal(np.geomspace(10 ** BUDGETS[0], 10 ** BUDGETS[1], 25))
            for name, optimal in laws.items()
        },
        title=f"What {human(C)} FLOPs would buy, by law",
        models=MODELS.values(),
        named={model.name for model in neighbours},
        budgets=[C],
        chosen=plans,
        limits=(1e7, 3e13, 1e9, 2e14),
    )
    words = _budget_caption(C, plans, neighbours)
    return Picture(fig, _budget_alt(C, plans), words)


def _budget_alt(C: float, plans: Mapping[str, Allocation]) -> str:
    stars = "; ".join(f"{name} at N = {human(p.N)}, D = {human(p.D)}" for name, p in plans.items())
    return (
        "The plane of parameters N and training tokens D, both logarithmic. Each law is a rising "
        "line of what it calls optimal over budgets; Kaplan's rises least, towards large models "
        f"on few tokens. A dashed line falls where 6ND is {human(C)} FLOPs; a star marks "
        f"where each law meets it: {stars}. Crosses are published models."
    )


def _budget_caption(C: float, plans: Mapping[str, Allocation], neighbours: list[Model]) -> str:
    says = "; ".join(
        f"{name}: {human(plan.N)} parameters on {human(plan.D)} tokens "
        f"({human(plan.tokens_per_param)} tokens per parameter)"
        for name, plan in plans.items()
    )
    trained = ", ".join(
        f"{model.name} ({human(model.active_params)} on {human(model.tokens)})"
        for model in neighbours
    )
    return (
        f"With {human(C)} FLOPs — {says}. Kaplan's N leaves out embeddings. "
        f"Published models within a factor of {NEAR:g}: {trained or 'none'}."
    )


def budget_explorer() -> Explorer:
    """Explore a compute budget under three laws, with published models beside."""
    return Explorer(
        "From which budget on does Kaplan's law want ten times the parameters of Besiroglu's, "
        "and which published models followed it?",
        {
            "C": widgets.FloatLogSlider(
                description="compute C (FLOPs)",
                value=1e23,
                min=BUDGETS[0],
                max=BUDGETS[1],
                step=0.1,
                readout_format=".1e",
                **_WIDE,
            ),
            "unrounded": _switch("also Hoffmann's coefficients before rounding", False),
        },
        budget_figure,
    )


# --- what to train for those who will be served --------------------------------------------------

FITS = {
    "Hoffmann 2022, as printed": HOFFMANN_2022,
    "Hoffmann 2022, unrounded": HOFFMANN_2022_UNROUNDED,
    "Besiroglu 2024": BESIROGLU_2024,
}
AS_GOOD_AS = 30e9, 600e9
"""Parameters and tokens of the model whose loss every candidate has to reach."""

SERVED = (10.0, 14.0)
"""Powers of ten between which the served tokens move."""

CANDIDATES = [PRESETS["llama-3-8b"].scaled(n_layers) for n_layers in range(24, 73, 8)]
MILLISECONDS = (3, 5, 10, 20, 50)
LOADS = (0.03, 0.1, 0.3, 1.0)
SERVING_CHIP, SERVING_RATE = "H100-SXM", 3.0


def serving_figure(served: float = 1e12, milliseconds: float = 10, load: float = 0.3) -> Picture:
    """Draw what training and serving cost together, against size, by three fits.

    Every candidate is as good as ``AS_GOOD_AS`` by the fit in question, and has the proportions
    of Llama 3 8B. A token may take so many milliseconds, and chips serve at the share ``load`` of
    the floor's speed. Raises ValueError, as ``Terms`` does, for numbers that cannot be.
    """
    terms = Terms(SERVING_CHIP, SERVING_RATE, load=load, seconds=milliseconds / 1000)
    N = np.array([model.params() for model in CANDIDATES], dtype=float)
    serving = served / 1e6 * np.array([terms.price(model) for model in CANDIDATES])
    bills = {
        name: serving + terms.training_cost(law, N, law.loss(*AS_GOOD_AS))
        for name, law in FITS.items()
    }
    least = {name: int(np.nanargmin(bill)) for name, bill in bills.items()}
    regrets = np.array([bills[name] / bills[name][best] - 1 for name, best in least.items()])
    worst = np.where(np.isnan(regrets), np.inf, regrets).max(axis=0)
    safe = int(worst.argmin())

    fig, ax = figures.figure(8.5, 4.6)
    figures.lines(
        ax,
        {name: (N, bill / 1e6) for name, bill in bills.items()},
        title=f"{human(served)} served: least regret at {human(N[safe])}",
        x=figures.PARAMS,
        y="training + serving (million dollars)",
        log="x",
    )
    for name, best in least.items():
        ax.plot(N[best], bills[name][best] / 1e6, "*", color="black", markersize=13, zorder=4)
    ax.axvline(N[safe], color=figures.GREY, linestyle=":")
    figures.legend(ax)
    sums = "; ".join(
        f"{name}: {human(N[best])} for {human(bills[name][best] / 1e6)} million dollars"
        for name, best in least.items()
    )
    slow = [human(n) for n, price in zip(N, serving, strict=True) if np.isnan(price)]
    return Picture(
        fig,
        "Million dollars of training and serving against parameters, "
        f"{human(N[0])} to {human(N[-1])}, logarithmic, by three fits. A curve begins at the "
        f"smallest size that can be as good by its fit; stars mark the least: {sums}. A dotted "
        f"line stands at {human(N[safe])}.",
        f"{human(served)} served tokens, one every {milliseconds:g} ms, at {load:.0%} of the "
        f"floor's speed. Least by {sums}. Least to regret: {human(N[safe])}, at most "
        f"{worst[safe]:.0%} above the best. Too slow on {max(terms.replicas)} chips: "
        f"{', '.join(slow) or 'none'}. {SERVING_CHIP} at an assumed {SERVING_RATE:g} dollars an "
        f"hour, {terms.mfu:.0%} MFU in training.",
    )


def serving_explorer() -> Explorer:
    """Explore which size is the cheapest to train and serve, and how sure that is."""
    return Explorer(
        "From how many served tokens on is 8B the size that you regret least, and what do idle "
        "chips change?",
        {
            "served": widgets.FloatLogSlider(
                description="served tokens",
                value=1e12,
                min=SERVED[0],
                max=SERVED[1],
                step=0.25,
                readout_format=".1e",
                **_WIDE,
            ),
            "milliseconds": _slider(
                "a token every (ms)", [(f"{ms}", ms) for ms in MILLISECONDS], 10
            ),
            "load": _slider("share of full speed", [(f"{x:.0%}", x) for x in LOADS], 0.3),
        },
        serving_figure,
    )
