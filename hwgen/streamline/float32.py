"""What a float32 executor may answer where exact arithmetic says otherwise: proved, never assumed.

An executor evaluates the source model in float32, op by op.  Interval arithmetic through the same
ops bounds what its roundings can do to a value; another code is a *tie* only inside the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen.graph.execute import channels_last, execute
from hwgen.graph.ir import (
    Add,
    Concat,
    Depthwise,
    Graph,
    Layer,
    MaxPool,
    Product,
    Upsample,
    inputs,
)
from hwgen.num.elementwise import Segment, Step, apply, codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.blocks import Block, split
from hwgen.streamline.joins import Join
from hwgen.streamline.lower import grid_gain
from hwgen.streamline.read import read
from hwgen.streamline.weights import integer_weights

_EPS32 = 2.0**-24
_ROUNDINGS = 8  # of one op, its constants included; batch norm has the most
# Each executor approximates these in its own way: onnxruntime is up to 5.5 roundings of 1.0 (tanh)
# away from the true value, PyTorch up to 1.5; near 0 that is many roundings of the value itself.
_APPROXIMATED = ("Sigmoid", "Tanh", "Erf", "Softplus", "Elu")


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Bounds of a value, both of one shape, channels last."""

    low: FloatArray
    high: FloatArray

    def holds(self, value: np.ndarray) -> np.ndarray:
        """Return where ``value`` lies inside."""
        return np.asarray((self.low <= value) & (value <= self.high))

    def flat(self, batch: int) -> Interval:
        """Return the bounds as (batch, values)."""
        return Interval(self.low.reshape(batch, -1), self.high.reshape(batch, -1))

    def widened(self, magnitude: FloatArray) -> Interval:
        """Return the interval after one float32 op on values of this magnitude."""
        slack = _EPS32 * _ROUNDINGS * magnitude
        return Interval(self.low - slack, self.high + slack)


class Float32:
    """The blocks of the source model, beside the graph that they became."""

    def __init__(self, path: Path, graph: Graph) -> None:
        self._graph = graph
        self._network = split(read(path))
        ends = {block.end: i for i, block in enumerate(self._network.blocks)}
        self._at = {t.name: ends[t.source] for t in graph.tensors if t.source in ends}

    def input_codes(self, x: np.ndarray) -> Interval:
        """Return the codes that an executor may give to real inputs (batch, *input_shape)."""
        entry = self._graph.tensor(self._graph.input)
        real = channels_last(entry, np.asarray(x, dtype=np.float32).astype(np.float64))
        return _codes(self._graph.encoder, Interval(real, real)).flat(len(x))

    def closed_codes(self, tensor: str, values: Mapping[str, IntArray]) -> Interval:
        """Return the codes of ``tensor``, which ends a block with a quantizer.

        values  (batch, values) codes of all tensors
        """
        number = self._at[tensor]
        block = self._network.blocks[number]
        last = max(i for i, step in enumerate(block.segment) if step.kind == "Quant")
        real = self._start(block, tensor, values)
        found = _codes(block.segment[: last + 1], real).flat(len(values[tensor]))
        gain = grid_gain(block, self._network.readers(number))
        return Interval(gain * found.low, gain * found.high)

    def accumulator(self, tensor: str, values: Mapping[str, IntArray]) -> Interval:
        """Return ``tensor``, which ends a block without a quantizer, in units of its integers.

        values  (batch, values) codes of all tensors
        """
        block, t = self._network.blocks[self._at[tensor]], self._graph.tensor(tensor)
        real = float32_bounds(block.segment, self._start(block, tensor, values))
        ends = real.low / t.scale + t.zero_point, real.high / t.scale + t.zero_point
        return Interval(np.minimum(*ends), np.maximum(*ends)).flat(len(values[tensor]))

    def _start(self, block: Block, tensor: str, values: Mapping[str, IntArray]) -> Interval:
        """Return the real value (pixels, channels) that the segment of a block starts from."""
        layer = self._graph.origin(tensor)
        if isinstance(layer, Product):
            return self._product(block, layer, values[layer.x])
        parts = [self._real(name, values) for name in inputs(layer)]
        match layer:
            case Add():
                assert isinstance(block.head, Join)
                value = sum(s * p for s, p in zip(block.head.signs, parts, strict=True))
                magnitude = np.abs(parts[0]) + np.abs(parts[1])
            case Concat():
                value = np.concatenate(parts, axis=1)
                magnitude = np.abs(value)
            case Upsample():
                wide = execute(layer, values[layer.x], self._graph.tensor(layer.x))
                value = self._real(layer.y, {layer.y: wide})
                magnitude = np.abs(value)
            case _:
                value, magnitude = parts[0], np.abs(parts[0])
        exact = np.asarray(value)
        return Interval(exact, exact).widened(magnitude)

    def _real(self, name: str, values: Mapping[str, IntArray]) -> FloatArray:
        """Return what the codes of a tensor stand for, (pixels, channels)."""
        t = self._graph.tensor(name)
        return np.asarray(t.scale * (values[name].reshape(-1, t.size) - t.zero_point))

    def _product(self, block: Block, layer: Layer, x: IntArray) -> Interval:
        """Return the real value of a product, (pixels, channels)."""
        source = self._graph.tensor(layer.x)
        assert block.product is not None
        ints = integer_weights(block.node, block.product.weight)
        rows, taps = ints.values.shape
        scale, zero = (v[:rows] if v.ndim else v for v in (source.scale, source.zero_point))
        unit = scale * ints.scale
        if isinstance(layer, MaxPool):
            real = unit * (x.reshape(-1, taps, rows).max(axis=1) - zero)
            magnitude = np.abs(real)
        elif isinstance(layer, Depthwise):
            offset = x.reshape(-1, taps, rows) - zero
            real = unit * np.einsum("nkc,ck->nc", offset, ints.values)
            magnitude = np.abs(unit) * np.einsum("nkc,ck->nc", np.abs(offset), np.abs(ints.values))
        else:
            offset = x.reshape(-1, taps) - zero
            real = unit * (offset @ ints.values.T)
            magnitude = np.abs(unit) * (np.abs(offset) @ np.abs(ints.values).T)
        slack = _EPS32 * (taps + _ROUNDINGS) * magnitude
        return Interval(real - slack, real + slack)


def _codes(segment: Segment, x: Interval) -> Interval:
    """Return the codes of a segment that ends in ``Quant``."""
    before = _before_rounding(segment[-1], float32_bounds(segment[:-1], x))
    return Interval(
        codes(segment[-1:], before.low).astype(np.float64),
        codes(segment[-1:], before.high).astype(np.float64),
    )


def float32_bounds(segment: Segment, x: Interval) -> Interval:
    """Return what float32 may make of a segment whose input lies within ``x``."""
    values = [x]
    for step in segment:
        earlier = None if step.earlier is None else values[step.earlier]
        values.append(_through(step, values[-1], earlier))
    return values[-1]


def _through(step: Step, x: Interval, earlier: Interval | None) -> Interval:
    """Return the interval after one op: monotone in each operand, or on both sides of 0."""
    if step.kind == "Quant":
        x = _before_rounding(step, x)
    others = (None,) if earlier is None else (earlier.low, earlier.high)
    ends = (x.low, x.high, np.clip(0.0, x.low, x.high))
    corners = [apply(step, end, other) for end in ends for other in others]
    y = Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))
    return y.widened(_magnitude(step, x, y))


def _before_rounding(step: Step, x: Interval) -> Interval:
    """Return what a quantizer rounds: division by the scale and the zero point round as well."""
    scale, zero_point = step.operands
    return x.widened(_largest(x) + np.abs(zero_point * scale))


def _magnitude(step: Step, x: Interval, y: Interval) -> FloatArray:
    """Return the largest number that the op's own float32 roundings are relative to."""
    if step.kind in _APPROXIMATED:
        return np.maximum(_largest(y), 1.0)
    if step.kind != "BatchNormalization":
        return _largest(y)
    scale, bias, mean, variance, epsilon = step.operands
    gain = np.abs(scale) / np.sqrt(variance + epsilon)
    return np.asarray(gain * (_largest(x) + np.abs(mean)) + np.abs(bias))


def _largest(x: Interval) -> FloatArray:
    return np.asarray(np.maximum(np.abs(x.low), np.abs(x.high)))
