"""The head of a block - a product, a join, an enlargement - as layers of the integer graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.graph.ir import (
    Add,
    Concat,
    Dense,
    Depthwise,
    Layer,
    MaxPool,
    Tensor,
    Upsample,
    Window,
    XnorDense,
)
from hwgen.graph.names import Names
from hwgen.graph.ranges import accumulator_bounds, sum_bounds
from hwgen.num.elementwise import Segment, direction
from hwgen.num.inttype import FloatArray, IntArray, frozen_array
from hwgen.streamline.blocks import Block
from hwgen.streamline.joins import Enlarged
from hwgen.streamline.kernels import Kernel
from hwgen.streamline.products import Product, Spread
from hwgen.streamline.weights import integer_weights


@dataclass(frozen=True, slots=True, eq=False)
class Accumulator:
    """Per-channel bounds and meaning of an accumulator: real = scale * (a - zero_point)."""

    lo: IntArray  # (channels,)
    hi: IntArray
    scale: FloatArray
    zero_point: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Layers, their outputs, of which the last is the accumulator, and its bounds."""

    layers: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    bounds: Accumulator


def product_head(block: Block, product: Product, x: Tensor, names: Names, segment: Segment) -> Head:
    """Return the layers of a product, the window in front of it included.

    segment  its monotone ops; rows are negated where the whole decreases
    """
    if (x.scale.ndim or x.zero_point.ndim) and not product.depthwise:
        raise UnsupportedOp(
            f"{block.node}: its input has a scale or zero point per channel; a sum over channels "
            "has no single scale. Quantize this activation per tensor."
        )
    layers: list[Layer] = []
    tensors: list[Tensor] = []
    name, kernel = names.new(block.node), product.kernel
    if product.spread is not None:
        apart, x = _spread(block, x, names.new(f"{name}_spread"), product.spread)
        layers.append(apart)
        tensors.append(x)
    if kernel is not None and not kernel.is_pointwise:
        window, x = _window(block, product, x, names.new(f"{name}_window"), kernel)
        layers.append(window)
        tensors.append(x)
    layer, acc, bounds = _reduced(block, product, x, name, segment)
    return Head((*layers, layer), (*tensors, acc), bounds)


def enlarged_head(block: Block, larger: Enlarged, x: Tensor, names: Names) -> Head:
    """Return the layer of nearest-neighbour upsampling."""
    name = names.new(block.node)
    space = larger.layout.space
    layer = Upsample(name, x.name, f"{name}_out", larger.factor, space, None)
    y = replace(x, name=layer.y, space=space, source=block.source)
    return Head((layer,), (y,), whole_range(y))


def concat_head(block: Block, a: Tensor, b: Tensor, names: Names) -> Head:
    """Return the layer that puts channels in a row; each keeps its own meaning."""
    name = names.new(block.node)
    layer = Concat(name, a.name, b.name, f"{name}_out")
    scale, zero = (
        uniform(np.concatenate([np.broadcast_to(getattr(t, role), t.size) for t in (a, b)]))
        for role in ("scale", "zero_point")
    )
    y = Tensor(
        layer.y, a.size + b.size, min(a.lo, b.lo), max(a.hi, b.hi), scale, zero, block.source,
        a.space, bool(block.layout.channels_first),
    )  # fmt: skip
    low = np.repeat([a.lo, b.lo], [a.size, b.size])
    high = np.repeat([a.hi, b.hi], [a.size, b.size])
    return Head((layer,), (y,), _bounds(y, low, high))


def add_head(
    block: Block, a: Tensor, b: Tensor, names: Names, gains: tuple[int, int], unit: float
) -> Head:
    """Return the layer that adds two branches: ``gains`` times their codes, in units."""
    name = names.new(block.node)
    layer = Add(name, a.name, b.name, f"{name}_out", gains)
    zero = gains[0] * a.zero_point + gains[1] * b.zero_point
    low, high = sum_bounds(gains, a, b)
    y = Tensor(
        layer.y, a.size, low, high, np.asarray(unit), np.asarray(zero), block.source, a.space,
        bool(block.layout.channels_first),
    )  # fmt: skip
    return Head((layer,), (y,), whole_range(y))


def whole_range(t: Tensor) -> Accumulator:
    """Return the bounds of a tensor, the same for each channel."""
    return _bounds(t, np.full(t.size, t.lo), np.full(t.size, t.hi))


def _bounds(t: Tensor, low: IntArray, high: IntArray) -> Accumulator:
    return Accumulator(low, high, t.scale, t.zero_point)


def uniform(values: FloatArray) -> FloatArray:
    """Return a scalar where all channels agree."""
    values = np.asarray(values)
    return np.array(values.flat[0]) if np.all(values == values.flat[0]) else values


def _spread(block: Block, x: Tensor, name: str, spread: Spread) -> tuple[Upsample, Tensor]:
    fill = _zero_code(block, x)
    layer = Upsample(name, x.name, f"{name}_out", spread.factor, spread.space, fill)
    lo, hi = min(x.lo, fill), max(x.hi, fill)
    return layer, replace(x, name=layer.y, lo=lo, hi=hi, space=spread.space, source="")


def _zero_code(block: Block, x: Tensor) -> int:
    """Return the code that stands for 0 in every channel."""
    zero = np.unique(x.zero_point)
    if len(zero) > 1 or zero[0] % 1:
        raise UnsupportedOp(
            f"{block.node}: pads with 0, which no code of its input stands for (zero point "
            f"{float(zero[0])}); use padding 0, or an activation quantizer that has 0 on its "
            "grid."
        )
    return int(zero[0])


def _window(
    block: Block, product: Product, x: Tensor, name: str, kernel: Kernel
) -> tuple[Window, Tensor]:
    """Return the layer that puts the values under the kernel side by side, and its output."""
    taps, pad = prod(kernel.size), 0
    if product.maximum:
        pad = x.lo  # the least code: never the largest of a window that has any other
    elif np.any(kernel.pads):
        pad = _zero_code(block, x)
    layer = Window(
        name, x.name, f"{name}_out", kernel.size, kernel.stride, kernel.dilation, kernel.pads, pad
    )
    y = Tensor(
        layer.y, taps * x.size, min(x.lo, pad), max(x.hi, pad),
        _tiled(x.scale, taps), _tiled(x.zero_point, taps), "", product.layout.space,
    )  # fmt: skip
    return layer, y


def _tiled(values: FloatArray, taps: int) -> FloatArray:
    return np.tile(values, taps) if values.ndim else values


def _reduced(
    block: Block, product: Product, x: Tensor, name: str, segment: Segment
) -> tuple[Layer, Tensor, Accumulator]:
    """Return the layer, its accumulator tensor and bounds."""
    ints = integer_weights(block.node, product.weight)
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
    layer: Layer
    if product.maximum:
        if np.any(scale <= 0):
            raise UnsupportedOp(
                f"{block.node}: MaxPool of data with a negative scale; pool before the negation."
            )
        zero = np.broadcast_to(np.asarray(x_zero, dtype=np.float64), (rows,))
        low, high = np.full(rows, x.lo), np.full(rows, x.hi)
        layer = MaxPool(name, x.name, y, weights.shape[1])
    elif product.depthwise:
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
        product.layout.space, bool(product.layout.channels_first),
    )  # fmt: skip
    return layer, acc, Accumulator(low, high, scale, zero)
