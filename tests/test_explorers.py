"""The explorers: every control moves picture and words, and every corner of them draws."""

import html
import itertools
import re

import ipywidgets as widgets
import numpy as np
import pytest

from course_utils import explorers
from course_utils.facts import MODELS
from course_utils.laws import BESIROGLU_2024, HOFFMANN_2022, KAPLAN_2020, training_flops
from course_utils.quantities import human

EXPLORERS = {
    "flops": explorers.flops_explorer,
    "budget": explorers.budget_explorer,
    "serving": explorers.serving_explorer,
}


@pytest.fixture(params=EXPLORERS)
def explorer(request):
    return EXPLORERS[request.param]()


def other_value(control):
    if isinstance(control, widgets.Checkbox):
        return not control.value
    if isinstance(control, widgets.FloatLogSlider):
        return control.value * 10
    values = [option[1] for option in control.options]
    return values[(values.index(control.value) + 1) % len(values)]


def test_every_control_moves_picture_and_words(explorer):
    for name, control in explorer.controls.items():
        picture, words = bytes(explorer.image.value), explorer.caption.value
        control.value = other_value(control)
        assert bytes(explorer.image.value) != picture, name
        if name != "tied_embeddings":  # counts of a tied and an untied head are told apart below
            assert explorer.caption.value != words, name


def test_one_can_read_and_reach_everything(explorer):
    assert explorer.question.endswith("?")
    assert explorer.question in html.unescape(explorer.children[0].value)
    for control in explorer.controls.values():
        assert control.description
        assert control.tabbable is not False and not control.disabled
        assert control in explorer.children
    assert 'aria-live="polite"' in explorer.caption.value
    assert explorer.image.layout.max_width == "100%"


def test_without_a_kernel_there_is_a_picture_with_its_words(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert re.search(
        r'<img src="data:image/png;base64,[^"]+"\nalt="[^"]{100,}"', bundle["text/html"]
    )
    assert bundle["text/plain"].startswith(explorer.question)
    assert explorer.picture().caption in bundle["text/plain"]


def test_a_stored_explorer_does_not_change_from_run_to_run():
    for make in EXPLORERS.values():
        first, second = make()._repr_mimebundle_(), make()._repr_mimebundle_()
        assert first["text/html"] == second["text/html"]
        assert first["text/plain"] == second["text/plain"]


# --- the FLOPs of a configuration ----------------------------------------------------------------


def ends(control):
    if isinstance(control, widgets.Checkbox):
        return False, True
    if isinstance(control, widgets.FloatLogSlider):
        return control.base**control.min, control.base**control.max
    return control.options[0][1], control.options[-1][1]


@pytest.mark.parametrize(
    ("draw", "make"),
    [
        (explorers.flops_figure, explorers.flops_explorer),
        (explorers.budget_figure, explorers.budget_explorer),
        (explorers.serving_figure, explorers.serving_explorer),
    ],
)
def test_every_corner_of_the_controls_draws(draw, make):
    controls = make().controls
    for values in itertools.product(*map(ends, controls.values())):
        picture = draw(**dict(zip(controls, values, strict=True)))
        assert "nan" not in picture.caption and "inf" not in picture.caption
        for ax in picture.fig.axes:
            assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


def test_a_long_context_leaves_six_nd_a_sixth_of_the_count():
    # Width 32, two layers, 97 symbols, context 1024: 6N of the blocks is 147,456; counted are
    # 6·(24,576 + 97·32) + 12·2·1024·32 = 952,512 FLOPs per token.
    caption = explorers.flops_figure(d_model=32, n_layers=2, T=1024, vocab_size=97).caption
    assert "costs 953k FLOPs at T = 1,024" in caption
    assert "blocks only (Kaplan) 147k, 0.15 of the count" in caption


def test_an_untied_head_is_counted_twice_by_all_parameters():
    tied, untied = (
        explorers.flops_figure(d_model=64, n_layers=2, T=64, vocab_size=8192, tied_embeddings=each)
        for each in (True, False)
    )
    # 6·(2·8192·64 + 98,304) over 6·(8192·64 + 98,304) + 12·2·64·64 is 1.79.
    assert "all parameters 6.88M, 1.79 of the count" in untied.caption
    assert "all parameters 3.74M, 0.97 of the count" in tied.caption
    assert re.search(r"costs \S+ FLOPs", tied.caption)[0] in untied.caption


def test_experts_that_sleep_are_no_flops():
    caption = explorers.flops_figure(d_model=4096, n_layers=32, T=64, n_experts=64).caption
    used, stored = re.search(r"uses (\S+)B of (\S+)B parameters", caption).groups()
    assert float(stored) / float(used) > 10
    assert float(re.search(r"all parameters \S+ ([\d.]+) of the count", caption)[1]) > 10


# --- a budget under three laws --------------------------------------------------------------------


def test_the_caption_gives_each_laws_plan():
    C = 5.76e23
    caption = explorers.budget_figure(C).caption
    for name, plan in (
        ("Kaplan 2020", KAPLAN_2020.optimal(C / 2)),
        ("Hoffmann 2022, as printed", HOFFMANN_2022.optimal(C)),
        ("Besiroglu 2024", BESIROGLU_2024.optimal(C)),
    ):
        assert f"{name}: {human(plan.N)} parameters on {human(plan.D)} tokens" in caption
    assert "Chinchilla (70B on 1.4T)" in caption
    assert "unrounded" not in caption
    assert "Hoffmann 2022, unrounded: 40.4B" in explorers.budget_figure(C, unrounded=True).caption


def test_each_law_about_spends_the_budget():
    for C in (1e18, 1e22, 1e26):
        for name, optimal in (explorers.LAWS | explorers.UNROUNDED).items():
            plan = optimal(C)
            assert 0.8 < training_flops(plan.N, plan.D) / C < 1.25, name


def test_near_finds_the_models_within_a_factor():
    C = 5.76e23
    close = explorers.near(C, 2)
    assert {"Gopher", "Chinchilla"} <= {model.name for model in close}
    for model in MODELS.values():
        if model.tokens is None:
            assert model not in close
            continue
        cost = training_flops(model.active_params, model.tokens)
        assert (model in close) == (C / 2 <= cost <= 2 * C), model.name
    costs = [training_flops(model.active_params, model.tokens) for model in close]
    assert costs == sorted(costs)


def test_a_budget_without_neighbours_says_so():
    assert explorers.near(1e18) == []
    assert explorers.budget_figure(1e18).caption.endswith("none.")


# --- what to train for those who will be served --------------------------------------------------


def test_the_caption_gives_each_fits_least_bill():
    # Million dollars, training alone computed independently: .22 and .28 at 8.03B, .29 at 14.8B;
    # serving 1T tokens adds .47 and .63 a million.
    caption = explorers.serving_figure(1e12).caption
    assert "as printed: 8.03B for 0.696 million" in caption
    assert "unrounded: 8.03B for 0.755 million" in caption
    assert "Besiroglu 2024: 14.8B for 0.92 million" in caption
    assert (
        "Least to regret: 14.8B, at most 18% above the best. Too slow on 8 chips: none." in caption
    )


def test_idle_chips_count_like_more_tokens():
    bills = [
        re.search(r"Least by (.*) Too slow", explorers.serving_figure(served, load=load).caption)[1]
        for served, load in ((1e13, 0.3), (1e12, 0.03))
    ]
    assert bills[0] == bills[1]


def test_more_demand_never_asks_for_a_larger_model():
    for name in explorers.FITS:
        sizes = [
            float(re.search(rf"{name}: ([\d.]+)B", explorers.serving_figure(served).caption)[1])
            for served in (1e10, 1e11, 1e12, 1e13, 1e14)
        ]
        assert sizes == sorted(sizes, reverse=True)


def test_models_that_cannot_be_fast_enough_are_named():
    # In 3 ms eight H100s read 80.4 GB, which is 40.2 billion weights in 16 bits.
    assert "Too slow on 8 chips: 56.9B" in explorers.serving_figure(milliseconds=3).caption
