"""What a float32 executor may answer where exact arithmetic says otherwise: proved, never assumed.

An executor evaluates the source model in float32, op by op.  Interval arithmetic through the same
ops bounds what its roundings can do to a value; another code is a *tie* only inside the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen.graph.execute import channels_last
from hwgen.graph.ir import Depthwise, Graph, MaxPool
from hwgen.num.elementwise import Segment, Step, apply, codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.chain import Block, split
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
        self._blocks: tuple[Block, ...] = split(read(path)).blocks

    def input_codes(self, x: np.ndarray) -> Interval:
        """Return the codes that an executor may give to real inputs (batch, *input_shape)."""
        entry = self._graph.tensor(self._graph.input)
        real = channels_last(entry, np.asarray(x, dtype=np.float32).astype(np.float64))
        return _codes(self._graph.encoder, Interval(real, real)).flat(len(x))

    def closed_codes(self, product: str, x: IntArray) -> Interval:
        """Return the codes after the quantizer that follows the product tensor ``product``.

        x  (batch, values) codes that go into the product
        """
        segment, real = self._product(product, x)
        last = max(i for i, step in enumerate(segment) if step.kind == "Quant")
        found = _codes(segment[: last + 1], real).flat(len(x))
        block, *after = self._blocks[self._index(product) :]
        gain = grid_gain(block, after[0] if after else None)
        return Interval(gain * found.low, gain * found.high)

    def accumulator(self, product: str, x: IntArray) -> Interval:
        """Return a product that no quantizer follows, in units of its integers.

        x  (batch, values) codes that go into the product
        """
        segment, real = self._product(product, x)
        real = float32_bounds(segment, real)
        t = self._graph.tensor(product)
        ends = real.low / t.scale + t.zero_point, real.high / t.scale + t.zero_point
        return Interval(np.minimum(*ends), np.maximum(*ends)).flat(len(x))

    def _index(self, product: str) -> int:
        """Return the place of a product's block; the first block has none."""
        return 1 + [e.y for e in self._graph.products()].index(product)

    def _product(self, tensor: str, x: IntArray) -> tuple[Segment, Interval]:
        """Return the real value of a product (pixels, channels), and the source's ops after it."""
        layer = next(e for e in self._graph.products() if e.y == tensor)
        source, block = self._graph.tensor(layer.x), self._blocks[self._index(tensor)]
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
        return block.segment, Interval(real - slack, real + slack)


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
