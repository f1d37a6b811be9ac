"""Parameters, FLOPs and memory of a configuration, against published and independent counts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.lab.flops import count_flops
from course_utils.lab.transformer import CountedTransformer
from course_utils.transformer import PRESETS, Transformer

# --- published counts ------------------------------------------------------------------------

# The number of elements in the released weights; two-digit names are what people say instead.
RELEASED = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-72b": 72_706_203_648,
    "pythia-70m": 70_426_624,
    "pythia-160m": 162_322_944,
    "pythia-410m": 405_334_016,
    "pythia-1b": 1_011_781_632,
    "pythia-1.4b": 1_414_647_808,
    "pythia-2.8b": 2_775_208_960,
    "pythia-6.9b": 6_857_302_016,
    "pythia-12b": 11_846_072_320,
}
# Printed by the papers to the digits given here; their weights were never released.
PRINTED = {"gpt3-175b": (174.6e9, 0.05e9), "gopher": (280e9, 0.5e9), "chinchilla": (70e9, 0.5e9)}


@pytest.mark.parametrize("name", RELEASED)
def test_parameters_equal_the_released_weights(name):
    assert PRESETS[name].params() == RELEASED[name]


@pytest.mark.parametrize("name", PRINTED)
def test_parameters_round_to_what_the_papers_print(name):
    printed, half_a_digit = PRINTED[name]
    assert PRESETS[name].params() == pytest.approx(printed, abs=half_a_digit)


def test_every_preset_has_its_name_a_source_and_a_tested_count():
    assert set(PRESETS) == set(RELEASED) | set(PRINTED)
    for name, model in PRESETS.items():
        assert model.name == name
        assert len(model.source) > 20


def test_a_mixture_of_experts_uses_a_part_of_its_parameters():
    mixtral = PRESETS["mixtral-8x7b"]
    assert mixtral.active_params() == 12_879_925_248
    assert mixtral.breakdown()["router"].params == 32 * 4096 * 8
    for name in set(PRESETS) - {"mixtral-8x7b"}:
        assert PRESETS[name].active_params() == PRESETS[name].params()


def test_non_embedding_parameters():
    # Pythia's README prints total and non-embedding parameters; its head is not tied.
    assert PRESETS["pythia-70m"].non_embedding_params() == 18_915_328
    gpt2 = PRESETS["gpt2"]
    assert gpt2.non_embedding_params() == 124_439_808 - 50257 * 768 - 1024 * 768


# --- FLOPs -----------------------------------------------------------------------------------


def test_gpt2_per_1024_tokens():
    # nanoGPT's sizing notebook counts the same matrix products: forward and total.
    gpt2 = PRESETS["gpt2"]
    assert 1024 * gpt2.forward_flops_per_token(1024) == 291_648_307_200
    assert 1024 * gpt2.train_flops_per_token(1024) == 874_944_921_600


@pytest.mark.parametrize(
    ("name", "T", "flops", "to_six_n"),
    [  # computed independently in float64: 6·N_matmul + 12·L·T·d_attn
        ("gpt2", 1024, 854_438_400, 1.14438),
        ("llama-2-7b", 4096, 46_084_915_200, 1.13986),
    ],
)
def test_training_flops_per_token(name, T, flops, to_six_n):
    model = PRESETS[name]
    assert model.train_flops_per_token(T) == flops
    assert model.train_flops_per_token() == flops  # T is the model's own context
    assert 1 / model.six_nd_ratio(T) == pytest.approx(to_six_n, abs=5e-6)


@pytest.mark.parametrize("name", ["gpt2", "llama-3-70b", "mixtral-8x7b", "qwen2.5-7b"])
def test_training_is_six_per_weight_and_twelve_per_pair(name):
    m = PRESETS[name]
    attention = 12 * m.n_layers * 1000 * m.n_heads * m.d_head
    assert m.train_flops_per_token(1000) == 6 * m.matmul_params() + attention
    assert m.train_flops_per_token(1000, causal=True) == 6 * m.matmul_params() + attention // 2


def small(**changes) -> Transformer:
    """A network of matrices alone, as a NumPy counter sees it: 12·L·d² in its blocks."""
    sizes = {"n_layers": 2, "d_model": 64, "n_heads": 4, "vocab_size": 8192, "context": 64}
    return Transformer(**{**sizes, "biases": False, "norm": "none", **changes})


@pytest.mark.parametrize(
    ("changes", "count", "ratio"),
    [  # measured by counting the products of a small network as it runs forward and backward
        ({"d_model": 32, "vocab_size": 97, "context": 1024}, "non_embedding", 0.155),
        ({"tied_embeddings": False}, "total", 1.801),
        ({"tied_embeddings": True}, "total", 0.98),
        ({"tied_embeddings": False, "context": 128}, "total", 1.76),
    ],
)
def test_where_six_nd_fails(changes, count, ratio):
    digits = 0.0005 if ratio != round(ratio, 2) else 0.005
    assert small(**changes).six_nd_ratio(count=count) == pytest.approx(ratio, abs=digits)


def test_six_nd_on_a_mixture_counts_experts_that_did_not_run():
    mixtral = PRESETS["mixtral-8x7b"]
    total, active = mixtral.six_nd_ratio(2048), mixtral.six_nd_ratio(2048, count="active")
    assert total / active == pytest.approx(46_702_792_704 / 12_879_925_248)
    assert total > 3 and 0.9 < active < 1


def test_decoding_attention_overtakes_the_weights_in_a_long_context():
    # Llama-3-8B, attention over 2N: 428 % at 131,072 tokens and 27 % at 8,192.
    model = PRESETS["llama-3-8b"]
    share = [
        model.breakdown(T)["attention scores"].forward_flops / (2 * model.params())
        for T in (131_072, 8_192)
    ]
    assert share == pytest.approx([4.28, 0.267], abs=0.005)


def test_the_count_equals_the_products_of_a_network_that_runs():
    sizes = {"n_layers": 2, "d_model": 24, "n_heads": 3, "vocab_size": 50, "context": 16}
    text = np.arange(4 * 17).reshape(4, 17) % 50
    for tied in (True, False):
        network = CountedTransformer(**sizes, tied=tied)
        with count_flops() as counter:
            network.loss_and_grad(text[:, :-1], text[:, 1:])
        model = small(**sizes, tied_embeddings=tied)
        assert network.n_params == model.params()
        assert counter.forward == 4 * 16 * model.forward_flops_per_token()
        assert counter.total == 4 * 16 * model.train_flops_per_token()


# Hoffmann et al. 2022: names and ratios of Table A4, and the rows (d_model, ffw, kv, heads,
# layers) of Table A9 that they name. Vocabulary 32,000, sequences of 2,048 tokens.
TABLE_A4 = [
    ("73M", 640, 2560, 64, 10, 10, 1.025),
    ("305M", 1024, 4096, 64, 16, 20, 1.101),
    ("552M", 1280, 5120, 128, 10, 24, 1.083),
    ("1.1B", 1792, 7168, 128, 14, 26, 1.044),
    ("1.6B", 2048, 8192, 128, 16, 28, 1.033),
    ("6.8B", 3584, 14336, 128, 28, 40, 0.994),
]


def chinchilla_family(d_model, d_ff, head_dim, n_heads, n_layers) -> Transformer:
    return Transformer(
        n_layers,
        d_model,
        n_heads,
        head_dim=head_dim,
        d_ff=d_ff,
        vocab_size=32000,
        context=2048,
        learned_positions=False,
        relative_positions=True,
    )


@pytest.mark.parametrize(("name", "d", "ffw", "kv", "heads", "layers", "ratio"), TABLE_A4)
def test_hoffmanns_table_of_their_count_over_6nd(name, d, ffw, kv, heads, layers, ratio):
    model = chinchilla_family(d, ffw, kv, heads, layers)
    counted = model.hoffmann_flops_per_token(vocabulary=False)
    assert counted / (6 * model.params()) == pytest.approx(ratio, abs=0.0005)


def test_hoffmanns_terms_for_chinchilla():
    # The listed terms give 5.64e23 FLOPs for 1.4T tokens, 5.68e23 with embedding and logits.
    chinchilla = PRESETS["chinchilla"]
    blocks = 1.4e12 * chinchilla.hoffmann_flops_per_token(vocabulary=False)
    assert blocks == pytest.approx(5.64e23, rel=1e-3)
    assert 1.4e12 * chinchilla.hoffmann_flops_per_token() == pytest.approx(5.68e23, rel=1e-3)


@pytest.mark.parametrize("name", ["llama-2-7b", "llama-3-8b", "mixtral-8x7b"])
def test_hoffmanns_count_is_refused_for_other_designs(name):
    with pytest.raises(ValueError, match=r"Appendix F.*train_flops_per_token"):
        PRESETS[name].hoffmann_flops_per_token()


def test_all_models_of_the_chinchilla_paper_have_their_printed_size():
    table = Path(__file__).parents[2] / "shared" / "data" / "chinchilla_table_a9_models.csv"
    if not table.exists():
        pytest.skip("the table of Hoffmann et al.'s models is not beside this checkout")
    with table.open(encoding="utf-8") as file:
        rows = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 50
    errors = [
        chinchilla_family(
            row["d_model"], row["ffw_size"], row["kv_size"], row["n_heads"], row["n_layers"]
        ).params()
        / row["params"]
        - 1
        for row in rows
    ]
    # Printed in whole millions, of 44 and more.
    assert np.max(np.abs(errors)) < 0.01
    assert np.median(np.abs(errors)) < 0.001


# --- memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "per_token"),
    [("gpt2", 36_864), ("llama-2-7b", 524_288), ("llama-3-8b", 131_072), ("mistral-7b", 131_072)],
)
def test_kv_cache(name, per_token):
    assert PRESETS[name].kv_bytes_per_token() == per_token
    assert PRESETS[name].kv_bytes_per_token(bytes_per_value=1) == per_token // 2
    assert PRESETS[name].kv_bytes_per_token(0.5) == per_token // 4


def test_kv_cache_reads_the_heads_own_width():
    # A head's width need not be d_model / n_heads.
    assert small(head_dim=32, n_kv_heads=2).kv_bytes_per_token() == 2 * 2 * 2 * 32 * 2


def test_training_memory():
    # Computed independently: 16 bytes a parameter for Llama-2-7B are 107.81 GB.
    model = PRESETS["llama-2-7b"]
    assert [each / model.params() for each in model.training_memory().values()] == [2, 2, 4, 4, 4]
    assert model.training_bytes() == pytest.approx(107.81e9, abs=0.005e9)
    assert model.training_bytes(fp32_gradients=True) == 18 * model.params()
    assert "gradients, fp32" in model.training_memory(fp32_gradients=True)


def test_activation_memory():
    # Korthikanti et al.'s formula for GPT-3, one sequence of 2,048: 275.4 GB.
    gpt3 = PRESETS["gpt3-175b"]
    assert gpt3.activation_bytes() == pytest.approx(275.4e9, abs=0.05e9)
    assert gpt3.activation_bytes(batch=4) == 4 * gpt3.activation_bytes()
    with pytest.raises(ValueError, match=r"batch = 0 .*sequences"):
        gpt3.activation_bytes(batch=0)


# --- the breakdown ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_totals_are_the_sums_of_the_breakdown(name):
    model = PRESETS[name]
    rows = model.breakdown(512)
    assert sum(row.params for row in rows) == model.params()
    assert sum(row.active_params for row in rows) == model.active_params()
    assert sum(row.forward_flops for row in rows) == model.forward_flops_per_token(512)
    assert 3 * rows.forward_flops == model.train_flops_per_token(512)


def test_where_the_parameters_of_gpt2_are():
    d, rows = 768, PRESETS["gpt2"].breakdown()
    assert {row.name: row.params for row in rows} == {
        "embedding": 50257 * d,
        "positions": 1024 * d,
        "attention projections": 12 * (4 * d * d + 4 * d),
        "attention scores": 0,
        "mlp": 12 * (8 * d * d + 5 * d),
        "router": 0,
        "norms": 25 * 2 * d,
        "head": 0,
    }
    # A look-up is no product, and a tied head multiplies without storing anything.
    assert rows["embedding"].forward_flops == 0
    assert rows["head"].forward_flops == 2 * 50257 * d


def test_the_breakdown_shows_itself_as_a_table():
    dense, sparse = PRESETS["gpt2"].breakdown(), PRESETS["mixtral-8x7b"].breakdown()
    for line in ("gpt2, T = 1,024", "124,439,808", "284,812,800"):
        assert line in str(dense) and line in dense._repr_html_()
    assert "used per token" in str(sparse) and "12,879,925,248" in sparse._repr_html_()
    assert "used per token" not in str(dense)
    assert dense._repr_html_().count('<th scope="row">') == len(dense.components) + 1
    with pytest.raises(KeyError, match=r"mlp.*head"):
        dense["ffn"]


def test_a_model_says_its_size():
    assert str(PRESETS["llama-2-7b"]) == "llama-2-7b: 6.74B parameters"
    assert str(PRESETS["mixtral-8x7b"]).endswith("46.7B parameters, 12.9B used per token")


# --- laws ------------------------------------------------------------------------------------


@st.composite
def configurations(draw) -> Transformer:
    kv_heads, group = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    experts = draw(st.integers(1, 8))
    return Transformer(
        n_layers=draw(st.integers(1, 20)),
        d_model=draw(st.integers(1, 40)) * 8,
        n_heads=kv_heads * group,
        head_dim=draw(st.integers(1, 64)),
        n_kv_heads=kv_heads,
        vocab_size=draw(st.integers(2, 50_000)),
        context=draw(st.integers(1, 5_000)),
        d_ff=draw(st.none() | st.integers(1, 2_000)),
        gated_mlp=draw(st.booleans()),
        tied_embeddings=draw(st.booleans()),
        learned_positions=draw(st.booleans()),
        relative_positions=draw(st.booleans()),
        biases=draw(st.booleans()),
        qkv_biases=draw(st.none() | st.booleans()),
        norm=draw(st.sampled_from(["layernorm", "rmsnorm", "none"])),
        n_experts=experts,
        n_active_experts=draw(st.integers(1, experts)),
    )


@given(configurations(), st.integers(1, 50), st.integers(1, 50))
def test_parameters_are_additive_in_layers(model, one, two):
    def params(layers):
        return replace(model, n_layers=layers).params()

    assert params(one + two) - params(one) == params(one + 2 * two) - params(one + two)
    assert params(one + two) > params(one)


@given(configurations(), st.integers(1, 6))
def test_kv_cache_is_linear(model, factor):
    once = model.kv_bytes_per_token()
    assert replace(model, n_layers=factor * model.n_layers).kv_bytes_per_token() == factor * once
    assert model.kv_bytes_per_token(factor) * 2 == factor * once
    full = replace(model, n_kv_heads=None)
    assert full.kv_bytes_per_token() * model.kv_heads == once * model.n_heads


@given(configurations(), st.integers(1, 100_000))
def test_training_is_three_forward_passes_and_causality_halves_attention(model, T):
    dense, causal = model.forward_flops_per_token(T), model.forward_flops_per_token(T, causal=True)
    assert model.train_flops_per_token(T) == 3 * dense
    assert dense - causal == model.breakdown(T)["attention scores"].forward_flops / 2
    assert 2 * model.matmul_params() + 2 * (dense - causal) == dense


@given(configurations())
def test_counts_are_ordered(model):
    assert model.active_params() <= model.params()
    assert model.non_embedding_params() < model.params()
    assert replace(model, n_active_experts=model.n_experts).active_params() == model.params()


@given(st.integers(1, 24), st.integers(1, 32))
def test_blocks_of_matrices_alone_are_kaplans_12_l_d_squared(layers, heads):
    # Kaplan et al. 2020, equation 2.1.
    model = small(n_layers=layers, n_heads=heads, d_model=16 * heads)
    assert model.non_embedding_params() == 12 * layers * (16 * heads) ** 2


def test_six_nd_becomes_exact_as_the_width_grows():
    ratios = [
        small(d_model=d, n_layers=12, context=2048, vocab_size=32000).six_nd_ratio()
        for d in (64, 256, 1024, 4096, 16384, 65536, 262144)
    ]
    errors = np.abs(np.array(ratios) - 1)
    assert (np.diff(errors) < 0).all()
    assert errors[-1] < 2e-3


def test_contexts_may_be_an_array():
    contexts = np.array([128, 1024, 8192])
    model = PRESETS["gpt2"]
    one_by_one = [model.train_flops_per_token(int(T)) for T in contexts]
    assert model.train_flops_per_token(contexts).tolist() == one_by_one
    assert np.all(np.diff(model.six_nd_ratio(contexts)) < 0)
    with pytest.raises(ValueError, match="one context length"):
        model.breakdown(contexts)


def test_sizes_that_follow_from_others_follow_when_those_change():
    wider = replace(PRESETS["gpt2"], d_model=1536)
    assert (wider.d_mlp, wider.d_head, wider.kv_heads) == (4 * 1536, 128, 12)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_heads": 5}, r"d_model = 64 cannot be divided among n_heads = 5.*head_dim"),
        ({"n_kv_heads": 3}, r"n_kv_heads = 3 does not divide n_heads = 4.*choose one of 1, 2, 4"),
        ({"n_kv_heads": 8}, r"n_kv_heads = 8 does not divide"),
        ({"vocab_size": 50.257}, r"vocab_size = 50\.257 .*whole number, the raw count"),
        ({"n_layers": 0}, r"n_layers = 0 .*positive whole number"),
        ({"context": -1}, r"context = -1 "),
        ({"d_model": float("nan")}, r"d_model = nan "),
        ({"d_ff": float("inf")}, r"d_ff = inf "),
        ({"n_layers": "12"}, r"n_layers = '12' "),
        ({"n_layers": True}, r"n_layers = True "),
        ({"n_active_experts": 2}, r"n_active_experts = 2 is more than n_experts = 1"),
        ({"norm": "batchnorm"}, r"norm = 'batchnorm' .*layernorm, rmsnorm, none"),
    ],
)
def test_a_wrong_configuration_is_told_in_a_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_a_scaled_model_keeps_its_proportions():
    model = PRESETS["llama-3-8b"]
    assert model.scaled(model.n_layers) == model
    double = model.scaled(2 * model.n_layers)
    assert (double.d_model, double.n_heads, double.d_ff) == (8192, 64, 28672)
    assert (double.kv_heads, double.d_head) == (model.kv_heads, model.d_head)
    assert double.vocab_size == model.vocab_size
    blocks = double.breakdown()["mlp"].params / model.breakdown()["mlp"].params
    assert blocks == 8  # as the cube: layers, and both sides of every matrix


@pytest.mark.parametrize("n_layers", [0, 1.5, 33, 12])
def test_a_model_that_cannot_be_scaled_so_is_refused(n_layers):
    with pytest.raises(ValueError, match=r"n_layers|n_kv_heads"):
        PRESETS["llama-3-8b"].scaled(n_layers)


def test_whole_numbers_of_any_kind_are_taken():
    assert small(d_model=64.0, n_layers=np.int64(2)) == small()
    assert isinstance(small(d_model=64.0).params(), int)


def test_wrong_arguments_are_told_in_a_sentence():
    model = PRESETS["gpt2"]
    with pytest.raises(ValueError, match=r"T = 0 .*context length in tokens"):
        model.train_flops_per_token(0)
    with pytest.raises(ValueError, match=r"count = 'blocks' .*total, active"):
        model.six_nd_ratio(count="blocks")
    with pytest.raises(ValueError, match=r"bytes_per_value = 16 looks like bits"):
        model.kv_bytes_per_token(16)
    with pytest.raises(KeyError, match=r"llama2-7b.*llama-2-7b"):
        PRESETS["llama2-7b"]
