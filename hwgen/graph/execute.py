"""Bit-exact NumPy reference: the golden model of every RTL module.

Products run in float32 or float64 BLAS where the proven accumulator range makes every partial sum
exact (24- and 53-bit significands), in int64 otherwise.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from hwgen.graph.ir import ArgMax, Dense, Graph, Layer, Requant, Threshold, XnorDense
from hwgen.num.elementwise import codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import shift_round

_BLOCK = 1024
_FEW_LEVELS = 31  # up to here, comparing level by level beats a binary search per channel


def encode(graph: Graph, x: np.ndarray) -> IntArray:
    """Return the input codes (batch, channels) of real inputs (batch, *input_shape).

    Evaluated in float32, op by op, as the QONNX executor evaluates the same nodes.
    """
    with np.errstate(over="ignore"):  # a value beyond float32 saturates like any other
        return codes(graph.encoder, np.asarray(x, dtype=np.float32).reshape(len(x), -1))


def decode(graph: Graph, y: IntArray) -> FloatArray:
    """Return the real outputs (batch, *output_shape) that the output codes stand for."""
    t = graph.tensor(graph.output)
    return np.asarray(t.scale * (y - t.zero_point)).reshape(len(y), *graph.output_shape)


def run(graph: Graph, x: IntArray) -> IntArray:
    """Return the output codes (batch, out) for input codes (batch, in)."""
    if len(x) > _BLOCK:  # intermediate values of one block stay in the cache
        return np.concatenate([run(graph, x[i : i + _BLOCK]) for i in range(0, len(x), _BLOCK)])
    for layer in graph.layers:
        t = graph.tensor(layer.x)
        x = execute(layer, x, t.lo, t.hi)
    return x


def trace(graph: Graph, x: IntArray) -> dict[str, IntArray]:
    """Return the codes of every tensor by name, the input included."""
    values = {graph.input: x}
    for layer in graph.layers:
        t = graph.tensor(layer.x)
        values[layer.y] = execute(layer, values[layer.x], t.lo, t.hi)
    return values


def execute(layer: Layer, x: IntArray, lo: int, hi: int) -> IntArray:
    """Evaluate one layer exactly.  ``x`` is (batch, in) with values in ``lo..hi``."""
    match layer:
        case Dense():
            return _matmul(x, layer.weights, lo, hi)
        case XnorDense():
            signs = _matmul(2 * x - 1, 2 * layer.weights - 1, -1, 1)
            return (signs + layer.weights.shape[1]) >> 1
        case Threshold():
            return layer.base + _count_reached(x, layer.thresholds)
        case Requant():
            scaled = shift_round(layer.multiplier * x + layer.bias, layer.shift, layer.rounding)
            return np.clip(scaled, layer.lo, layer.hi)
        case ArgMax():
            return x.argmax(axis=1)[:, None].astype(np.int64)
        case _:
            assert_never(layer)


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
