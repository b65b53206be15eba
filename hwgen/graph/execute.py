"""Bit-exact NumPy reference: the golden model of every RTL module.

Products run in float32 or float64 BLAS where the proven accumulator range makes every partial sum
exact (24- and 53-bit significands), in int64 otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import assert_never

import numpy as np

from hwgen.graph.ir import (
    Add,
    ArgMax,
    Concat,
    Dense,
    Depthwise,
    Graph,
    Join,
    Layer,
    MaxPool,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
    inputs,
)
from hwgen.num.elementwise import codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import confine, shift_round

_BLOCK = 1024
_FEW_LEVELS = 31  # up to here, comparing level by level beats a binary search per channel


def encode(graph: Graph, x: np.ndarray) -> IntArray:
    """Return the input codes (batch, values) of real inputs (batch, *input_shape).

    Evaluated in float32, op by op, as the QONNX executor evaluates the same nodes.
    """
    t = graph.tensor(graph.input)
    frames = np.asarray(x, dtype=np.float32).reshape(len(x), *graph.input_shape)
    return codes(graph.encoder, channels_last(t, frames)).reshape(len(x), -1)


def decode(graph: Graph, y: IntArray) -> FloatArray:
    """Return the real outputs (batch, *output_shape) that the output codes stand for."""
    t = graph.tensor(graph.output)
    pixels = y.reshape(len(y), t.pixels, t.size)
    values = np.asarray(t.scale * (pixels - t.zero_point))
    if t.channels_first:
        values = values.transpose(0, 2, 1)
    return values.reshape(len(y), *graph.output_shape)


def channels_last(t: Tensor, values: np.ndarray) -> np.ndarray:
    """Return the source's values (batch, ...) of a tensor as (batch, pixels, channels)."""
    if t.channels_first:
        return values.reshape(len(values), t.size, t.pixels).transpose(0, 2, 1)
    return values.reshape(len(values), t.pixels, t.size)


def run(graph: Graph, x: IntArray) -> IntArray:
    """Return the output codes (batch, values) for input codes (batch, values)."""
    block = max(1, _BLOCK // max(t.pixels for t in graph.tensors))
    if len(x) > block:  # intermediate values of one block stay in the cache
        return np.concatenate([run(graph, x[i : i + block]) for i in range(0, len(x), block)])
    values, left = {graph.input: x}, Counter(name for e in graph.layers for name in inputs(e))
    for layer in graph.layers:
        values[layer.y] = _layer(layer, values, graph)
        for name in inputs(layer):
            left[name] -= 1
            if not left[name]:
                del values[name]
    return values[graph.output]


def trace(graph: Graph, x: IntArray) -> dict[str, IntArray]:
    """Return the codes (batch, values) of every tensor by name, the input included."""
    values = {graph.input: x}
    for layer in graph.layers:
        values[layer.y] = _layer(layer, values, graph)
    return values


def _layer(layer: Layer, values: Mapping[str, IntArray], graph: Graph) -> IntArray:
    other = values[layer.other] if isinstance(layer, Join) else None
    return execute(layer, values[layer.x], graph.tensor(layer.x), other)


def execute(layer: Layer, x: IntArray, about: Tensor, other: IntArray | None = None) -> IntArray:
    """Evaluate one layer exactly.

    x        (batch, values) codes of the tensor ``about``
    other    (batch, values) codes of a join's other input
    returns  (batch, values of the output)
    """
    batch = len(x)
    match layer:
        case Window():
            return windows(layer, x.reshape(batch, *about.space, about.size)).reshape(batch, -1)
        case Dense():
            vectors = x.reshape(-1, layer.weights.shape[1])
            y = _matmul(vectors, layer.weights, about.lo, about.hi)
        case XnorDense():
            signs = _matmul(
                2 * x.reshape(-1, layer.weights.shape[1]) - 1, 2 * layer.weights - 1, -1, 1
            )
            y = (signs + layer.weights.shape[1]) >> 1
        case Depthwise():
            channels, taps = layer.weights.shape
            y = np.einsum("nkc,ck->nc", x.reshape(-1, taps, channels), layer.weights)
        case MaxPool():
            y = x.reshape(-1, layer.taps, about.size // layer.taps).max(axis=1)
        case Threshold():
            y = layer.base + _count_reached(x.reshape(-1, len(layer.thresholds)), layer.thresholds)
        case Requant():
            pixels = x.reshape(-1, len(layer.multiplier))
            scaled = layer.multiplier * pixels + layer.bias
            rounded = shift_round(scaled, layer.shift, layer.rounding)
            y = confine(rounded, layer.lo, layer.hi, layer.overflow)
        case Table():
            pixels = x.reshape(-1, about.size) - about.lo
            rows = np.arange(about.size) if len(layer.table) > 1 else np.array(0)
            y = layer.table[rows, pixels]
        case Upsample():
            y = _upsampled(layer, x.reshape(batch, *about.space, about.size))
        case Add():
            assert other is not None
            y = layer.gains[0] * x + layer.gains[1] * other
        case Concat():
            assert other is not None
            parts = [part.reshape(batch, about.pixels, -1) for part in (x, other)]
            y = np.concatenate(parts, axis=2)
        case ArgMax():
            y = x.argmax(axis=1)[:, None].astype(np.int64)
        case _:
            assert_never(layer)
    return y.reshape(batch, -1)


def windows(layer: Window, x: np.ndarray) -> np.ndarray:
    """Return (batch, *output space, values under the kernel) of images (batch, *space, channels).

    The values are in the order (*kernel, channel).
    """
    rank = len(layer.kernel)
    padded = np.pad(x, ((0, 0), *layer.pads, (0, 0)), constant_values=layer.pad)
    spans = [d * (k - 1) + 1 for k, d in zip(layer.kernel, layer.dilation, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=tuple(range(1, rank + 1)))
    steps = tuple(slice(None, None, s) for s in layer.stride)
    taps = tuple(slice(None, None, d) for d in layer.dilation)
    views = views[(slice(None), *steps, slice(None), *taps)]  # (batch, *out, channels, *kernel)
    moved = np.moveaxis(views, rank + 1, -1)
    return moved.reshape(*moved.shape[: rank + 1], -1)


def _upsampled(layer: Upsample, x: IntArray) -> IntArray:
    for axis, factor in enumerate(layer.factor, start=1):
        x = np.repeat(x, factor, axis)
    inside = tuple(slice(n) for n in layer.space)
    y = x[(slice(None), *inside)]
    if layer.fill is not None:
        pixels = tuple(slice(None, n, f) for n, f in zip(layer.space, layer.factor, strict=True))
        apart = np.full_like(y, layer.fill)
        apart[(slice(None), *pixels)] = y[(slice(None), *pixels)]
        y = apart
    return y


def _matmul(x: IntArray, weights: IntArray, lo: int, hi: int) -> IntArray:
    bound = int(np.abs(weights).sum(axis=1).max()) * max(abs(lo), abs(hi))
    if bound <= 1 << 24:
        return (x.astype(np.float32) @ weights.T.astype(np.float32)).astype(np.int64)
    if bound <= 1 << 53:
        return (x.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
    return np.asarray(x @ weights.T)


def _count_reached(x: IntArray, thresholds: IntArray) -> IntArray:
    channels, levels = thresholds.shape
    if levels <= _FEW_LEVELS:
        count = np.zeros(x.shape, dtype=np.uint8)
        for level in thresholds.T:
            count += (x >= level).view(np.uint8)
        return count.astype(np.int64)
    columns = (np.searchsorted(thresholds[c], x[:, c], side="right") for c in range(channels))
    return np.stack(list(columns), axis=1).astype(np.int64)
