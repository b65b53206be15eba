"""Convolutions and pooling of any geometry equal the QONNX executor, activation by activation."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from exact import assert_exact, assert_integer_onnx_exact, saved

from hwgen.errors import ModelError
from hwgen.graph.ir import Dense, Depthwise, MaxPool, Window, XnorDense
from hwgen.streamline import streamline
from models import Chain

RNG = np.random.default_rng


def image(*shape):
    return Chain(shape).quant(0.11, zero=3.0)


@pytest.mark.parametrize("space", [(13,), (9, 7)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("pads", [(0, 0), (1, 1), (0, 2)])
@pytest.mark.parametrize("group", [1, 2, 4])
def test_convolution(tmp_path, space, stride, dilation, pads, group):
    rng, rank = RNG(len(space)), len(space)
    weights = rng.normal(0, 1, (4, 4 // group, *[3] * rank))
    scale = rng.uniform(0.1, 0.3, (4, *[1] * (rank + 1)))
    model = image(4, *space).conv(
        weights, scale, bias=rng.normal(0, 1, 4), strides=[stride] * rank,
        dilations=[dilation] * rank, pads=[pads[0]] * rank + [pads[1]] * rank, group=group,
    )  # fmt: skip
    model.add("Relu").quant(0.3, signed=0, bits=4)
    path = saved(model, tmp_path, rank + 2)
    graph, _ = assert_exact(path, 20)
    kinds = [type(layer) for layer in graph.layers[:2]]
    assert kinds == [Window, Depthwise if group == 4 else Dense]
    assert_integer_onnx_exact(graph, 20)


def test_pointwise_convolution_needs_no_window(tmp_path):
    model = image(3, 5, 4).conv(RNG(1).normal(0, 1, (6, 3, 1, 1)), 0.2).quant(0.5, bits=5)
    graph, _ = assert_exact(saved(model, tmp_path, 4), 20)
    assert isinstance(graph.layers[0], Dense)


@pytest.mark.parametrize("space", [(1, 1), (2, 1), (1, 4)])
@pytest.mark.parametrize("group", [1, 3])
def test_taps_that_only_see_padding_are_cut(tmp_path, space, group):
    weights = RNG(8).normal(0, 1, (3, 3 // group, 3, 3))
    model = image(3, *space).conv(weights, 0.2, pads=[1] * 4, group=group).quant(0.5, bits=5)
    graph, _ = assert_exact(saved(model, tmp_path, 4), 30)
    assert graph.layers[-2].weights.size < weights.size
    assert_integer_onnx_exact(graph, 10)


def test_flatten_of_channels_first_data_is_in_the_weights(tmp_path):
    rng = RNG(2)
    model = image(2, 6, 5).conv(rng.normal(0, 1, (3, 2, 3, 3)), 0.2).add("Relu")
    model.quant(0.4, signed=0, bits=3).add("Flatten", axis=1)
    model.dense(rng.normal(0, 1, (4, 3 * 4 * 3)), 0.1)
    graph, _ = assert_exact(saved(model, tmp_path), 50)
    assert graph.tensor(graph.output).space == ()
    assert_integer_onnx_exact(graph, 20)


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool", "ReduceMean"])
def test_average_pooling(tmp_path, op):
    rng = RNG(3)
    attributes = {
        "AveragePool": dict(kernel_shape=[2, 3], strides=[2, 1]),
        "GlobalAveragePool": {},
        "ReduceMean": dict(axes=[2, 3], keepdims=0),
    }[op]
    model = image(3, 6, 5).conv(rng.normal(0, 1, (4, 3, 3, 3)), 0.2, pads=[1, 1, 1, 1])
    model.add("Relu").quant(0.25, signed=0, bits=4).add(op, **attributes)
    model.quant(0.25, signed=0, bits=5)
    graph, _ = assert_exact(saved(model, tmp_path, 2 if op == "ReduceMean" else 4), 50)
    assert isinstance(graph.layers[-2], Depthwise)


@pytest.mark.parametrize("pads", [0, 1])
@pytest.mark.parametrize("after", ["nothing", "relu", "negated"])
def test_maximum_pooling(tmp_path, pads, after):
    rng = RNG(7)
    model = image(3, 6, 7).conv(rng.normal(0, 1, (4, 3, 3, 3)), 0.2).quant(0.25, bits=4, zero=2.0)
    model.add("MaxPool", kernel_shape=[3, 2], strides=[1, 2], pads=[pads] * 4)
    if after != "nothing":
        model.add("Relu" if after == "relu" else "Neg").quant(0.5, bits=3)
    model.conv(rng.normal(0, 1, (2, 4, 2, 2)), 0.2).quant(0.5, bits=6)
    graph, _ = assert_exact(saved(model, tmp_path, 4), 50)
    assert any(isinstance(layer, MaxPool) for layer in graph.layers)
    assert_integer_onnx_exact(graph, 20)


def test_bipolar_data_with_padding_has_a_code_for_zero(tmp_path):
    rng = RNG(4)
    model = image(2, 5, 5).conv(rng.normal(0, 1, (4, 2, 3, 3)), 0.2).bipolar()
    model.conv(rng.normal(0, 1, (4, 4, 3, 3)), 0.2, pads=[1, 1, 1, 1]).bipolar()
    model.conv(rng.choice([-1.0, 1.0], (4, 4, 2, 2)), 1.0, bits=2).quant(1.0, bits=6)
    graph, _ = assert_exact(saved(model, tmp_path, 4), 50)
    kinds = [type(layer) for layer in graph.products()]
    assert kinds == [Dense, Dense, XnorDense]


def test_channels_last_file(tmp_path):
    rng, domain = RNG(5), "qonnx.custom_op.channels_last"
    model = Chain((6, 5, 3)).quant(0.11)
    model.conv(rng.normal(0, 1, (3, 3, 3, 1)), 0.2, domain=domain, group=3, kernel_shape=[3, 3],
               strides=[1, 1], dilations=[1, 1], pads=[1, 1, 1, 1]).quant(0.4, bits=6)  # fmt: skip
    model.conv(rng.normal(0, 1, (8, 1, 1, 3)), 0.2, domain=domain, group=1, kernel_shape=[1, 1],
               strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]).quant(0.4, bits=6)  # fmt: skip
    model.shapes = {name: [1, 6, 5, 3] for name in ("t0", "t2", "t3")}
    model.shapes |= {"q_c3": [3, 3, 3, 1], "q_c10": [8, 1, 1, 3]}
    graph, _ = assert_exact(saved(model, tmp_path, 4), 20)
    assert not graph.tensor(graph.input).channels_first


def test_scales_per_channel_reach_a_depthwise_convolution(tmp_path):
    rng = RNG(6)
    scale = rng.uniform(0.05, 0.3, (1, 4, 1, 1))
    model = Chain((4, 6, 6)).quant(scale)
    model.conv(rng.normal(0, 1, (4, 1, 3, 3)), 0.2, group=4, pads=[1] * 4).quant(0.4, bits=6)
    assert_exact(saved(model, tmp_path, 4), 20)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (image(4, 6).conv(np.ones((2, 4, 9)), 0.5).quant(1.0), "does not fit an image of [6]"),
        (image(2, 4, 4, 4).conv(np.ones((2, 2, 1, 1, 1)), 0.5).quant(1.0), "over sequences"),
        (Chain((2, 4, 4)).bipolar().conv(np.ones((2, 2, 3, 3)), 0.5, pads=[1] * 4).quant(1.0),
         "no code of its input stands for (zero point 0.5)"),
        (image(2, 4, 4).add("AveragePool", kernel_shape=[2, 2], pads=[1] * 4).quant(1.0),
         "set count_include_pad"),
        (image(2, 4, 4).conv(np.ones((2, 2, 3, 3)), 0.5).add("Mul", "c_map").quant(1.0),
         "differs between the positions of [2, 2]"),
    ],
)  # fmt: skip
def test_refused_with_node_reason_and_remedy(model, message):
    model.constants.append(
        onnx.numpy_helper.from_array(np.arange(4, dtype=np.float32).reshape(2, 2), "c_map")
    )
    rank = len(model.in_shape) + 1
    with pytest.raises(ModelError) as error:
        streamline(model.model([None] * rank))
    assert message in str(error.value)
