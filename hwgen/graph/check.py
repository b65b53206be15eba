"""Verifier: the executable specification of the integer graph, run after every pass."""

from __future__ import annotations

from math import prod
from typing import assert_never

import numpy as np

from hwgen.graph.ir import (
    ArgMax,
    Concat,
    Dense,
    Depthwise,
    Graph,
    Join,
    MaxPool,
    Product,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
    inputs,
)
from hwgen.graph.ranges import accumulator_bounds, sum_bounds
from hwgen.graph.windows import window_space
from hwgen.num.rounding import Overflow


class GraphError(AssertionError):
    """A pass produced an illegal graph: a bug in hwgen, not in the model."""


def check(graph: Graph, after: str) -> Graph:
    """Return ``graph`` unchanged if every rule holds; ``after`` names the pass in the message."""
    names = [t.name for t in graph.tensors]
    _require(len(set(names)) == len(names), after, "graph", "tensor names are unique")
    _require(graph.encoder[-1].kind == "Quant", after, "graph", "the encoder ends in Quant")
    written = {graph.input}
    for layer in graph.layers:
        _require(written.issuperset(inputs(layer)), after, layer.name, "reads what exists by now")
        _require(layer.y not in written, after, layer.name, "one layer writes a tensor")
        if isinstance(layer, Join):
            _check_join(layer, graph, after)
        else:
            _check_layer(layer, graph.tensor(layer.x), graph.tensor(layer.y), after)
        written.add(layer.y)
    read = {name for layer in graph.layers for name in inputs(layer)}
    _require(written - read == {graph.output}, after, "graph", "all but the output is read")
    _require(graph.layers[-1].y == graph.output, after, "graph", "the last layer writes the output")
    for t in graph.tensors:
        _require(t.lo <= 0 <= t.hi, after, t.name, "bounds contain 0")
        _require(t.scale.shape in ((), (t.size,)), after, t.name, "scale is () or (size,)")
    return graph


def _check_join(layer: Join, graph: Graph, after: str) -> None:
    a, b, y = map(graph.tensor, (layer.x, layer.other, layer.y))
    _require(a.space == b.space == y.space, after, layer.name, "its inputs have one space")
    lanes = layer.fold.simd == layer.fold.pe and a.size % layer.fold.pe == 0
    _require(lanes and b.size % layer.fold.pe == 0, after, layer.name, "pe divides the channels")
    if isinstance(layer, Concat):
        low, high = min(a.lo, b.lo), max(a.hi, b.hi)
        _require(y.size == a.size + b.size, after, layer.name, "channels add up")
    else:
        low, high = sum_bounds(layer.gains, a, b)
        _require(a.size == b.size == y.size, after, layer.name, "its inputs have one shape")
    _require(y.lo <= low and high <= y.hi, after, layer.name, "codes fit")


def _check_layer(
    layer: Window | Product | Threshold | Requant | Table | ArgMax | Upsample,
    x: Tensor, y: Tensor, after: str,
) -> None:  # fmt: skip
    def require(holds: bool, rule: str) -> None:
        _require(holds, after, layer.name, rule)

    match layer:
        case Window():
            space = window_space(layer, x.space)
            require(y.space == space and min(space) > 0, f"the output space is {space}")
            require(y.size == prod(layer.kernel) * x.size, "an output value per tap and channel")
            require(x.size % layer.fold.simd == 0, "simd divides the channels")
            inside = all(b < s and a < s for (b, a), s in zip(layer.pads, x.space, strict=True))
            require(inside, "the padding is narrower than the image")
            require(y.lo <= min(x.lo, layer.pad) and max(x.hi, layer.pad) <= y.hi, "codes fit")
        case Dense() | XnorDense():
            out_n, in_n = layer.weights.shape
            require((x.values, y.size) == (y.pixels * in_n, out_n), "shapes agree")
            require(in_n % layer.fold.simd == 0, "simd divides the inputs")
            require(out_n % layer.fold.pe == 0, "pe divides the outputs")
            _check_accumulator(layer, x, y, after)
        case Depthwise():
            channels, taps = layer.weights.shape
            require((x.space, x.size, y.size) == (y.space, channels * taps, channels), "shapes")
            require(layer.fold.simd == layer.fold.pe, "a channel per lane")
            require(channels % layer.fold.pe == 0, "pe divides the channels")
            _check_accumulator(layer, x, y, after)
        case MaxPool():
            require((x.space, x.size) == (y.space, y.size * layer.taps), "shapes agree")
            require(layer.fold.simd == layer.fold.pe, "a channel per lane")
            require(y.size % layer.fold.pe == 0, "pe divides the channels")
            require((x.lo, x.hi) == (y.lo, y.hi), "a maximum is one of the inputs")
        case Threshold():
            steps = np.diff(layer.thresholds, axis=1)
            require((x.size, x.space) == (y.size, y.space), "shapes agree")
            require(layer.thresholds.shape[0] == y.size, "a row per channel")
            require(bool((steps >= 0).all()), "thresholds ascend")
            top = layer.base + layer.thresholds.shape[1]
            require(y.lo <= layer.base and top <= y.hi, "levels fit the output")
        case Requant():
            require((x.size, x.space) == (y.size, y.space), "shapes agree")
            require(layer.multiplier.shape == (y.size,), "an M per channel")
            require(y.lo <= layer.lo <= layer.hi <= y.hi, "the clamp fits")
            if layer.overflow is Overflow.WRAP:
                exact = (y.type.min, y.type.max) == (layer.lo, layer.hi)
                require(exact, "a value wraps to all that the output's bits hold")
            most = int(np.abs(layer.multiplier).max()) * max(-x.lo, x.hi)
            most += int(np.abs(layer.bias).max()) + (1 << layer.shift)
            require(most < 1 << 62, "multiplier * x + bias fits 63 bits")
        case Table():
            require((x.size, x.space) == (y.size, y.space), "shapes agree")
            rows, entries = layer.table.shape
            require(rows in (1, x.size) and entries == x.hi - x.lo + 1, "an entry per code")
            fits = y.lo <= int(layer.table.min()) and int(layer.table.max()) <= y.hi
            require(fits, "entries fit the output")
        case Upsample():
            sides = zip(x.space, layer.factor, layer.space, strict=True)
            require(y.space == layer.space, f"the output space is {layer.space}")
            require(all((n - 1) * f < m <= n * f for n, f, m in sides), "the space is as large")
            require(x.size == y.size and layer.fold.simd == layer.fold.pe, "a channel per lane")
            require(x.size % layer.fold.pe == 0, "pe divides the channels")
            fill = 0 if layer.fill is None else layer.fill
            require(y.lo <= min(x.lo, fill) and max(x.hi, fill) <= y.hi, "codes fit")
        case ArgMax():
            require(x.space == () and y.values == 1, "a vector in, one output")
        case _:
            assert_never(layer)


def _check_accumulator(
    layer: Dense | XnorDense | Depthwise, x: Tensor, y: Tensor, after: str
) -> None:
    if isinstance(layer, XnorDense):
        _require((x.lo, x.hi) == (0, 1), after, layer.name, "inputs are bits")
        _require(y.lo <= 0 and layer.weights.shape[1] <= y.hi, after, layer.name, "popcount fits")
        return
    low, high = accumulator_bounds(layer.weights, x.lo, x.hi)
    fits = y.lo <= int(low.min()) and int(high.max()) <= y.hi
    _require(fits, after, layer.name, "the accumulator holds every sum")
    if isinstance(layer, Depthwise):
        return
    odd = not layer.odd or bool((layer.weights % 2 == 1).all())
    _require(odd, after, layer.name, "an odd grid has only odd weights")


def _require(holds: bool, after: str, where: str, rule: str) -> None:
    if not holds:
        raise GraphError(f"after {after}: {where}: violated rule: {rule}")
