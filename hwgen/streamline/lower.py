"""Chain of float blocks -> integer graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from math import prod

import numpy as np

from hwgen.closing import (
    MOST_VALUES,
    Function,
    Line,
    cheapest,
    evaluations,
    staircase,
    tabulated,
)
from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.ir import (
    ArgMax,
    Dense,
    Depthwise,
    Graph,
    Layer,
    MaxPool,
    Product,
    Tensor,
    Window,
    XnorDense,
)
from hwgen.graph.names import Names
from hwgen.graph.ranges import accumulator_bounds
from hwgen.num.elementwise import Segment, Step, codes, direction, evaluate, rebased
from hwgen.num.inttype import FloatArray, IntArray, frozen_array
from hwgen.streamline.chain import Block, Chain
from hwgen.streamline.products import Kernel
from hwgen.streamline.read import Source
from hwgen.streamline.weights import integer_weights


@dataclass(frozen=True, slots=True, eq=False)
class Accumulator:
    """Per-channel bounds and meaning of an accumulator: real = scale * (a - zero_point)."""

    lo: IntArray  # (channels,)
    hi: IntArray
    scale: FloatArray
    zero_point: FloatArray


def lower(source: Source, chain: Chain) -> Graph:
    """Return the integer graph that computes the same codes as the chain, exactly."""
    names = Names()
    head, *rest = chain.blocks
    encoder, tail = _at_last_quant(head.segment, f"the input of {rest[0].node}")
    tensors = [_coded("codes", head, encoder, tail)]
    layers: list[Layer] = []
    for block, after in zip_longest(rest, rest[1:]):
        new_layers, new_tensors = _lower_block(block, tensors[-1], names, after)
        layers += new_layers
        tensors += new_tensors
    if chain.argmax:
        layer, tensor = _argmax(names.new(chain.argmax), tensors[-1], source.output)
        layers.append(layer)
        tensors.append(tensor)
    return Graph(
        name=names.new(source.name),
        input=tensors[0].name,
        output=tensors[-1].name,
        input_shape=source.input_shape,
        output_shape=chain.output_shape,
        encoder=encoder,
        tensors=tuple(tensors),
        layers=tuple(layers),
    )


def _lower_block(
    block: Block, x: Tensor, names: Names, after: Block | None
) -> tuple[list[Layer], list[Tensor]]:
    assert block.product is not None
    if (x.scale.ndim or x.zero_point.ndim) and not block.product.depthwise:
        raise UnsupportedOp(
            f"{block.node}: its input has a scale or zero point per channel; a sum over channels "
            "has no single scale. Quantize this activation per tensor."
        )
    layers: list[Layer] = []
    tensors: list[Tensor] = []
    name, kernel = names.new(block.node), block.product.kernel
    if kernel is not None and not kernel.is_pointwise:
        window, x = _window(block, x, names.new(f"{name}_window"), kernel)
        layers.append(window)
        tensors.append(x)
    closes = any(step.kind == "Quant" for step in block.segment)
    segment, tail = _at_last_quant(block.segment, block.node) if closes else ((), ())
    cut = _monotone(segment) if closes else 0
    if block.product.maximum and np.any(direction(segment[:cut]) < 0):
        cut = 0  # no sign turns a maximum around
    layer, acc, bounds = _product(block, x, name, segment[:cut])
    layers.append(layer)
    if not closes:
        if after is not None and not block.product.maximum:
            raise ModelError(
                f"{block.node}: its output reaches {after.node} without a quantizer; add a "
                "quantized activation (QuantReLU, QuantIdentity) between them."
            )
        first = bool(block.layout.channels_first)
        acc = replace(_affine_tail(acc, block.segment), source=block.end, channels_first=first)
        return layers, [*tensors, acc]
    closing, closed = _closed(block, acc, bounds, segment, tail, cut, names, after)
    return [*layers, *closing], [*tensors, acc, *closed]


def _closed(
    block: Block, acc: Tensor, bounds: Accumulator, segment: Segment, tail: Segment, cut: int,
    names: Names, after: Block | None,
) -> tuple[list[Layer], list[Tensor]]:  # fmt: skip
    """Return the layers that compute ``segment`` from its accumulator, and their outputs.

    cut  steps of the segment that are monotone together, see :func:`_monotone`
    """
    layers: list[Layer] = []
    tensors: list[Tensor] = []
    x = acc
    if 0 < cut < len(segment):
        inner = segment[:cut]
        y = _coded(f"{names.new(inner[-1].source)}_out", block, inner, ())
        layer, x = _staircase(acc, replace(y, source=""), bounds, inner)
        layers, tensors = [layer], [x]
        ends = np.full(x.size, x.lo), np.full(x.size, x.hi)
        bounds = Accumulator(*ends, x.scale, x.zero_point)
        segment, cut = rebased(segment, cut), 0
    name = names.new(segment[-1].source)
    y = _coded(f"{name}_out", block, segment, tail)
    gain = grid_gain(block, after)
    y = replace(y, scale=np.asarray(y.scale / gain), zero_point=np.asarray(y.zero_point * gain))
    if cut:
        layer, y = _staircase(acc, y, bounds, segment, gain)
        return [layer], [y]
    _check_range(segment, bounds)
    search = names.new(f"{name}_piece")
    f = _function(segment, bounds, gain)
    found, outputs = tabulated(name, search, x, y, f, bounds.lo, bounds.hi)
    return [*layers, *found], [*tensors, *outputs]


def _monotone(segment: Segment) -> int:
    """Return how many steps of a segment, up to a quantizer, are monotone in every channel.

    0: a curve lies before the first quantizer, or takes up a value from before it.
    """
    if np.all(direction(segment) != 0):
        return len(segment)
    for cut in range(len(segment) - 1, 0, -1):
        apart = all(s.earlier is None or s.earlier >= cut for s in segment[cut:])
        if segment[cut - 1].kind == "Quant" and apart and np.all(direction(segment[:cut]) != 0):
            return cut
    return 0


def _function(segment: Segment, x: Accumulator, gain: int) -> Function:
    return lambda a: gain * codes(segment, x.scale * (a - x.zero_point))


def _staircase(
    acc: Tensor, y: Tensor, bounds: Accumulator, segment: Segment, gain: int = 1
) -> tuple[Layer, Tensor]:
    """Return the layer that computes a monotone segment, and its output with proven bounds."""
    stairs = staircase(_function(segment, bounds, gain), bounds.lo, bounds.hi)
    line = _line(segment, bounds) if gain == 1 else None
    layer = cheapest(y.name.removesuffix("_out"), acc, y.name, stairs, line)
    return layer, replace(y, lo=min(stairs.base, 0), hi=max(stairs.top, 0))


def _check_range(segment: Segment, bounds: Accumulator) -> None:
    values = evaluations(bounds.lo, bounds.hi)
    if values > MOST_VALUES:
        curve = next(s for i, s in enumerate(segment) if np.any(direction(segment[: i + 1]) == 0))
        raise UnsupportedOp(
            f"{curve.source}: its function neither rises nor falls throughout, and its input takes "
            f"{values:,} values in {len(bounds.lo)} channels; hwgen tabulates up to "
            f"{MOST_VALUES:,}. Quantize before the activation (a QuantIdentity in front of it), or "
            "use fewer bits."
        )


def grid_gain(block: Block, after: Block | None) -> int:
    """Return how many codes of the graph make one code of the quantizer that ends ``block``.

    2 where zero lies between two codes (+1, -1) and pads: on half the grid it has a code.
    """
    segment, tail = _at_last_quant(block.segment, block.node)
    zero_point = _coded("", block, segment, tail).zero_point
    return 2 if _pads(after) and np.any(zero_point % 1) else 1


def _pads(block: Block | None) -> bool:
    """Return whether a block slides its kernel beyond the border of the image."""
    product = None if block is None else block.product
    return product is not None and product.kernel is not None and bool(np.any(product.kernel.pads))


def _window(block: Block, x: Tensor, name: str, kernel: Kernel) -> tuple[Window, Tensor]:
    """Return the layer that puts the values under the kernel side by side, and its output."""
    assert block.product is not None
    taps, pad = prod(kernel.size), 0
    if block.product.maximum:
        pad = x.lo  # the least code: never the largest of a window that has any other
    elif np.any(kernel.pads):
        zero = np.unique(x.zero_point)
        if len(zero) > 1 or zero[0] % 1:
            raise UnsupportedOp(
                f"{block.node}: pads with 0, which no code of its input stands for (zero point "
                f"{float(zero[0])}); use padding 0, or an activation quantizer that has 0 on its "
                "grid."
            )
        pad = int(zero[0])
    layer = Window(
        name, x.name, f"{name}_out", kernel.size, kernel.stride, kernel.dilation, kernel.pads, pad
    )
    y = Tensor(
        layer.y, taps * x.size, min(x.lo, pad), max(x.hi, pad),
        _tiled(x.scale, taps), _tiled(x.zero_point, taps), "", block.product.layout.space,
    )  # fmt: skip
    return layer, y


def _tiled(values: FloatArray, taps: int) -> FloatArray:
    return np.tile(values, taps) if values.ndim else values


def _product(
    block: Block, x: Tensor, name: str, segment: Segment
) -> tuple[Product, Tensor, Accumulator]:
    """Return the layer, its accumulator tensor and bounds.

    segment  its monotone ops; rows are negated where the whole decreases
    """
    assert block.product is not None
    ints = integer_weights(block.node, block.product.weight)
    weights, rows = ints.values, len(ints.values)
    x_scale, x_zero = (v[:rows] if v.ndim else v for v in (x.scale, x.zero_point))
    scale = np.asarray(x_scale * ints.scale)
    rising = direction(segment) * np.sign(scale).astype(np.int64) if segment else np.array(1)
    sign = np.broadcast_to(rising, (rows,))
    weights, scale = frozen_array(weights * sign[:, None]), scale * sign
    y = f"{name}_out"
    zero = (weights.sum(axis=1) * x_zero).astype(np.float64)
    low, high = accumulator_bounds(weights, x.lo, x.hi)
    bipolar = (x.lo, x.hi) == (0, 1) and bool(np.all(x.zero_point == 0.5))
    layer: Product
    if block.product.maximum:
        if np.any(scale <= 0):
            raise UnsupportedOp(
                f"{block.node}: MaxPool of data with a negative scale; pool before the negation."
            )
        zero = np.broadcast_to(np.asarray(x_zero, dtype=np.float64), (rows,))
        low, high = np.full(rows, x.lo), np.full(rows, x.hi)
        layer = MaxPool(name, x.name, y, weights.shape[1])
    elif block.product.depthwise:
        layer = Depthwise(name, x.name, y, weights)
    elif bipolar and bool(np.all(np.abs(weights) == 1)):
        fan_in = weights.shape[1]
        zero = np.full(rows, fan_in / 2)
        low, high = np.zeros(rows, dtype=np.int64), np.full(rows, fan_in)
        layer = XnorDense(name, x.name, y, frozen_array((weights + 1) // 2))
    else:
        layer = Dense(name, x.name, y, weights, bool(np.all(weights % 2 == 1)))
    acc = Tensor(
        y, rows, int(low.min()), int(high.max()), scale, zero, block.source,
        block.product.layout.space, bool(block.product.layout.channels_first),
    )  # fmt: skip
    return layer, acc, Accumulator(low, high, scale, zero)


def _line(segment: Segment, acc: Accumulator) -> Line | None:
    """Return the line of a segment without its clamps; None where it is no line."""
    if not all(s.is_affine or s.kind in ("Relu", "Clip") for s in segment[:-1]):
        return None
    scale, zero_point = segment[-1].operands
    affine = tuple(s for s in segment[:-1] if s.is_affine)
    points = acc.scale * (np.array([[0.0], [1.0]]) - acc.zero_point)
    at_0, at_1 = evaluate(affine, points) / scale + zero_point
    return Line(at_1 - at_0, at_0)


def _at_last_quant(segment: Segment, where: str) -> tuple[Segment, Segment]:
    ends = [i for i, step in enumerate(segment) if step.kind == "Quant"]
    if not ends:
        raise ModelError(
            f"{where} is not quantized; add a quantizer (QuantIdentity) there so that integers can "
            "flow in hardware."
        )
    return segment[: ends[-1] + 1], segment[ends[-1] + 1 :]


def _coded(name: str, block: Block, segment: Segment, tail: Segment) -> Tensor:
    """Return the tensor of a quantizer's codes; affine steps after it change only their meaning."""
    quant = segment[-1].quant
    assert quant is not None
    scale, zero_point = segment[-1].operands
    lo, hi = min(quant.lo, 0), max(quant.hi, 0)
    layout = block.layout
    tensor = Tensor(
        name, layout.size, lo, hi, scale, zero_point, block.end, layout.space,
        bool(layout.channels_first),
    )  # fmt: skip
    return _affine_tail(tensor, tail)


def _affine_tail(tensor: Tensor, steps: Segment) -> Tensor:
    """Return ``tensor`` with the meaning it has after affine ``steps``: the host's business."""
    scale, zero = tensor.scale, tensor.zero_point
    for step in steps:
        gain, offset = _gain_offset(step)
        scale = scale * gain
        if np.any(scale == 0):
            raise UnsupportedOp(
                f"{step.source}: multiplies a channel by 0, so its output carries no information; "
                "remove this channel (or prune it) before export."
            )
        zero = zero - offset / scale
    return replace(tensor, scale=_uniform(scale), zero_point=_uniform(zero))


def _gain_offset(step: Step) -> tuple[FloatArray, FloatArray]:
    if not step.is_affine:
        raise UnsupportedOp(
            f"{step.source}: {step.kind} comes after the last quantizer and is not affine, so it "
            "has no integer form. Put a quantizer after it, or leave it to the host."
        )
    one, nil = np.array(1.0), np.array(0.0)
    match step.kind:
        case "Add":
            return one, step.operands[0]
        case "Sub":
            return one, -step.operands[0]
        case "RSub":
            return -one, step.operands[0]
        case "Mul":
            return step.operands[0], nil
        case "Div":
            return 1.0 / step.operands[0], nil
        case "Neg":
            return -one, nil
    scale, bias, mean, variance, epsilon = step.operands
    gain = scale / np.sqrt(variance + epsilon)
    return gain, bias - mean * gain


def _uniform(values: FloatArray) -> FloatArray:
    """Return a scalar where all channels agree."""
    values = np.asarray(values)
    return np.array(values.flat[0]) if np.all(values == values.flat[0]) else values


def _argmax(name: str, x: Tensor, source: str) -> tuple[ArgMax, Tensor]:
    if x.scale.ndim or x.zero_point.ndim or x.scale <= 0:
        raise UnsupportedOp(
            f"{name}: ArgMax over channels with different scales or offsets; their integers do not "
            "compare. Use a scale per tensor in the last layer, or take the argmax on the host."
        )
    y = f"{name}_out"
    one, nil = np.array(1.0), np.array(0.0)
    return ArgMax(name, x.name, y), Tensor(y, 1, 0, x.size - 1, one, nil, source)
