"""The integer graph equals the QONNX executor, activation by activation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exact import assert_exact, saved
from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from hwgen.graph.execute import encode, trace
from hwgen.graph.ir import Dense, Requant, Threshold, XnorDense
from hwgen.graph.stimulus import random_inputs
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import read
from hwgen.streamline.write import integer_qonnx
from models import Chain

ZOO = Path(__file__).parents[3] / "shared" / "zoo"


@pytest.mark.parametrize("name", ["kwsmlp_w3a3", "TFC_1W1A", "TFC_2W2A"])
def test_zoo_networks_trained_by_others(name):
    if not ZOO.is_dir():
        pytest.skip("../shared/zoo is not here")
    graph, ties = assert_exact(ZOO / f"{name}.onnx")
    assert ties == 0
    kind = XnorDense if name == "TFC_1W1A" else Dense
    assert all(isinstance(layer, kind) for layer in graph.products())


@pytest.mark.parametrize("act_scale", [0.25, 0.1])
@pytest.mark.parametrize("weight_scale", ["po2", "float", "per_channel"])
@pytest.mark.parametrize(
    ("bits", "signed", "narrow"), [(1, 0, 0), (3, 0, 0), (4, 1, 1), (8, 0, 0), (8, 1, 0)]
)
def test_scales_widths_and_batch_norm(tmp_path, act_scale, weight_scale, bits, signed, narrow):
    rng = np.random.default_rng(bits + 10 * signed)
    scale = {"po2": 0.125, "float": 0.137, "per_channel": rng.uniform(0.05, 0.3, (7, 1))}[
        weight_scale
    ]
    chain = Chain((12,)).quant(0.5, bits=6)
    chain.dense(rng.normal(0, 0.5, (7, 12)), scale).batch_norm(rng, 7)
    if not signed:
        chain.add("Relu")
    chain.quant(act_scale, bits=bits, signed=signed, narrow=narrow)
    chain.dense(rng.normal(0, 0.5, (5, 7)), 0.2)
    assert_exact(saved(chain, tmp_path))


@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR", "CEIL", "DOWN"])
def test_every_rounding_mode_on_reachable_ties(tmp_path, rounding):
    """Power-of-two scales: half of all accumulators are ties or near them, float32 is exact."""
    weights = np.random.default_rng(3).integers(-3, 4, (6, 8)) * 0.5
    chain = Chain((8,)).quant(0.5, bits=5).dense(weights, 0.5)
    chain.quant(2.0, bits=4, rounding=rounding).dense(weights[:3, :6], 0.5)
    _, ties = assert_exact(saved(chain, tmp_path))
    assert ties == 0


def test_half_to_even_ties_become_a_shift_with_half_even_rounding(tmp_path):
    weights = np.random.default_rng(3).integers(-3, 4, (6, 8)) * 0.5
    chain = Chain((8,)).quant(0.5, bits=8).dense(weights, 0.5)
    chain.quant(2.0, bits=8).dense(weights[:3, :6], 0.5)
    graph, _ = assert_exact(saved(chain, tmp_path))
    requant = graph.layers[1]
    assert isinstance(requant, Requant)
    assert (requant.multiplier == 1).all()
    assert requant.rounding == "half_even"


def test_mid_rise_weights_are_odd_integers_stored_in_k_bits(tmp_path):
    rng = np.random.default_rng(5)
    chain = Chain((9,)).quant(0.5, bits=5)
    chain.dense(rng.uniform(-1, 1, (4, 9)), 0.25, bits=3, zero=-0.5, narrow=0)
    chain.add("Relu").quant(0.5, bits=8, signed=0).dense(
        rng.normal(0, 1, (2, 4)), 1.0, bipolar=True
    )
    graph, _ = assert_exact(saved(chain, tmp_path))
    first, last = graph.products()
    assert (first.odd, first.stored_type.bits) == (True, 3)
    assert (last.odd, last.stored_type.bits) == (True, 1)


def test_zero_points_asymmetric_activations(tmp_path):
    rng = np.random.default_rng(6)
    chain = Chain((10,)).quant(0.1, zero=37.0, bits=8, signed=0)
    chain.dense(rng.normal(0, 1, (6, 10)), 0.3).add("Add", "")
    chain.nodes[-1].input[1] = chain.constant(rng.normal(0, 1, 6))
    chain.quant(0.3, zero=5.0, bits=4, signed=0).dense(rng.normal(0, 1, (3, 6)), 0.3)
    assert_exact(saved(chain, tmp_path))


def test_negative_gains_flip_rows_and_stay_exact(tmp_path):
    rng = np.random.default_rng(7)
    chain = Chain((8,)).bipolar().dense(rng.normal(0, 1, (6, 8)), 1.0, bipolar=True)
    chain.add("Mul", chain.constant(np.where(np.arange(6) % 2, -0.7, 0.4))).add("Neg")
    chain.add("Sub", chain.constant(0.3), first=False).bipolar(0.5)
    chain.dense(rng.normal(0, 1, (3, 6)), 0.7, bipolar=True)
    graph, _ = assert_exact(saved(chain, tmp_path))
    assert all(isinstance(layer, XnorDense) for layer in graph.products())


def test_gemm_bias_clip_div_and_a_second_quantizer(tmp_path):
    rng = np.random.default_rng(8)
    chain = Chain((2, 4)).add("Flatten", axis=1).quant(0.25, bits=8)
    weights = chain.constant(rng.integers(-7, 8, (5, 8)).astype(np.float32))
    chain.add("Gemm", weights, chain.constant(rng.normal(0, 1, 5)), transB=1)
    chain.add("Div", chain.constant(3.0)).add("Clip", chain.constant(-1.0), chain.constant(1.0))
    chain.quant(0.0625, bits=5).quant(0.25, bits=3).dense(rng.normal(0, 1, (3, 5)), 0.3)
    assert_exact(saved(chain, tmp_path))


def test_affine_ops_after_the_last_quantizer_only_change_the_meaning(tmp_path):
    rng = np.random.default_rng(9)
    chain = Chain((6,)).quant(0.25, bits=8).dense(rng.normal(0, 1, (4, 6)), 0.3)
    chain.quant(0.5, bits=4).add("Mul", chain.constant(2.5)).add("Add", chain.constant(-1.25))
    chain.dense(rng.normal(0, 1, (3, 4)), 0.3).batch_norm(rng, 3)
    assert_exact(saved(chain, tmp_path))


def test_eight_bit_outputs_take_multiply_add_shift_three_bit_ones_thresholds(tmp_path):
    rng = np.random.default_rng(10)
    chain = Chain((16,)).quant(0.5, bits=8).dense(rng.normal(0, 0.5, (96, 16)), 0.1)
    chain.batch_norm(rng, 96).add("Relu").quant(0.11, bits=8, signed=0)
    chain.dense(rng.normal(0, 0.5, (8, 96)), 0.1).add("Relu").quant(0.9, bits=3, signed=0)
    chain.dense(rng.normal(0, 0.5, (3, 8)), 0.1)
    graph, _ = assert_exact(saved(chain, tmp_path))
    assert [type(layer) for layer in graph.layers[1:4:2]] == [Requant, Threshold]


def test_the_integer_file_runs_in_the_executor(tmp_path):
    rng = np.random.default_rng(11)
    chain = Chain((16,)).quant(0.5, bits=8).dense(rng.normal(0, 0.5, (8, 16)), 0.1)
    chain.batch_norm(rng, 8).add("Relu").quant(0.11, bits=8, signed=0)
    chain.dense(rng.normal(0, 0.5, (4, 8)), 0.1).bipolar().dense(
        rng.normal(0, 1, (4, 4)), 1.0, bipolar=True
    )
    source = read(chain.model())
    graph = lower(source, split(source))
    integer = ModelWrapper(integer_qonnx(graph))
    x = encode(graph, random_inputs(graph, 20, seed=1))
    expected = trace(graph, x)[graph.output]
    for row, want in zip(x, expected, strict=True):
        feed = {graph.input: row[None].astype(np.float32)}
        np.testing.assert_array_equal(execute_onnx(integer, feed)[graph.output][0], want)


@pytest.mark.parametrize("rounding", ["FLOOR", "CEIL", "DOWN"])
def test_float_scales_whose_levels_are_whole_numbers_tie_in_float32(tmp_path, rounding):
    weights = np.random.default_rng(8).normal(0, 1, (5, 8))
    chain = Chain((8,)).quant(0.1, bits=6).dense(weights, 0.3)
    chain.quant(0.09, bits=6, rounding=rounding).dense(weights[:3, :5], 0.3)  # 0.1 * 0.3 / 0.09
    _, ties = assert_exact(saved(chain, tmp_path))
    assert ties > 0


def test_a_transposition_of_data_is_in_the_weights(tmp_path):
    weights = np.random.default_rng(14).normal(0, 1, (5, 12))
    chain = Chain((3, 4)).quant(0.1, bits=6).add("Transpose", perm=[0, 2, 1])
    chain.add("Flatten", axis=1).dense(weights, 0.3)
    assert_exact(saved(chain, tmp_path))


def test_two_quantizers_in_a_row(tmp_path):
    weights = np.random.default_rng(9).normal(0, 1, (5, 8))
    chain = Chain((8,)).quant(0.1, bits=6).dense(weights, 0.3).quant(0.2, bits=6)
    chain.quant(0.3, bits=4).dense(weights[:3, :5], 0.3)
    assert_exact(saved(chain, tmp_path))


def test_a_negative_factor_between_quantizer_and_product(tmp_path):
    rng = np.random.default_rng(10)
    chain = Chain((8,)).quant(0.5, bits=6).add("Neg").dense(rng.normal(0, 1, (5, 8)), 0.3)
    chain.quant(0.4, bits=4).add("Mul", chain.constant(-2.0)).dense(rng.normal(0, 1, (4, 5)), 0.3)
    chain.add("Relu").quant(0.7, bits=4, signed=0).dense(rng.normal(0, 1, (3, 4)), 0.3)
    assert_exact(saved(chain, tmp_path))


@pytest.mark.parametrize("offset", [-1e4, 1e4])
def test_a_layer_whose_output_is_constant(tmp_path, offset):
    rng = np.random.default_rng(11)
    chain = Chain((8,)).quant(0.5, bits=6).dense(rng.normal(0, 1, (5, 8)), 0.3)
    chain.add("Add", chain.constant(np.full(5, offset))).add("Relu").quant(0.4, bits=4, signed=0)
    graph, _ = assert_exact(saved(chain.dense(rng.normal(0, 1, (3, 5)), 0.3), tmp_path))
    assert graph.layers[1].thresholds.shape == (5, 1)


def test_a_bias_quantizer_of_32_bits(tmp_path):
    rng = np.random.default_rng(12)
    chain = Chain((8,)).quant(0.5, bits=6).dense(rng.normal(0, 1, (5, 8)), 0.3)
    bias = [chain.constant(v) for v in (rng.normal(0, 1, 5), 0.15, 0.0, 32.0)]
    attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
    chain.nodes.append(
        helper.make_node("Quant", bias, ["bias"], domain="qonnx.custom_op.general", **attributes)
    )
    chain.add("Add", "bias").quant(0.4, bits=4).dense(rng.normal(0, 1, (3, 5)), 0.3)
    assert_exact(saved(chain, tmp_path))


def test_gemm_with_alpha_and_beta(tmp_path):
    rng = np.random.default_rng(13)
    chain = Chain((8,)).quant(0.5, bits=6)
    matrix, bias = rng.integers(-3, 4, (5, 8)), rng.normal(0, 1, 5)
    chain.add("Gemm", chain.constant(matrix), chain.constant(bias), alpha=0.25, beta=2.0, transB=1)
    assert_exact(saved(chain.quant(0.4, bits=4).dense(rng.normal(0, 1, (3, 5)), 0.3), tmp_path))
