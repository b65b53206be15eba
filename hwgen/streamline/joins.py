"""Where branches meet, and images grow: Add, Sub, Concat, Resize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from onnx import NodeProto

from hwgen.errors import UnsupportedOp
from hwgen.num.inttype import FloatArray
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.layout import Layout
from hwgen.streamline.read import Source

RESIZE_OPS = ("Resize", "Upsample")


@dataclass(frozen=True, slots=True)
class Join:
    """Two branches become one: ``signs[0] * x + signs[1] * other``, or their channels in a row."""

    kind: Literal["add", "concat"]
    signs: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Enlarged:
    """Nearest neighbour, by whole factors."""

    factor: tuple[int, ...]  # per axis of space
    layout: Layout  # of the node's output


def summed(node: NodeProto, layouts: Sequence[Layout]) -> Join:
    """Return the join that a node with two data inputs is.

    raises  UnsupportedOp  it is no sum, or its inputs differ in shape
    """
    if node.op_type not in ("Add", "Sub"):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} of two data tensors; hwgen joins branches with Add, Sub "
            "and Concat. Change the model, or export the part before it."
        )
    a, b = layouts
    if a.space != b.space or not np.array_equal(a.order, b.order):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} of data {list(a.shape)} and {list(b.shape)}, which are "
            "not in one order or shape; give both branches the same shape."
        )
    return Join("add", (1, -1 if node.op_type == "Sub" else 1))


def concatenated(node: NodeProto, a: Layout, b: Layout) -> Layout:
    """Return the layout after a Concat along the channels.

    raises  UnsupportedOp  along another axis
    """
    axis = int(attributes_of(node).get("axis", 1))
    size = a.size + b.size
    if a.space == b.space:
        orders = [t.order // t.size * size + t.order % t.size for t in (a, b)]
        order = np.concatenate([orders[0], orders[1] + a.size], axis)
        if len(np.unique(order)) == order.size:
            return Layout(order, size, a.space)
    raise UnsupportedOp(
        f"{node.name}: Concat of data {list(a.shape)} and {list(b.shape)} along axis {axis}; hwgen "
        "puts the channels of equal images in a row. Concatenate channels."
    )


def enlarged(node: NodeProto, data: Layout, source: Source) -> Enlarged:
    """Return nearest-neighbour upsampling by whole factors.

    raises  UnsupportedOp  another mode, or a factor that is not whole
    """
    given = attributes_of(node)
    shapes = {f: Layout.image(data.size, data.space, f).order for f in (True, False)}
    first = next((f for f, order in shapes.items() if np.array_equal(order, data.order)), None)
    if not data.space or first is None:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} of data {list(data.shape)}, which is no image in its own "
            "shape; feed it (1, C, H, W)."
        )
    spaces = slice(2, None) if first else slice(1, -1)
    sizes = _sizes(node, data, source)
    old, new = np.array(data.shape), np.array(sizes)
    mode = given.get("mode", b"nearest").decode()
    whole = new % old == 0
    kept = [0, 1] if first else [0, len(sizes) - 1]
    nearest = mode == "nearest" and all(
        _is_plain(int(n), int(m), node) for n, m in zip(old[spaces], new[spaces], strict=True)
    )
    if not nearest or not whole.all() or np.any(new[kept] != old[kept]):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} in mode {mode!r} of {list(data.shape)} to "
            f"{[int(n) for n in new]}; hwgen repeats pixels whole times: nearest neighbour by "
            "integer factors. Change the upsampling, or use a transposed convolution."
        )
    space = tuple(int(n) for n in new[spaces])
    factor = tuple(int(f) for f in (new // old)[spaces])
    return Enlarged(factor, Layout.image(data.size, space, first))


def _sizes(node: NodeProto, data: Layout, source: Source) -> list[int]:
    """Return the shape of the output."""
    names = list(node.input) + [""] * 4
    scales, sizes = (names[1], "") if node.op_type == "Upsample" else (names[2], names[3])
    if sizes:
        return [int(n) for n in source.constant(node, sizes)]
    factors = source.constant(node, scales)
    return [int(np.floor(n * f)) for n, f in zip(data.shape, factors, strict=True)]


def _is_plain(old: int, new: int, node: NodeProto) -> bool:
    """Return whether position ``i`` of the output shows pixel ``i // factor``."""
    if node.op_type == "Upsample":
        return True
    given, at, ratio = attributes_of(node), np.arange(new), new / old
    where: FloatArray
    match given.get("coordinate_transformation_mode", b"half_pixel"):
        case b"asymmetric":
            where = np.asarray(at / ratio)
        case b"half_pixel" | b"pytorch_half_pixel":
            where = np.asarray((at + 0.5) / ratio - 0.5)
        case b"align_corners":
            where = np.asarray(at * (old - 1) / max(new - 1, 1))
        case _:
            return False
    match given.get("nearest_mode", b"round_prefer_floor"):
        case b"floor":
            index = np.floor(where)
        case b"ceil":
            index = np.ceil(where)
        case b"round_prefer_ceil":
            index = np.floor(where + 0.5)
        case _:
            index = np.ceil(where - 0.5)
    return np.array_equal(np.clip(index, 0, old - 1), at // max(new // old, 1))
