"""hls4ml's model of a fixed-point network -> the integer graph, exactly as its C++ computes it.

The model is hls4ml's own after the passes of its Vitis backend, so the types here are those that
its C simulation uses.  What cannot be exact is refused with the layer, the type and a remedy.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from hls4ml.model.types import IntegerPrecisionType

from hwgen.errors import UnsupportedOp
from hwgen.graph import ir
from hwgen.graph.check import check
from hwgen.hls4ml_backend.fixed.activations import activation
from hwgen.hls4ml_backend.fixed.chain import FixedChain
from hwgen.hls4ml_backend.fixed.type import FixedType, fixed_type, weight_codes
from hwgen.num.inttype import IntArray
from hwgen.num.rounding import Overflow


def fixed_graph(model: Any) -> ir.Graph:
    """Return the checked integer graph of an hls4ml ModelGraph.

    raises  UnsupportedOp  naming the layer, the reason and a remedy
    """
    nodes = _chain_of(model)
    first, last = nodes[0], nodes[-1]
    entry = fixed_type(_precision(first), first.name)
    shape, channels_first = tuple(first.get_output_variable().shape), _moves_channels(nodes[1])
    space, size = (shape[1:], shape[0]) if channels_first else (shape[:-1], shape[-1])
    chain = FixedChain(entry, size, space, channels_first)
    for node in nodes[1 + channels_first :]:
        chain.where = node.name
        _layer(node)(chain, node)
        chain.behind = node.name
        _check_size(chain, node)
    chain.flush()
    if not any(isinstance(e, ir.Dense | ir.Depthwise | ir.MaxPool) for e in chain.layers):
        raise UnsupportedOp(
            f"{last.name}: no layer before it multiplies; there is nothing to fold."
        )
    graph = ir.Graph(
        model.config.get_project_name(), chain.tensors[0].name, chain.tensor.name, shape,
        tuple(last.get_output_variable().shape), (entry.step,), tuple(chain.tensors),
        tuple(chain.layers),
    )  # fmt: skip
    return check(graph, "hls4ml")


def _chain_of(model: Any) -> list[Any]:
    """Return the layers in order; raises UnsupportedOp unless each reads the one before it."""
    name, nodes = model.config.get_project_name(), list(model.get_layers())
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(nodes) < 2:
        raise UnsupportedOp(
            f"{name}: {len(model.inputs)} inputs, {len(nodes)} layers, {len(model.outputs)} "
            "outputs; hwgen builds networks of one input and one output."
        )
    for before, node in pairwise(nodes):
        if list(node.inputs) != [before.outputs[0]]:
            raise UnsupportedOp(
                f"{node.name}: reads {', '.join(node.inputs)} and not {before.name} alone; hwgen "
                "builds chains of layers, without branches."
            )
    return nodes


def _check_size(chain: FixedChain, node: Any) -> None:
    shape = list(node.get_output_variable().shape)
    if prod(shape) != chain.tensor.values:
        raise UnsupportedOp(
            f"{node.name}: hls4ml takes its output for {shape}, but it computes "
            f"{[*chain.tensor.space, chain.tensor.size]}; hls4ml has no such {node.class_name}."
        )


def _moves_channels(node: Any) -> bool:
    """Return whether a node is what hls4ml puts behind an input with channels first."""
    if node.class_name != "Transpose":
        return False
    perm = list(node.get_attr("perm"))
    return perm == [*range(1, len(perm)), 0]


_Lower = Callable[[FixedChain, Any], None]


def _layer(node: Any) -> _Lower:
    kinds: dict[str, _Lower] = {
        "Dense": _dense,
        "Conv1D": _convolution,
        "Conv2D": _convolution,
        "PointwiseConv1D": _convolution,
        "PointwiseConv2D": _convolution,
        "DepthwiseConv1D": _depthwise,
        "DepthwiseConv2D": _depthwise,
        "BatchNormalization": _batch_norm,
        "ApplyAlpha": _batch_norm,
        "Pooling1D": _pooling,
        "Pooling2D": _pooling,
        "GlobalPooling1D": _pooling,
        "GlobalPooling2D": _pooling,
        "FixedPointQuantizer": _quantizer,
        "Reshape": _reshape,
        "Activation": activation,
        "HardActivation": activation,
        "ParametrizedActivation": activation,
        "PReLU": activation,
        "UnaryLUT": activation,
    }
    if node.class_name not in kinds:
        advice = "use one of " + ", ".join(sorted(kinds))
        if node.class_name == "Softmax":
            advice = "leave it to the host: the largest score stays the largest"
        raise UnsupportedOp(f"{node.name}: hwgen has no {node.class_name} of hls4ml; {advice}.")
    return kinds[node.class_name]


# ---- products -----------------------------------------------------------------------------------
def _dense(chain: FixedChain, node: Any) -> None:
    weights, t = _weights(node)
    chain.dense(weights.reshape(node.get_attr("n_in"), -1).T, t.fraction)
    _accumulated(chain, node)


def _convolution(chain: FixedChain, node: Any) -> None:
    weights, t = _weights(node)
    _window(chain, node)
    chain.dense(weights.reshape(-1, node.get_attr("n_filt")).T, t.fraction)
    _accumulated(chain, node)


def _depthwise(chain: FixedChain, node: Any) -> None:
    weights, t = _weights(node)
    channels = node.get_attr("n_chan")
    if node.get_output_variable().shape[-1] != channels:
        raise UnsupportedOp(
            f"{node.name}: {node.get_output_variable().shape[-1]} filters on {channels} channels; "
            "hwgen takes a depth multiplier of 1."
        )
    if weights.size % channels or weights.size // channels != _taps(node):
        raise UnsupportedOp(
            f"{node.name}: {weights.size} weights for {_taps(node)} taps of {channels} channels: "
            "hls4ml merges batch normalization into a depthwise convolution wrongly. Put an "
            "activation between the two."
        )
    _window(chain, node)
    chain.depthwise(weights.reshape(-1, channels).T, t.fraction)
    _accumulated(chain, node)


def _window(chain: FixedChain, node: Any) -> None:
    get = node.get_attr
    axes = [("height", "top", "bottom")] if "2D" in node.class_name else []
    axes.append(("width", "left", "right"))
    chain.window(
        tuple(get(f"filt_{axis}", 1) for axis, _, _ in axes),
        tuple(get(f"stride_{axis}", 1) for axis, _, _ in axes),
        tuple(get(f"dilation_{axis}", 1) or 1 for axis, _, _ in axes),
        tuple((get(f"pad_{a}", 0), get(f"pad_{b}", 0)) for _, a, b in axes),
    )


def _taps(node: Any) -> int:
    return int(node.get_attr("filt_height", 1) * node.get_attr("filt_width"))


def _weights(node: Any) -> tuple[IntArray, FixedType]:
    if node.get_attr("compression"):
        raise UnsupportedOp(
            f"{node.name}: compressed weights; leave Compression out of its config."
        )
    codes, t = weight_codes(node.weights["weight"], f"{node.name}, weights")
    precision = node.weights["weight"].type.precision
    ternary = isinstance(precision, IntegerPrecisionType) and t.signed and t.width == 2
    if ternary and codes.min() < -1:
        raise UnsupportedOp(
            f"{node.name}: weight -2 of type {precision}, which hls4ml's C++ takes for a ternary "
            "type of -1, 0 and 1; give its weights three bits."
        )
    if node.get_attr("_weights_transposed"):  # for the Resource strategy: outputs first
        codes = np.moveaxis(codes, 0, -1)
    return codes, t


def _accumulated(chain: FixedChain, node: Any) -> None:
    """Add the bias and cast, as the C++ does: products and bias in accum_t, the sum in result_t."""
    bias, t = weight_codes(node.weights["bias"], f"{node.name}, bias")
    accum = _accum(node)
    bias = accum.convert(bias.ravel(), t.fraction)
    _check_sums(chain, node, accum, bias)
    chain.add(bias, accum.fraction)
    chain.cast(accum)
    chain.cast(_result(node))


def _accum(node: Any) -> FixedType:
    return fixed_type(node.get_attr("accum_t").precision, f"{node.name}, accumulator")


def _check_sums(chain: FixedChain, node: Any, accum: FixedType, bias: IntArray) -> None:
    """Raise UnsupportedOp where sums in accum_t depend on the order of additions."""
    needed, integer = chain.product_fraction, accum.width - accum.fraction
    if accum.fraction < needed:
        raise UnsupportedOp(
            f"{node.name}: accumulator type {accum} has {accum.fraction} fractional bits, its "
            f"products have {needed}, so hls4ml's C++ rounds every product; hwgen's sums are "
            f"exact. Set its accum precision to fixed<{integer + needed},{integer}>, or to auto."
        )
    finer = int(chain.fraction[0]) - accum.fraction
    up, down = max(finer, 0), max(-finer, 0)
    low = (chain.tensor.lo << down) + (min(0, int(bias.min())) << up)
    high = (chain.tensor.hi << down) + (max(0, int(bias.max())) << up)
    fits = accum.lo << up <= low and high <= accum.hi << up
    if accum.overflow is not Overflow.WRAP and not fits:
        raise UnsupportedOp(
            f"{node.name}: accumulator type {accum} can overflow, and hls4ml's C++ then saturates "
            "after each addition, in the order of the additions; hwgen's sums have no order. Set "
            "its accum precision to auto, or wide enough for every sum."
        )


def _batch_norm(chain: FixedChain, node: Any) -> None:
    for name, use in (("scale", chain.scale), ("bias", chain.add)):
        codes, t = weight_codes(node.weights[name], f"{node.name}, {name}")
        use(_per_channel(chain, node, codes), t.fraction)
    chain.cast(_result(node))


# ---- pooling ------------------------------------------------------------------------------------
def _pooling(chain: FixedChain, node: Any) -> None:
    kernel, stride, pads = _pool_window(chain, node)
    use = _maximum if node.get_attr("pool_op") == "Max" else _average
    use(chain, node, kernel, stride, pads)
    chain.cast(_result(node))


_Axes = tuple[int, ...]
_Pads = tuple[tuple[int, int], ...]


def _pool_window(chain: FixedChain, node: Any) -> tuple[_Axes, _Axes, _Pads]:
    get, space = node.get_attr, chain.tensor.space
    if "Global" in node.class_name:
        return space, space, ((0, 0),) * len(space)
    axes = [("height", "top", "bottom")] if "2D" in node.class_name else []
    axes.append(("width", "left", "right"))
    return (
        tuple(get(f"pool_{axis}") for axis, _, _ in axes),
        tuple(get(f"stride_{axis}") for axis, _, _ in axes),
        tuple((get(f"pad_{a}", 0), get(f"pad_{b}", 0)) for _, a, b in axes),
    )


def _average(chain: FixedChain, node: Any, kernel: _Axes, stride: _Axes, pads: _Pads) -> None:
    """Average as the C++ does: the sum in accum_t, divided towards zero on accum_t's grid."""
    if np.any(pads) and not node.get_attr("count_pad"):
        raise UnsupportedOp(
            f"{node.name}: averages that leave the padding out divide by a different number at the "
            'border; pool without padding (padding="valid").'
        )
    chain.window(kernel, stride, (1,) * len(kernel), pads)
    ones = np.ones((node.get_output_variable().shape[-1], prod(kernel)), dtype=np.int64)
    chain.depthwise(ones, 0)
    accum = _accum(node)
    _check_sums(chain, node, accum, np.zeros(1, dtype=np.int64))
    chain.cast(accum)
    chain.divide(prod(kernel), accum)


def _maximum(chain: FixedChain, node: Any, kernel: _Axes, stride: _Axes, pads: _Pads) -> None:
    """Compare in accum_t, which must hold every value; padding has its input's lowest code."""
    x = fixed_type(node.get_input_variable().type.precision, f"{node.name}, input")
    accum = _accum(node)
    finer = x.fraction - accum.fraction
    if finer > 0 or x.hi << -finer > accum.hi or x.lo << -finer < accum.lo:
        raise UnsupportedOp(
            f"{node.name}: compares values of type {x} in {accum}, which does not hold them all. "
            f"Set its accum precision to the type of its input, {x}."
        )
    if np.any(pads) and not x.signed:
        raise UnsupportedOp(
            f"{node.name}: hls4ml's C++ pads maxima of unsigned values with half of their range; "
            'pool without padding (padding="valid").'
        )
    chain.window(kernel, stride, (1,) * len(kernel), pads, lowest=True)
    chain.maximum(prod(kernel))


# ---- the rest -----------------------------------------------------------------------------------
def _quantizer(chain: FixedChain, node: Any) -> None:
    """Cast every channel to its own type, as HGQ's quantizers do."""
    shape = node.get_output_variable().shape
    keep, width, integer = (
        _per_channel(chain, node, np.broadcast_to(mask[0], shape).astype(np.int64))
        for mask in node.mask_kbi
    )
    shared = FixedType(1, 0, True, node.RND, node.SAT)
    if node.SAT not in ("WRAP", "SAT", "SAT_SYM"):
        raise UnsupportedOp(f"{node.name}: overflow mode {node.SAT}; use WRAP, SAT or SAT_SYM.")
    hi = (1 << np.maximum(width - keep, 0)) - 1
    lo = np.where(keep != 0, -hi - (node.SAT != "SAT_SYM"), 0)
    hi, lo = np.where(width > 0, hi, 0), np.where(width > 0, lo, 0)
    chain.cast(shared, width - integer, lo, hi)
    chain.cast(_result(node))


def _reshape(chain: FixedChain, node: Any) -> None:
    """Keep the values in their order: what follows takes a frame as a vector."""
    shape = tuple(node.get_output_variable().shape)
    if len(shape) != 1 and shape != (*chain.tensor.space, chain.tensor.size):
        raise UnsupportedOp(
            f"{node.name}: reshapes to {list(shape)}; hwgen flattens to a vector. Give the model "
            "data in the shape that its layers want."
        )


def _result(node: Any) -> FixedType:
    return fixed_type(_precision(node), f"{node.name}, result")


def _precision(node: Any) -> Any:
    return node.get_output_variable().type.precision


def _per_channel(chain: FixedChain, node: Any, values: IntArray) -> IntArray:
    """Return one value per channel of one per channel or per value of a frame."""
    if values.size == 1:
        return np.repeat(np.ravel(values), chain.tensor.size)
    rows = values.reshape(-1, chain.tensor.size)
    if np.any(rows != rows[0]):
        raise UnsupportedOp(
            f"{node.name}: parameters that differ from pixel to pixel; hwgen has one per channel. "
            "Share them over the pixels."
        )
    return rows[0]
