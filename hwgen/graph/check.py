"""Verifier: the executable specification of the integer graph, run after every pass."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from hwgen.graph.ir import ArgMax, Dense, Graph, Layer, Requant, Tensor, Threshold, XnorDense
from hwgen.graph.ranges import accumulator_bounds


class GraphError(AssertionError):
    """A pass produced an illegal graph: a bug in hwgen, not in the model."""


def check(graph: Graph, after: str) -> Graph:
    """Return ``graph`` unchanged if every rule holds; ``after`` names the pass in the message."""
    names = [t.name for t in graph.tensors]
    _require(len(set(names)) == len(names), after, "graph", "tensor names are unique")
    _require(graph.encoder[-1].kind == "Quant", after, "graph", "the encoder ends in Quant")
    here = graph.input
    for layer in graph.layers:
        _require(layer.x == here, after, layer.name, f"reads {here}, the output before it")
        _check_layer(layer, graph.tensor(layer.x), graph.tensor(layer.y), after)
        here = layer.y
    _require(here == graph.output, after, "graph", "the last layer writes the output")
    for t in graph.tensors:
        _require(t.lo <= 0 <= t.hi, after, t.name, "bounds contain 0")
        _require(t.scale.shape in ((), (t.size,)), after, t.name, "scale is () or (size,)")
    return graph


def _check_layer(layer: Layer, x: Tensor, y: Tensor, after: str) -> None:
    match layer:
        case Dense() | XnorDense():
            out_n, in_n = layer.weights.shape
            fold = layer.fold
            _require((x.size, y.size) == (in_n, out_n), after, layer.name, "shapes agree")
            _require(in_n % fold.simd == 0, after, layer.name, "simd divides the inputs")
            _require(out_n % fold.pe == 0, after, layer.name, "pe divides the outputs")
            _check_accumulator(layer, x, y, after)
        case Threshold():
            steps = np.diff(layer.thresholds, axis=1)
            _require(layer.thresholds.shape[0] == y.size, after, layer.name, "a row per channel")
            _require(bool((steps >= 0).all()), after, layer.name, "thresholds ascend")
            top = layer.base + layer.thresholds.shape[1]
            _require(y.lo <= layer.base and top <= y.hi, after, layer.name, "levels fit the output")
        case Requant():
            _require(layer.multiplier.shape == (y.size,), after, layer.name, "an M per channel")
            _require(y.lo <= layer.lo <= layer.hi <= y.hi, after, layer.name, "the clamp fits")
        case ArgMax():
            _require(y.size == 1, after, layer.name, "one output")
        case _:
            assert_never(layer)


def _check_accumulator(layer: Dense | XnorDense, x: Tensor, y: Tensor, after: str) -> None:
    if isinstance(layer, XnorDense):
        _require((x.lo, x.hi) == (0, 1), after, layer.name, "inputs are bits")
        _require(y.lo <= 0 and layer.weights.shape[1] <= y.hi, after, layer.name, "popcount fits")
        return
    low, high = accumulator_bounds(layer.weights, x.lo, x.hi)
    fits = y.lo <= int(low.min()) and int(high.max()) <= y.hi
    _require(fits, after, layer.name, "the accumulator holds every sum")
    odd = not layer.odd or bool((layer.weights % 2 == 1).all())
    _require(odd, after, layer.name, "an odd grid has only odd weights")


def _require(holds: bool, after: str, where: str, rule: str) -> None:
    if not holds:
        raise GraphError(f"after {after}: {where}: violated rule: {rule}")
