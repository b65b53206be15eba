"""Split a QONNX graph into blocks: an accumulating op and the elementwise segment after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.num.elementwise import Segment
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.layout import Layout
from hwgen.streamline.products import (
    PRODUCT_OPS,
    SPATIAL_OPS,
    Product,
    is_channels_last,
    product,
)
from hwgen.streamline.read import Source
from hwgen.streamline.steps import elementwise
from hwgen.streamline.validate import printable

_SHAPE_OPS = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Transpose")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``segment(product(x))``; the first block of a model has no product (the host computes it)."""

    node: str  # name of the product's node, "" for the input block
    product: Product | None
    segment: Segment
    source: str  # float tensor after the product
    end: str  # float tensor after the segment
    layout: Layout  # of ``end``

    def extended(self, steps: Segment, end: str, layout: Layout) -> Block:
        """Return the block with more steps; it ends in ``end`` where the graph knows its order.

        In any other order, no source tensor holds the values after the steps as the graph does.
        """
        longer = replace(self, segment=self.segment + steps)
        if layout.channels_first is None:
            return replace(longer, end="") if steps else longer
        return replace(longer, end=end, layout=layout)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The blocks in order, and whether an ArgMax ends the model."""

    blocks: tuple[Block, ...]
    argmax: str  # name of the ArgMax node, "" if there is none
    output_shape: tuple[int, ...]  # without batch


def split(source: Source) -> Chain:
    """Return the blocks of a model.

    raises  UnsupportedOp, ModelError  naming the node, the reason and a remedy
    """
    path = _in_order(source)
    data = _entry(source, path)
    blocks: list[Block] = []
    block = Block("", None, (), source.input, source.input, data)
    values = {source.input: 0}
    argmax, keepdims = "", True
    for node in path:
        if argmax:
            raise UnsupportedOp(f"{node.name}: {node.op_type} after ArgMax; end the model there.")
        end = node.output[0]
        with _well_formed(node, data):
            if node.op_type in PRODUCT_OPS:
                blocks.append(block)
                made = product(node, data, source)
                data = made.layout
                block = Block(node.name, made, made.bias, end, end, data)
                values = {}
            elif node.op_type in _SHAPE_OPS:
                moved = _reshaped(node, data, source)
                values = values if np.array_equal(moved.order, data.order) else {}
                data = moved
                block = block.extended((), end, data)
            elif node.op_type == "ArgMax":
                argmax, keepdims = _argmax(node, data)
            else:
                steps = elementwise(node, data, source, values)
                block = block.extended(steps, end, data)
            values[end] = len(block.segment)
    if not blocks:
        raise ModelError(
            f"{source.name}: no MatMul, Gemm, Conv or average pooling; there is nothing to build."
        )
    if not argmax and data.channels_first is None:
        raise UnsupportedOp(
            f"{source.name}: its output regroups the channels of an image; end the model before "
            "this transposition."
        )
    shape = data.shape[1:] if not argmax else data.shape[1:-1] + (1,) * keepdims
    return Chain((*blocks, block), argmax, shape)


@contextmanager
def _well_formed(node: NodeProto, data: Layout) -> Iterator[None]:
    """Name the node in what Python says of operands and attributes that do not fit together."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ModelError(
            f"{node.name}: {node.op_type} on data of shape {list(data.shape)} is malformed "
            f"({printable(str(error))}); check the file with onnx.checker and export it again."
        ) from None


def _entry(source: Source, path: Sequence[NodeProto]) -> Layout:
    """Return the layout of the input: an image if the first product slides over one.

    The image is what arrives at this product; the reshapes before it must leave the input
    with channels first or last.
    """
    plain = Layout.vector((1, *source.input_shape))
    end = next((i for i, node in enumerate(path) if node.op_type in PRODUCT_OPS), None)
    if end is None or path[end].op_type not in SPATIAL_OPS:
        return plain
    seen = plain
    for node in path[:end]:
        if node.op_type in _SHAPE_OPS:
            with _well_formed(node, seen):
                seen = _reshaped(node, seen, source)
    if len(seen.shape) < 3:
        return plain
    last = is_channels_last(path[end])
    size, *space = (seen.shape[-1], *seen.shape[1:-1]) if last else seen.shape[1:]
    there = Layout.image(size, tuple(space), not last).order
    order = np.empty_like(plain.order)
    order.ravel()[seen.order.ravel()] = there.ravel()
    layout = Layout(order, size, tuple(space))
    if layout.channels_first is None:
        raise UnsupportedOp(
            f"{path[end].name}: the image {list(seen.shape)} is not the input "
            f"{list(source.input_shape)} with its channels first or last; feed the model images in "
            "their own shape."
        )
    return layout


def _in_order(source: Source) -> list[NodeProto]:
    """Return the nodes from input to output, each of which reads the one before it."""
    reads = [{n for n in node.input if n and n not in source.constants} for node in source.nodes]
    path, here, seen, left = [], source.input, {source.input}, list(range(len(reads)))
    while here != source.output:
        ready = next((i for i in left if here in reads[i] and reads[i] <= seen), None)
        if ready is None:
            break
        left.remove(ready)
        path.append(source.nodes[ready])
        here = source.nodes[ready].output[0]
        seen.add(here)
    forks = [name for node in path for name in node.input if any(name in reads[i] for i in left)]
    if forks or here != source.output:
        raise source.branch([*forks, here][0])
    return path


def _reshaped(node: NodeProto, data: Layout, source: Source) -> Layout:
    """Return the layout after a node that only moves elements."""
    given = attributes_of(node)
    order = data.order
    match node.op_type:
        case "Transpose":
            order = order.transpose(given.get("perm", list(range(order.ndim))[::-1]))
        case "Flatten":
            order = order.reshape(prod(order.shape[: given.get("axis", 1)]), -1)
        case "Reshape":
            target = source.constants.get(node.input[1])
            if target is None:
                raise UnsupportedOp(f"{node.name}: Reshape to a computed shape; make it static.")
            order = order.reshape([int(d) or order.shape[i] for i, d in enumerate(target.value)])
        case "Squeeze" | "Unsqueeze":
            raw = (
                source.constants[node.input[1]].value
                if len(node.input) > 1
                else given.get("axes", ())
            )
            axes = tuple(int(a) for a in np.asarray(raw).ravel())
            squeeze = node.op_type == "Squeeze"
            order = np.squeeze(order, axes or None) if squeeze else np.expand_dims(order, axes)
    moved = {"Transpose": given.get("perm", [1])[0], "Flatten": given.get("axis", 1) == 0}
    if order.shape[:1] != (1,) or moved.get(node.op_type):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} of {list(data.shape)} to {list(order.shape)} moves the "
            "batch off the first axis; keep a first axis of 1 that nothing else shares."
        )
    return data.with_order(order)


def _argmax(node: NodeProto, data: Layout) -> tuple[str, bool]:
    """Return the name of an ArgMax over all outputs, and whether it keeps their axis."""
    attributes, shape = attributes_of(node), data.shape
    if data.order.size != data.size or not data.is_straight:
        raise UnsupportedOp(
            f"{node.name}: ArgMax over the {data.order.size} values of an image of "
            f"{list(data.space)}; hwgen takes the largest of one vector. Pool over the positions "
            "before it, or take the argmax on the host."
        )
    if int(np.prod(shape)) != shape[-1] or attributes.get("axis", 0) % len(shape) != len(shape) - 1:
        raise UnsupportedOp(
            f"{node.name}: ArgMax over axis {attributes.get('axis', 0)} of {list(shape)}; hwgen "
            "takes the largest over all outputs. Use the last axis of one vector."
        )
    if attributes.get("select_last_index", 0):
        raise UnsupportedOp(f"{node.name}: ArgMax with select_last_index; use the first index.")
    return node.name, bool(attributes.get("keepdims", 1))
