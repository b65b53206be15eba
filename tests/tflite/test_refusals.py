"""What has no exact form is refused: the node, the reason, what to do."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_models import FLOAT, INT8, Chain

from hwgen.errors import HwgenError, ModelError, UnsupportedOp
from hwgen.tflite import to_graph
from hwgen.tflite.interpreter import interpret

ONE = np.ones((2, 1, 1, 2))
DENSE = np.ones((3, 4))


def image() -> Chain:
    return Chain((4, 5, 2), (0.1, 3))


def two_inputs() -> Chain:
    chain = image().conv(ONE, np.zeros(2), 0.1, (0.1, 3))
    skip = chain.last
    chain.conv(ONE, np.zeros(2), 0.1, (0.1, 3))
    return chain.op("ADD", [skip], (4, 5, 2), (0.2, 3), schema.AddOptionsT())


def branch() -> Chain:
    chain = image()
    entry = chain.last
    chain.conv(ONE, np.zeros(2), 0.1, (0.1, 3))
    chain.last = entry
    return chain.conv(ONE, np.zeros(2), 0.1, (0.1, 3))


def per_axis_activation() -> Chain:
    chain = image()
    chain.tensors[0].quantization.scale = [0.1, 0.2]
    chain.tensors[0].quantization.zeroPoint = [0, 0]
    chain.tensors[0].quantization.quantizedDimension = 3
    return chain.conv(ONE, np.zeros(2), 0.1, (0.1, 3))


def weights_with_zero_point() -> Chain:
    chain = Chain((4,), (0.1, 3)).dense(DENSE, None, 0.1, (0.1, 3))
    chain.tensors[1].quantization.zeroPoint = [1]
    return chain


def pool_that_rescales() -> Chain:
    chain = image().pool((2, 2))
    chain.tensors[-1].quantization.scale = [0.2]
    return chain


def batch() -> Chain:
    chain = Chain((4,), (0.1, 3)).dense(DENSE, None, 0.1, (0.1, 3))
    for t in (chain.tensors[0], chain.tensors[-1]):
        t.shape = [2, *t.shape[1:]]
    return chain


def wrong_output_shape() -> Chain:
    chain = image().conv(ONE, np.zeros(2), 0.1, (0.1, 3))
    chain.tensors[-1].shape = [1, 4, 4, 2]
    return chain


def wrong_channels() -> Chain:
    chain = image().conv(ONE, np.zeros(2), 0.1, (0.1, 3))
    chain.tensors[-1].shape = [1, 4, 5, 3]
    return chain


CASES: list[tuple[Callable[[], Chain], type[HwgenError], str]] = [
    (
        two_inputs, UnsupportedOp,
        "add_2: ADD of 2 data tensors into 1; hwgen builds chains, in which every op has one of "
        "each. Cut the model where it branches, or use an architecture without skip connections.",
    ),
    (
        branch, UnsupportedOp,
        "conv_2d_1: reads 'x', not the tensor before it, 'conv_2d_0'; hwgen builds chains without "
        "branches. Cut the model where it branches.",
    ),
    (
        lambda: image().pool((2, 2), op="L2_POOL_2D"), UnsupportedOp,
        "l2_pool_2d_0: L2_POOL_2D has no exact form in hwgen yet; it builds ADD, AVERAGE_POOL_2D, "
        "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, LEAKY_RELU, LOGISTIC, MAX_POOL_2D, MEAN, "
        "PAD, QUANTIZE, RELU, RELU6, RELU_N1_TO_1, TANH, and SOFTMAX on the host. Replace the op.",
    ),
    (
        lambda: image().pool((3, 3), padding="SAME"), UnsupportedOp,
        "average_pool_2d_0: SAME padding; at the border the mean is over fewer pixels, so the "
        "divisor depends on the position. Use VALID padding, or a kernel that divides the image.",
    ),
    (
        pool_that_rescales, UnsupportedOp,
        "average_pool_2d_0: its input and output have different scales or zero points, and "
        "TFLite's pooling keeps the codes; quantize the model again.",
    ),
    (
        lambda: Chain((4,), (0.1, 3), FLOAT).dense(DENSE, None, 0.1, (0.1, 3)), UnsupportedOp,
        "net: float32 input 'x' without a QUANTIZE; hwgen builds int8 models. Convert with full "
        "integer quantization (TFLITE_BUILTINS_INT8).",
    ),
    (
        per_axis_activation, UnsupportedOp,
        "input 'x': int8 without a single scale; hwgen quantizes inputs to int8 or uint8. Convert "
        "with full integer quantization (TFLITE_BUILTINS_INT8).",
    ),
    (
        weights_with_zero_point, UnsupportedOp,
        "fully_connected_0: weights with a zero point other than 0; TFLite's int8 kernels take "
        "symmetric weights. Quantize the model again.",
    ),
    (
        lambda: Chain((4,), (0.1, 3)).dense(DENSE, None, 0.1, (0.1, 3), "TANH"), UnsupportedOp,
        "fully_connected_0: fused activation TANH; hwgen reads NONE, RELU, RELU_N1_TO_1, RELU6.",
    ),
    (
        lambda: image().softmax().elementwise("RELU", (0.1, 3)), UnsupportedOp,
        "relu_1: RELU after SOFTMAX, which the host computes; hwgen's hardware ends there. Cut the "
        "model before it.",
    ),
    (
        lambda: Chain((4,), (0.1, 3)).softmax(), ModelError,
        "net: no layers to build between input and output.",
    ),
    (
        lambda: image().conv(ONE, np.full(2, 2**31 - 1), 0.1, (0.1, 3)), UnsupportedOp,
        "conv_2d_0: its integers (2147483385 .. 2147483895, times up to 2**-3) can leave int32, "
        "where TFLite's result is undefined. Check the scales and the bias; quantize the model "
        "again.",
    ),
    (
        lambda: image().pad((1, 1), (1, 1), (0, 0)).elementwise("RELU", (0.1, 3)), UnsupportedOp,
        "relu_1: follows a PAD; hwgen pads in front of convolutions and pools (CONV_2D, "
        "DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, PAD). Move the PAD, or pad in the layer itself.",
    ),
    (
        lambda: image().pad((4, 0), (0, 0), (0, 0)).pool((2, 2)), UnsupportedOp,
        "average_pool_2d_1: padding [[4, 0], [0, 0]] around an image of [4, 5]; hwgen pads less "
        "than the image is wide. Pad less, or use a smaller kernel.",
    ),
    (
        lambda: image().pad((0, 0), (0, 0), (1, 0)), UnsupportedOp,
        "pad_0: pads [[0, 0], [0, 0], [0, 0], [1, 0]]; hwgen pads height and width, with no less "
        "than 0.",
    ),
    (
        lambda: image().add(np.ones((4, 5, 2)), (0.1, 0), (0.1, 3)), UnsupportedOp,
        "add_0: adds a constant of shape [4, 5, 2]; hwgen adds one value, or one per channel. Fold "
        "the addition into the bias of the layer before.",
    ),
    (
        lambda: image().reshape(5, 4, 2).pool((2, 2)).reshape(3, 4, 2).pool((2, 2)), UnsupportedOp,
        "average_pool_2d_3: its input [1, 3, 4, 2] is a reshaped [1, 4, 3, 2]; hwgen reads images "
        "in the order in which the layer before writes them. Move the reshape to the input or the "
        "output of the network.",
    ),
    (
        lambda: image().mean((0.1, 3), True, (1,)), UnsupportedOp,
        "mean_0: not over height and width; hwgen takes no other mean.",
    ),
    (
        batch, UnsupportedOp,
        "tensor 'x': a batch of 2; convert with a batch of 1.",
    ),
    (
        wrong_output_shape, ModelError,
        "conv_2d_0: the file gives its output the shape [1, 4, 4, 2], but height and width are "
        "[4, 5] by its input; convert the model again.",
    ),
    (
        wrong_channels, ModelError,
        "tensor 'conv_2d_0': shape [1, 4, 5, 3], but its layer gives [4, 5, 2]; the file is "
        "inconsistent. Convert the model again.",
    ),
    (
        lambda: image().conv(np.ones((2, 1, 1, 1)), np.zeros(2), 0.1, (0.1, 3)), UnsupportedOp,
        "conv_2d_0: weights [2, 1, 1, 1] on an input of 2 channels; hwgen has no grouped "
        "convolutions. Use a depthwise or a full one.",
    ),
    (
        lambda: image().elementwise("LOGISTIC", (0.1, 0)).op("CONCATENATION", [0], (4, 5, 4), None),
        UnsupportedOp,
        "concatenation_1: CONCATENATION of 2 data tensors into 1; hwgen builds chains, in which "
        "every op has one of each. Cut the model where it branches, or use an architecture without "
        "skip connections.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "message"), CASES, ids=[c[2][:48] for c in CASES])
def test_message(make, kind, message):
    with pytest.raises(kind) as caught:
        to_graph(make().content(), "net")
    assert str(caught.value) == message


def test_custom_ops_are_named():
    content = Chain((4,), (0.1, 3)).op("CUSTOM", [], (4,), (0.1, 3)).content()
    with pytest.raises(UnsupportedOp, match=r"^custom_0: CUSTOM has no exact form in hwgen yet"):
        to_graph(content, "net")


def test_int16_activations():
    chain = Chain((4,), (0.1, 0), INT8).dense(DENSE, None, 0.1, (0.1, 0))
    chain.tensors[-1].type = schema.TensorType.INT16
    with pytest.raises(UnsupportedOp, match="'fully_connected_0' is int16; hwgen reads int8"):
        to_graph(chain.content(), "net")


def test_the_interpreter_refuses_in_one_paragraph():
    content = Chain((4,), (0.1, 0)).elementwise("LOGISTIC", (0.1, 0)).content()
    broken = Chain((4,), (0.1, 0)).op("LOGISTIC", [], (4,), (0.1, 0)).content()
    codes = np.zeros((1, 4), dtype=np.int64)
    assert interpret(content, "net", codes, codes)["logistic_0"].shape == (1, 4)
    with pytest.raises(ModelError, match=r"^net: the TFLite interpreter refuses the model: ") as e:
        interpret(broken, "net", codes, codes)
    assert "\n" not in str(e.value)
