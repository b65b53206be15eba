"""Split a QONNX graph into blocks: a sum, join or enlargement, and the elementwise ops after it."""

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
from hwgen.streamline.joins import (
    RESIZE_OPS,
    Enlarged,
    Join,
    concatenated,
    enlarged,
    summed,
)
from hwgen.streamline.kernels import is_channels_last
from hwgen.streamline.layout import Layout
from hwgen.streamline.order import Order, in_order
from hwgen.streamline.products import (
    PRODUCT_OPS,
    SPATIAL_OPS,
    Product,
    product,
)
from hwgen.streamline.read import Source
from hwgen.streamline.steps import elementwise
from hwgen.streamline.validate import printable

_SHAPE_OPS = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Transpose")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``segment(head(reads))``; without a head it starts where several blocks read one tensor.

    The first block reads nothing: the host computes it.
    """

    node: str  # name of the head's node, or of the first step
    head: Product | Join | Enlarged | None
    segment: Segment
    source: str  # float tensor after the head
    end: str  # float tensor after the segment
    layout: Layout  # of ``end``
    reads: tuple[int, ...] = ()  # blocks

    @property
    def product(self) -> Product | None:
        """The head where it is a product."""
        return self.head if isinstance(self.head, Product) else None

    def extended(self, steps: Segment, end: str, layout: Layout) -> Block:
        """Return the block with more steps; it ends in ``end`` where the graph knows its order.

        In any other order, no source tensor holds the values after the steps as the graph does.
        """
        longer = replace(self, segment=self.segment + steps)
        if layout.channels_first is None:
            return replace(longer, end="") if steps else longer
        return replace(longer, end=end, layout=layout)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The blocks in order, and whether an ArgMax ends the model."""

    blocks: tuple[Block, ...]
    argmax: str  # name of the ArgMax node, "" if there is none
    output_shape: tuple[int, ...]  # without batch

    def readers(self, block: int) -> list[Block]:
        """Return the blocks that read the output of block number ``block``."""
        return [b for b in self.blocks if block in b.reads]


class _Splitter:
    """Grows the blocks node by node."""

    def __init__(self, source: Source, order: Order) -> None:
        self.source, self.forks = source, order.forks
        first = Block("", None, (), source.input, source.input, _entry(source, order.nodes))
        self.blocks = [first]
        self.home = {source.input: 0}  # block of a tensor
        self.layouts = {source.input: first.layout}
        self.values: list[dict[str, int]] = [{source.input: 0}]  # tensors of a block by step
        self.argmax, self.keepdims = "", True

    def take(self, node: NodeProto) -> None:
        """Put a node into the block it belongs to, or begin one with it."""
        if self.argmax:
            raise UnsupportedOp(f"{node.name}: {node.op_type} after ArgMax; end the model there.")
        data = [n for n in dict.fromkeys(node.input) if n and n not in self.source.constants]
        x, layout = data[0], self.layouts[data[0]]
        with _well_formed(node, layout):
            if node.op_type in PRODUCT_OPS:
                made = product(node, layout, self.source)
                self._begin(node, made, data[:1], made.layout, made.bias)
            elif node.op_type in RESIZE_OPS:
                larger = enlarged(node, layout, self.source)
                self._begin(node, larger, [x], larger.layout)
            elif node.op_type == "Concat" and len(node.input) > 1:
                self._concat(node)
            elif len({self.home[n] for n in data}) > 1 or any(n in self.forks for n in data[1:]):
                join = summed(node, [self.layouts[n] for n in data])
                self._begin(node, join, data, layout)
            elif node.op_type == "ArgMax":
                self.argmax, self.keepdims = _argmax(node, layout)
                self._keep(node, (), layout, x)
            elif node.op_type in _SHAPE_OPS:
                self._keep(node, (), _reshaped(node, layout, self.source), x)
            else:
                steps = elementwise(node, layout, self.source, self._values(node, x))
                self._keep(node, steps, layout, x)

    def _begin(
        self, node: NodeProto, head: Product | Join | Enlarged, data: Sequence[str],
        layout: Layout, steps: Segment = (),
    ) -> None:  # fmt: skip
        end = node.output[0]
        reads = tuple(self.home[n] for n in data)
        block = Block(node.name, head, steps, end, end, layout, reads)
        self._append(block, end, {end: len(steps)})

    def _append(self, block: Block, end: str, values: dict[str, int]) -> None:
        self.blocks.append(block)
        self.values.append(values)
        self.home[end], self.layouts[end] = len(self.blocks) - 1, block.layout

    def _concat(self, node: NodeProto) -> None:
        """Begin a block for every input of a Concat after the first."""
        for name in node.input:
            if name in self.source.constants:
                raise UnsupportedOp(
                    f"{node.name}: Concat with a constant ({name!r}); hwgen joins data. Pad the "
                    "weights of the next layer instead."
                )
        here, *others = node.input
        for i, other in enumerate(others):
            made = concatenated(node, self.layouts[here], self.layouts[other])
            end = node.output[0] if i == len(others) - 1 else f"{node.output[0]}.{i}"
            reads = self.home[here], self.home[other]
            block = Block(node.name, Join("concat"), (), end, end, made, reads)
            self._append(block, end, {end: 0})
            here = end

    def _values(self, node: NodeProto, x: str) -> dict[str, int]:
        return {x: 0} if x in self.forks else self.values[self.home[x]]

    def _keep(self, node: NodeProto, steps: Segment, layout: Layout, x: str) -> None:
        """Extend the block of ``x``; where others read ``x`` as well, begin one without a head."""
        end = node.output[0]
        if x in self.forks:
            block = Block(node.name, None, (), x, x, self.layouts[x], (self.home[x],))
            self._append(block, end, {x: 0})
        at = self.home[x] if x not in self.forks else len(self.blocks) - 1
        if not steps and not np.array_equal(layout.order, self.layouts[x].order):
            self.values[at] = {}
        self.blocks[at] = self.blocks[at].extended(steps, end, layout)
        self.values[at][end] = len(self.blocks[at].segment)
        self.home[end], self.layouts[end] = at, layout


def split(source: Source) -> Network:
    """Return the blocks of a model.

    raises  UnsupportedOp, ModelError  naming the node, the reason and a remedy
    """
    order = in_order(source)
    splitter = _Splitter(source, order)
    for node in order.nodes:
        splitter.take(node)
    blocks = splitter.blocks
    if len(blocks) == 1:
        raise ModelError(
            f"{source.name}: no MatMul, Gemm, Conv or average pooling; there is nothing to build."
        )
    data, argmax = splitter.layouts[source.output], splitter.argmax
    if not argmax and data.channels_first is None:
        raise UnsupportedOp(
            f"{source.name}: its output regroups the channels of an image; end the model before "
            "this transposition."
        )
    shape = data.shape[1:] if not argmax else data.shape[1:-1] + (1,) * splitter.keepdims
    return Network(tuple(blocks), argmax, shape)


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


def _entry(source: Source, nodes: Sequence[NodeProto]) -> Layout:
    """Return the layout of the input: an image if the first head works on one.

    The image is what arrives at this head; the reshapes before it must leave the input
    with channels first or last.
    """
    plain = Layout.vector((1, *source.input_shape))
    first = next((node for node in nodes if node.op_type in (*PRODUCT_OPS, *RESIZE_OPS)), None)
    if first is None or first.op_type not in (*SPATIAL_OPS, *RESIZE_OPS):
        return plain
    seen = plain
    for node in _trail(source, first):
        if node.op_type in _SHAPE_OPS:
            with _well_formed(node, seen):
                seen = _reshaped(node, seen, source)
    if len(seen.shape) < 3:
        return plain
    last = is_channels_last(first)
    size, *space = (seen.shape[-1], *seen.shape[1:-1]) if last else seen.shape[1:]
    there = Layout.image(size, tuple(space), not last).order
    order = np.empty_like(plain.order)
    order.ravel()[seen.order.ravel()] = there.ravel()
    layout = Layout(order, size, tuple(space))
    if layout.channels_first is None:
        raise UnsupportedOp(
            f"{first.name}: the image {list(seen.shape)} is not the input "
            f"{list(source.input_shape)} with its channels first or last; feed the model images in "
            "their own shape."
        )
    return layout


def _trail(source: Source, node: NodeProto) -> list[NodeProto]:
    """Return the nodes between the input and ``node``, along first operands."""
    writers = {n.output[0]: n for n in source.nodes}
    found: list[NodeProto] = []
    while (x := next(n for n in node.input if n not in source.constants)) in writers:
        node = writers[x]
        found.insert(0, node)
    return found


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
