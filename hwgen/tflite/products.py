"""Convolutions, fully connected layers and pooling: a sum or maximum, then TFLite's rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import TypeAlias

import numpy as np

from hwgen.closing import Line
from hwgen.closing.staircase import Function
from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.ir import Dense, Depthwise, MaxPool, Tensor
from hwgen.graph.ranges import accumulator_bounds
from hwgen.limits import MAX_ELEMENTS
from hwgen.num.inttype import FloatArray, IntArray, frozen_array
from hwgen.tflite.arithmetic import (
    Multiplier,
    by_double,
    by_fixed_point,
    mean_multiplier,
    rounded_quotient,
    twice_rounded,
)
from hwgen.tflite.builder import Builder, coded
from hwgen.tflite.operands import (
    bias,
    clamp,
    constant,
    data,
    int8,
    kernel_weights,
    require_image,
    require_int32,
    space_of,
)
from hwgen.tflite.read import Operator, Value
from hwgen.tflite.windows import append_window, padding

Rescale: TypeAlias = Callable[[IntArray, FloatArray], IntArray]

_SAME_SCALE = 1e-6  # how far TFLite lets the scales around a pool differ


@dataclass(frozen=True, slots=True, eq=False)
class _Closing:
    """What the sum ``weights @ x`` becomes."""

    bias: IntArray  # (out,) added to the sum of weights * (x - zero_point)
    scale: FloatArray  # () or (out,) of the sum
    zero_point: IntArray  # (out,) of the sum
    multiply: Rescale


def convolution(b: Builder, op: Operator) -> None:
    """Append CONV_2D; weights (out, height, width, in)."""
    x, w, weights = int8(op, data(op)), constant(op, 1), kernel_weights(op, axis=0)
    require_image(op, x, b.space, b.here.size)
    if weights.ndim != 4 or weights.shape[-1] != x.shape[-1]:
        raise UnsupportedOp(
            f"{op.name}: weights {list(w.shape)} on an input of {x.shape[-1]} channels; hwgen has "
            "no grouped convolutions. Use a depthwise or a full one."
        )
    weights = append_window(b, op, weights, int(x.zero_point))
    _dense(b, op, weights.reshape(len(weights), -1), space_of(op.outputs[0]), by_fixed_point)


def depthwise(b: Builder, op: Operator) -> None:
    """Append DEPTHWISE_CONV_2D; weights (1, height, width, in * multiplier)."""
    x, weights = int8(op, data(op)), kernel_weights(op, axis=3)
    require_image(op, x, b.space, b.here.size)
    channels = x.shape[-1]
    if weights.ndim != 4 or weights.shape[0] != 1 or weights.shape[-1] % channels:
        raise UnsupportedOp(
            f"{op.name}: weights {list(weights.shape)} on an input of {channels} channels; a "
            "depthwise convolution has (1, height, width, channels * multiplier)."
        )
    weights = append_window(b, op, weights, int(x.zero_point))
    taps = weights.reshape(-1, weights.shape[-1])
    copies = weights.shape[-1] // channels
    if copies * channels * taps.size > MAX_ELEMENTS:
        raise UnsupportedOp(
            f"{op.name}: a channel multiplier of {copies} on {channels} channels; hwgen builds it "
            f"as a full convolution, which would have more than {MAX_ELEMENTS} weights. Split it."
        )
    if copies > 1:
        spread = np.zeros((taps.shape[1], len(taps), channels), dtype=np.int64)
        outputs = np.arange(taps.shape[1])
        spread[outputs, :, outputs // copies] = taps.T
        return _dense(
            b, op, spread.reshape(len(spread), -1), space_of(op.outputs[0]), by_fixed_point
        )
    closing = _closing(op, taps.T, by_fixed_point)
    name = b.names.new(op.name)
    lo, hi = accumulator_bounds(taps.T, b.here.lo, b.here.hi)
    y = _sum(name, lo, hi, closing, b.here.space)
    b.append(Depthwise(name, b.here.name, y.name, frozen_array(taps.T)), y)
    _requantize(b, op, closing, lo, hi)
    return None


def fully_connected(b: Builder, op: Operator) -> None:
    """Append FULLY_CONNECTED; weights (out, in)."""
    int8(op, data(op))
    weights = kernel_weights(op, axis=0)
    if op.options.get("WeightsFormat", 0) != 0:
        raise UnsupportedOp(f"{op.name}: shuffled weights; convert with the default format.")
    if weights.ndim != 2 or b.here.values % weights.shape[1]:
        raise UnsupportedOp(
            f"{op.name}: weights {list(weights.shape)} on {b.here.values} values; the weights must "
            "be (out, in)."
        )
    rows = b.here.values // weights.shape[1]
    if rows > 1 and (weights.shape[1] != b.here.size):
        raise UnsupportedOp(
            f"{op.name}: applied to {rows} parts of {b.here.size} channels; hwgen applies a layer "
            "to all values, or to the channels of each pixel. Flatten the input first."
        )
    _dense(b, op, weights, b.here.space if rows > 1 else (), by_double)


def average_pool(b: Builder, op: Operator) -> None:
    """Append AVERAGE_POOL_2D; the mean is rounded half away from zero."""
    _, y, kernel = _pooled(b, op)
    if np.any(padding(op, kernel)):
        raise UnsupportedOp(
            f"{op.name}: SAME padding; at the border the mean is over fewer pixels, so the divisor "
            "depends on the position. Use VALID padding, or a kernel that divides the image."
        )
    taps, (low, high) = int(np.prod(kernel)), clamp(op, y)

    def f(a: IntArray) -> IntArray:
        return np.clip(rounded_quotient(a, taps), low, high)

    _pool(b, op, kernel, f, slope=1 / taps, offset=0.0)


def max_pool(b: Builder, op: Operator) -> None:
    """Append MAX_POOL_2D; the least code pads."""
    x, y, kernel = _pooled(b, op)
    size, taps, least = b.here.size, int(np.prod(kernel)), b.here.lo
    ones = np.ones((1, *kernel, size), dtype=np.int64)
    append_window(b, op, ones, least, crop=False)
    name, space = b.names.new(op.name), b.here.space
    largest = Tensor(
        f"{name}_out", size, b.here.lo, b.here.hi, x.scale, x.zero_point, "", space
    )  # fmt: skip
    low, high = clamp(op, y)
    clamps = low > largest.lo or high < largest.hi
    if not clamps:
        largest = coded(largest.name, largest, op.outputs[0], largest.lo, largest.hi)
    b.append(MaxPool(name, b.here.name, largest.name, taps), largest)
    if clamps:
        ends = np.full(size, largest.lo), np.full(size, largest.hi)
        line = Line(np.ones(size), np.zeros(size))
        b.close(op, lambda a: np.clip(a, low, high), *ends, line)


def _pooled(b: Builder, op: Operator) -> tuple[Value, Value, tuple[int, int]]:
    """Return the input, the output and the kernel of an op that pools codes."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    require_image(op, x, b.space, b.here.size)
    if abs(x.scale - y.scale) > _SAME_SCALE or x.zero_point != y.zero_point:
        raise UnsupportedOp(
            f"{op.name}: its input and output have different scales or zero points, and TFLite's "
            "pooling keeps the codes; quantize the model again."
        )
    return x, y, (op.options["FilterHeight"], op.options["FilterWidth"])


def mean(b: Builder, op: Operator) -> None:
    """Append MEAN over height and width, by TFLite's multiplier that divides, too."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    require_image(op, x, b.space, b.here.size)
    axes = constant(op, 1).data
    if axes is None or sorted(int(a) % 4 for a in axes.flat) != [1, 2]:
        raise UnsupportedOp(f"{op.name}: not over height and width; hwgen takes no other mean.")
    if b.pads:
        raise UnsupportedOp(f"{op.name}: follows a PAD; take the mean before padding.")
    kernel = space_of(x)
    taps = int(np.prod(kernel))
    by = mean_multiplier(float(x.scale / y.scale), taps)
    centre, zero_point = taps * int(x.zero_point), int(y.zero_point)
    ends = np.array([taps * b.here.lo, taps * b.here.hi]) - centre
    require_int32(op, ends[:1], ends[1:], by)

    def f(a: IntArray) -> IntArray:
        return np.clip(twice_rounded(a - centre, by) + zero_point, -128, 127)

    image = replace(y, shape=(1, 1, 1, x.shape[-1]))
    if prod(image.shape) != prod(y.shape):
        raise ModelError(f"{op.name}: an output of {list(y.shape)}; convert the model again.")
    options = {"Padding": "VALID", "StrideH": 1, "StrideW": 1}
    slope = float(by.real)
    pooled = replace(op, outputs=(image,), options=options)
    _pool(b, pooled, kernel, f, slope, zero_point - slope * centre)


def _pool(
    b: Builder, op: Operator, kernel: tuple[int, ...], f: Function, slope: float, offset: float
) -> None:
    """Append the sum of the codes under a kernel, and ``f`` of it."""
    x, size, taps = data(op), b.here.size, int(np.prod(kernel))
    ones = np.ones((size, taps), dtype=np.int64)
    append_window(b, op, ones.T.reshape(1, *kernel, -1), int(x.zero_point), crop=False)
    name = b.names.new(op.name)
    lo, hi = accumulator_bounds(ones, b.here.lo, b.here.hi)
    total = Tensor(
        f"{name}_out", size, int(lo.min()), int(hi.max()), np.asarray(x.scale / taps),
        np.asarray(x.zero_point * taps), "", b.here.space,
    )  # fmt: skip
    b.append(Depthwise(name, b.here.name, total.name, frozen_array(ones)), total)
    b.close(op, f, lo, hi, Line(np.full(size, slope), np.full(size, offset)))


def _dense(
    b: Builder,
    op: Operator,
    weights: IntArray,
    space: tuple[int, ...],
    multiply: Rescale,
) -> None:
    closing = _closing(op, weights, multiply)
    name = b.names.new(op.name)
    lo, hi = accumulator_bounds(weights, b.here.lo, b.here.hi)
    y = _sum(name, lo, hi, closing, space)
    odd = bool(np.all(weights % 2 == 1))
    b.append(Dense(name, b.here.name, y.name, frozen_array(weights), odd), y)
    _requantize(b, op, closing, lo, hi)


def _sum(
    name: str, lo: IntArray, hi: IntArray, closing: _Closing, space: tuple[int, ...]
) -> Tensor:
    zero_point = closing.zero_point.astype(np.float64)
    return Tensor(
        f"{name}_out", len(lo), int(lo.min()), int(hi.max()), closing.scale, zero_point, "", space
    )


def _closing(op: Operator, weights: IntArray, multiply: Rescale) -> _Closing:
    x, w = data(op), constant(op, 1)
    zero_point = weights.sum(axis=1) * int(x.zero_point)
    scale = np.asarray(x.scale * w.scale)
    return _Closing(bias(op, len(weights)), scale, zero_point, multiply)


def _requantize(b: Builder, op: Operator, closing: _Closing, lo: IntArray, hi: IntArray) -> None:
    """Append what TFLite makes of the sum: bias, multiplier, zero point, clamp."""
    y = int8(op, op.outputs[0])
    factor = np.broadcast_to(closing.scale / y.scale, lo.shape)
    offset = closing.bias - closing.zero_point
    require_int32(op, lo + offset, hi + offset, Multiplier.of(factor))
    low, high = clamp(op, y)
    zero_point = int(y.zero_point)

    def f(a: IntArray) -> IntArray:
        return np.clip(closing.multiply(a + offset, factor) + zero_point, low, high)

    b.close(op, f, lo, hi, Line(factor, zero_point + factor * offset))
