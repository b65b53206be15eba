"""Blocks of a float network -> integer graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from hwgen.graph.ir import ArgMax, Graph, Layer, Tensor
from hwgen.graph.names import Names
from hwgen.num.elementwise import Segment, Step, codes, direction, evaluate, rebased
from hwgen.num.inttype import FloatArray
from hwgen.streamline.align import aligned
from hwgen.streamline.blocks import Block, Network
from hwgen.streamline.heads import (
    Accumulator,
    Head,
    add_head,
    concat_head,
    enlarged_head,
    product_head,
    uniform,
    whole_range,
)
from hwgen.streamline.joins import Enlarged, Join
from hwgen.streamline.products import Product
from hwgen.streamline.read import Source


def lower(source: Source, network: Network) -> Graph:
    """Return the integer graph that computes the same codes as the blocks, exactly."""
    names = Names()
    first = network.blocks[0]
    encoder, tail = _at_last_quant(first.segment, f"the input of {network.readers(0)[0].node}")
    entry = _coded("codes", first, encoder, tail)
    ends, tensors, layers = [entry], [entry], []
    for i, block in enumerate(network.blocks[1:], start=1):
        xs = [ends[read] for read in block.reads]
        new_layers, new_tensors = _lower_block(block, xs, names, network.readers(i))
        layers += new_layers
        tensors += new_tensors
        ends.append(new_tensors[-1] if new_tensors else xs[0])
    if network.argmax:
        layer, tensor = _argmax(names.new(network.argmax), ends[-1], source.output)
        layers.append(layer)
        tensors.append(tensor)
    return Graph(
        name=names.new(source.name),
        input=entry.name,
        output=tensors[-1].name,
        input_shape=source.input_shape,
        output_shape=network.output_shape,
        encoder=encoder,
        tensors=tuple(tensors),
        layers=tuple(layers),
    )


def _lower_block(
    block: Block, xs: Sequence[Tensor], names: Names, after: Sequence[Block]
) -> tuple[list[Layer], list[Tensor]]:
    """Return the layers of a block, and their outputs; none where it only views its input."""
    if block.head is None and not block.segment:
        return [], []
    closes = any(step.kind == "Quant" for step in block.segment)
    segment, tail = _at_last_quant(block.segment, block.node) if closes else ((), ())
    cut = _monotone(segment) if closes else 0
    if not _turns(block) and _falls(segment[:cut], xs):
        cut = 0
    head = _head(block, xs, names, segment, cut)
    acc = head.tensors[-1] if head.tensors else xs[0]
    if not closes:
        _check_open(block, after)
        first = bool(block.layout.channels_first)
        acc = replace(_affine_tail(acc, block.segment), source=block.end, channels_first=first)
        return list(head.layers), [*head.tensors[:-1], acc]
    closing, closed = _closed(block, acc, head.bounds, segment, tail, cut, names, after)
    return [*head.layers, *closing], [*head.tensors, *closed]


def _head(block: Block, xs: Sequence[Tensor], names: Names, segment: Segment, cut: int) -> Head:
    match block.head:
        case Product():
            return product_head(block, block.head, xs[0], names, segment[:cut])
        case Enlarged():
            return enlarged_head(block, block.head, xs[0], names)
        case Join(kind="concat"):
            return concat_head(block, xs[0], xs[1], names)
        case Join():
            gains, unit = aligned(block, block.head, xs, segment)
            return add_head(block, xs[0], xs[1], names, gains, unit)
        case None:
            return Head((), (), whole_range(xs[0]))


def _turns(block: Block) -> bool:
    """Return whether the head can change the sign of each channel: not that of a maximum."""
    return block.product is not None and not block.product.maximum


def _falls(segment: Segment, xs: Sequence[Tensor]) -> bool:
    """Return whether a function of codes decreases somewhere."""
    return any(np.any(direction(segment) * np.sign(x.scale) < 0) for x in xs)


def _check_open(block: Block, after: Sequence[Block]) -> None:
    """Refuse sums that are not quantized before the next sum."""
    if block.head is None:
        raise UnsupportedOp(
            f"{block.node}: a branch scales or shifts its input and has no quantizer; add a "
            "quantized activation (QuantIdentity) at its end."
        )
    if not _turns(block):
        return
    reader = next((b for b in after if b.product is not None), None)
    if reader is not None:
        raise ModelError(
            f"{block.node}: its output reaches {reader.node} without a quantizer; add a "
            "quantized activation (QuantReLU, QuantIdentity) between them."
        )


def _closed(
    block: Block, acc: Tensor, bounds: Accumulator, segment: Segment, tail: Segment, cut: int,
    names: Names, after: Sequence[Block],
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


def grid_gain(block: Block, readers: Sequence[Block]) -> int:
    """Return how many codes of the graph make one code of the quantizer that ends ``block``.

    2 where zero lies between two codes (+1, -1) and pads: on half the grid it has a code.
    """
    segment, tail = _at_last_quant(block.segment, block.node)
    zero_point = _coded("", block, segment, tail).zero_point
    return 2 if any(map(_pads, readers)) and np.any(zero_point % 1) else 1


def _pads(block: Block) -> bool:
    """Return whether a block slides its kernel over zeros that are not in its input."""
    product = block.product
    if product is None or product.kernel is None:
        return False
    return product.spread is not None or bool(np.any(product.kernel.pads))


def _line(segment: Segment, acc: Accumulator) -> Line | None:
    """Return the line of a segment without its clamps; None where it is no line."""
    if not all(s.is_affine or s.kind in ("Relu", "Clip") for s in segment[:-1]):
        return None
    scale, zero_point = segment[-1].operands
    affine = tuple(s for s in segment[:-1] if s.is_affine)
    places = np.repeat([[0.0], [1.0]], len(acc.lo), axis=1)
    points = acc.scale * (places - acc.zero_point)
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
    return replace(tensor, scale=uniform(scale), zero_point=uniform(zero))


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


def _argmax(name: str, x: Tensor, source: str) -> tuple[ArgMax, Tensor]:
    if x.scale.ndim or x.zero_point.ndim or x.scale <= 0:
        raise UnsupportedOp(
            f"{name}: ArgMax over channels with different scales or offsets; their integers do not "
            "compare. Use a scale per tensor in the last layer, or take the argmax on the host."
        )
    y = f"{name}_out"
    one, nil = np.array(1.0), np.array(0.0)
    return ArgMax(name, x.name, y), Tensor(y, 1, 0, x.size - 1, one, nil, source)
