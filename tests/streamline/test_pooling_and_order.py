"""Means that lie on the grid, and what reshapes do to reductions over an image."""

from __future__ import annotations

import numpy as np
import pytest
from exact import assert_exact, saved

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.execute import decode, encode, run
from hwgen.qonnx_executor import execute_qonnx
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import read
from models import Chain

WEIGHTS = np.random.default_rng(0).integers(-3, 4, (4, 3, 2, 2)) * 0.25


def _image(shape=(3, 4, 5)) -> Chain:
    return Chain(shape).quant(0.25, bits=4)


def _convolved() -> Chain:
    return _image().conv(WEIGHTS, 0.25).quant(0.5, bits=4)  # (1, 4, 3, 4)


def _lowered(chain: Chain, rank: int):
    source = read(chain.model([None] * rank))
    return lower(source, split(source))


@pytest.mark.parametrize("taps", [3, 7, 10, 25, 49])
@pytest.mark.parametrize("op", ["GlobalAveragePool", "AveragePool", "ReduceMean"])
def test_mean_of_equal_values_is_the_value(op, taps):
    given = {"AveragePool": {"kernel_shape": [taps]}, "ReduceMean": {"axes": [2]}}.get(op, {})
    graph = _lowered(
        _image((2, taps)).add(op, **given).quant(0.25, bits=6, rounding="FLOOR"), rank=3
    )
    values = np.arange(-8, 8) * 0.25
    x = np.broadcast_to(values[:, None, None], (16, 2, taps))
    y = decode(graph, run(graph, encode(graph, x)))
    np.testing.assert_array_equal(y.reshape(16, 2), np.stack([values, values], axis=1))


def test_argmax_counts_in_the_source_order():
    with pytest.raises(UnsupportedOp, match="ArgMax over the 48 values of an image"):
        _lowered(_convolved().add("Flatten").add("ArgMax", axis=1, keepdims=0), rank=1)


@pytest.mark.parametrize("perm", [[0, 1, 3, 2], [0, 3, 1, 2]])
def test_mean_over_channels_is_refused_in_any_order(perm):
    square = _image().conv(WEIGHTS[:3], 0.25).quant(0.5, bits=4).add("Transpose", perm=perm)
    chain = square.add("ReduceMean", axes=[1, 2]).quant(0.1, bits=6)
    with pytest.raises(UnsupportedOp, match="mean over all positions of an image"):
        _lowered(chain, rank=4)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 2, 2)])  # one channel; one position
def test_mean_over_a_thin_image(shape, tmp_path):
    weights = WEIGHTS[: shape[0], : shape[0]]
    chain = _image(shape).conv(weights, 0.25).quant(0.5, bits=4)
    chain.add("ReduceMean", axes=[2, 3]).quant(0.1, bits=6)
    assert_exact(saved(chain, tmp_path, rank=4), samples=50)


def test_mean_of_a_turned_image(tmp_path):
    chain = _convolved().add("Transpose", perm=[0, 2, 1, 3]).add("ReduceMean", axes=[1, 3])
    assert_exact(saved(chain.quant(0.1, bits=6), tmp_path, rank=4), samples=50)


def test_quantizer_behind_a_turned_image(tmp_path):
    chain = _image().conv(WEIGHTS, 0.25).add("Transpose", perm=[0, 1, 3, 2]).quant(0.5, bits=4)
    weights = np.random.default_rng(1).integers(-3, 4, (5, 48)) * 0.25
    assert_exact(saved(chain.add("Flatten").dense(weights, 0.25), tmp_path), samples=50)


def test_window_of_nothing_but_padding():
    chain = _image((3, 2)).add("MaxPool", kernel_shape=[2], dilations=[3], pads=[1, 1])
    with pytest.raises(UnsupportedOp, match="a window that holds only padding"):
        _lowered(chain.quant(0.125), rank=3)


@pytest.mark.parametrize(
    ("op", "given", "rank"),
    [
        ("Squeeze", {}, 1),
        ("Transpose", {"perm": [1, 0, 2]}, 3),
        ("Flatten", {"axis": 2}, 2),
        ("Flatten", {"axis": 0}, 2),
    ],
)
def test_batch_stays_first(op, given, rank):
    chain = _image((3, 6)).conv(WEIGHTS[..., 0], 0.25).quant(0.5, bits=4).add(op, **given)
    with pytest.raises(UnsupportedOp, match="moves the batch off the first axis"):
        _lowered(chain, rank)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dilations": [-1]}, "dilations .-1. on data of 1 axes, each at least 1"),
        ({"strides": [0]}, "strides .0. and dilations"),
        ({"pads": [1]}, "pads .1. on data of 1 axes is no padding"),
        ({"auto_pad": "FOO"}, "auto_pad 'FOO'"),
    ],
)
def test_malformed_pooling(given, message):
    chain = _image((2, 7)).add("MaxPool", kernel_shape=[2], **given).quant(0.5)
    with pytest.raises(ModelError, match=message):
        _lowered(chain, rank=3)


def test_axis_beyond_the_data():
    with pytest.raises(ModelError, match=r"ReduceMean_1: .* malformed"):
        _lowered(_image((2, 7)).add("ReduceMean", axes=[5]).quant(0.5), rank=3)


def test_whole_weights_beyond_int64():
    chain = _image((4,))
    chain.add("MatMul", chain.constant(np.full((4, 3), 1e18)))
    with pytest.raises(UnsupportedOp, match="MatMul_1: weights of more than 16 bits"):
        _lowered(chain, rank=2)


def test_what_the_executor_cannot_run(tmp_path):
    chain = _image((2, 7)).add("MaxPool", kernel_shape=[2], strides=[4], auto_pad="SAME_UPPER")
    path = saved(chain.quant(0.5), tmp_path, rank=3)
    with pytest.raises(ModelError, match=r"cannot run it .*MaxPool_1"):
        execute_qonnx(path, np.zeros((2, 2, 7), np.float32))
