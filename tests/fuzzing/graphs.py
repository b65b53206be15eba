"""Random legal integer graphs: layers, widths, folds, contents.

Structure and contents are chosen apart.  A *pinned* graph claims the widths that any contents could
need and not those of its own, so that all graphs of one structure are the same RTL: one compilation
serves them, and only the memory images differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from hypothesis import strategies as st

from fuzzing.choices import Chooser, Drawn, Rolled
from hwgen.graph.check import check
from hwgen.graph.ir import (
    Add,
    ArgMax,
    Concat,
    Dense,
    Depthwise,
    Fold,
    Graph,
    Layer,
    MaxPool,
    Order,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
)
from hwgen.graph.ranges import accumulator_bounds, sum_bounds
from hwgen.graph.windows import window_space
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.num.inttype import IntArray, frozen_array
from hwgen.num.rounding import Overflow, Rounding

Contents = Callable[[tuple[int, ...], int, int], IntArray]  # (shape, lo, hi) -> values
_ONE, _ZERO = np.array(1.0), np.array(0.0)
_TABLE_ENTRIES = 300


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A graph, the input codes (batch, values) to run through it, and the seed of stalls."""

    graph: Graph
    codes: IntArray
    stalls: int = 0


@st.composite
def cases(draw: st.DrawFn, spatial: bool = True) -> Case:
    """Draw a graph with tight widths, and inputs."""
    contents = drawn_contents(draw)
    graph = build(Drawn(draw), contents, pinned=False, spatial=spatial)
    return Case(graph, stimulus(graph, contents))


@st.composite
def cases_of(draw: st.DrawFn, structures: Sequence[int], spatial: bool = False) -> Case:
    """Draw contents and inputs for one of the ``structures``, which are seeds, simplest first."""
    contents = drawn_contents(draw)
    seed = draw(st.sampled_from(list(structures)))
    graph = build(Rolled(seed), contents, pinned=True, spatial=spatial)
    return Case(graph, stimulus(graph, contents), draw(st.integers(0, 999)))


def structures(first: int, count: int, spatial: bool = False) -> list[int]:
    """Return ``count`` seeds from ``first`` on, the smallest structures first."""

    def size(seed: int) -> int:
        graph = build(Rolled(seed), _smallest, pinned=True, spatial=spatial)
        return sum(t.values for t in graph.tensors)

    return sorted(range(first, first + count), key=size)


def drawn_contents(draw: st.DrawFn) -> Contents:
    """Return contents drawn as bytes, which shrink to zeros: any values, or only the extremes."""

    def contents(shape: tuple[int, ...], lo: int, hi: int) -> IntArray:
        extremes = draw(st.sampled_from([False, False, False, True]))
        width = 1 if extremes or hi - lo < 256 else 3
        size = width * int(np.prod(shape))
        raw = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
        numbers = raw.reshape(-1, width).astype(np.int64) @ (1 << 8 * np.arange(width)[::-1])
        if extremes:
            return np.where(numbers % 4 == 3, lo, hi).reshape(shape)
        zigzag = np.where(numbers % 2, (numbers + 1) // 2, -numbers // 2)
        centre = min(max(lo, 0), hi)
        return (lo + (centre - lo + zigzag) % (hi - lo + 1)).reshape(shape)

    return contents


def stimulus(graph: Graph, contents: Contents) -> IntArray:
    """Return input codes: drawn ones, both corners, and those that reach each accumulator bound."""
    t = graph.tensor(graph.input)
    drawn = contents((3, t.values), t.lo, t.hi)
    corners = np.array([[t.lo], [t.hi]]) + np.zeros((2, t.values), dtype=np.int64)
    return np.concatenate([drawn, corners, *bounds_reached(graph)])


def bounds_reached(graph: Graph) -> list[IntArray]:
    """Return inputs (rows, values) with which each row of a first product reaches its bounds."""
    first, t = graph.layers[0], graph.tensor(graph.input)
    if not isinstance(first, Dense) or first.weights.shape[1] != t.values:
        return []
    return [np.where(first.weights > 0, t.lo, t.hi), np.where(first.weights > 0, t.hi, t.lo)]


def build(choose: Chooser, contents: Contents, *, pinned: bool, spatial: bool) -> Graph:
    """Return a legal folded graph; ``spatial``: with images, tables and branches too."""
    return _Builder(choose, contents, pinned, spatial).graph()


def _smallest(shape: tuple[int, ...], lo: int, hi: int) -> IntArray:
    return np.full(shape, min(max(lo, 0), hi), dtype=np.int64)


class _Builder:
    """Appends random layers to a chain."""

    def __init__(self, choose: Chooser, contents: Contents, pinned: bool, spatial: bool) -> None:
        self._choose, self._contents, self._pinned = choose, contents, pinned
        self._spatial = spatial
        lo, hi = self._range(max_bits=16)
        rank = choose.integer(0, 2) if spatial else 0
        space = tuple(choose.integer(1, 5) for _ in range(rank))
        self._tensors = [_tensor("codes", choose.integer(1, 8), lo, hi, space)]
        self._layers: list[Layer] = []
        self._here = self._tensors[0]

    def graph(self) -> Graph:
        """Return the finished graph."""
        products = self._choose.integer(1, 3)
        for i in range(products):
            last = i == products - 1
            self._product()
            for _ in range(self._choose.integer(0 if last else 1, 2)):
                self._close()
            if self._spatial and self._choose.pick([False, False, False, True]):
                self._branches(nested=self._choose.pick([False, True]))
        if self._here.space == () and self._choose.pick([False, True]):
            self._argmax()
        first, last_one = self._tensors[0], self._here
        graph = Graph(
            name="net", input=first.name, output=last_one.name, input_shape=(first.values,),
            output_shape=(last_one.values,), encoder=_encoder(first), tensors=tuple(self._tensors),
            layers=tuple(self._layers),
        )  # fmt: skip
        return check(graph, "fuzz")

    # ---- branches --------------------------------------------------------------------------
    def _branches(self, nested: bool) -> None:
        """Join two branches that start here: the other is often a plain skip."""
        fork = self._here
        if fork.type.bits > 24:  # sums stay within 62 bits
            return
        self._branch(nested)
        one, self._here = self._here, fork
        if self._choose.pick([False, False, True]) or one is fork:
            self._close()
        other = self._here
        lanes = self._divisor(gcd(one.size, other.size))
        depth = 2 * max(t.values for t in self._tensors) // lanes + 16  # more than branches hold
        fold = Fold(lanes, lanes, fifo_depth=depth, other_depth=depth)
        name, y = self._names("join")
        low, high = min(one.lo, other.lo), max(one.hi, other.hi)
        if one.size != other.size or self._choose.pick([False, True]):
            joined = _tensor(y, one.size + other.size, low, high, fork.space)
            self._add(Concat(name, one.name, other.name, y, fold), joined)
            return
        gains = self._choose.pick([1, -1, 3, 100]), self._choose.pick([1, -1, 2, -37])
        joined = _tensor(y, one.size, *sum_bounds(gains, one, other), fork.space)
        self._add(Add(name, one.name, other.name, y, gains, fold), joined)

    def _branch(self, nested: bool) -> None:
        for _ in range(self._choose.integer(0, 2)):
            self._dense(self._here.space)
            self._close()
        if nested:
            self._branches(nested=False)

    def _upsample(self) -> None:
        x, choose = self._here, self._choose
        factor = tuple(choose.integer(1, 3) for _ in x.space)
        sides = zip(x.space, factor, strict=True)
        space = tuple(choose.integer((n - 1) * f + 1, n * f) for n, f in sides)
        lanes = self._divisor(x.size)
        name, y = self._names("up")
        fill = choose.pick([None, 0, x.lo, x.hi])
        larger = _tensor(y, x.size, x.lo, x.hi, space)
        self._add(Upsample(name, x.name, y, factor, space, fill, Fold(lanes, lanes)), larger)

    # ---- products --------------------------------------------------------------------------
    def _product(self) -> None:
        match self._choose.pick(["vector", "pixel", "window", "depthwise", "maximum", "upsample"]):
            case "pixel" if self._here.space:
                self._dense(self._here.space)
            case "window" if self._here.space:
                self._window()
                self._dense(self._here.space)
            case "depthwise" if self._here.space:
                self._depthwise(self._window())
            case "upsample" if self._here.space and self._here.pixels <= 25:
                self._upsample()
            case "maximum" if self._here.space:
                self._maximum(self._window())
            case _:
                self._dense(space=())

    def _dense(self, space: tuple[int, ...]) -> None:
        x = self._here
        in_n, out_n = (x.size if space else x.values), self._choose.integer(1, 8)
        order = self._choose.pick([Order.ROW, Order.COLUMN])
        depth = self._choose.pick([0, 1, 2, 5])
        fold = Fold(self._divisor(in_n), self._divisor(out_n), order, depth)
        name, y = self._names("fc")
        if (x.lo, x.hi) == (0, 1) and self._choose.pick([False, True]):
            bits = frozen_array(self._contents((out_n, in_n), 0, 1))
            popcount = _tensor(y, out_n, 0, in_n, space)
            self._add(XnorDense(name, x.name, y, bits, fold), popcount)
            return
        odd = self._choose.pick([False, True])
        weights = self._weights(out_n, in_n, odd)
        sums = self._accumulator(y, weights, odd, space)
        self._add(Dense(name, x.name, y, weights, odd, fold), sums)

    def _depthwise(self, taps: int) -> None:
        x = self._here
        channels = x.size // taps
        lanes = self._divisor(channels)
        name, y = self._names("dw")
        weights = self._weights(channels, taps, odd=False)
        sums = self._accumulator(y, weights, False, x.space)
        self._add(Depthwise(name, x.name, y, weights, Fold(lanes, lanes)), sums)

    def _maximum(self, taps: int) -> None:
        x = self._here
        channels = x.size // taps
        lanes = self._divisor(channels)
        name, y = self._names("max")
        largest = _tensor(y, channels, x.lo, x.hi, x.space)
        self._add(MaxPool(name, x.name, y, taps, Fold(lanes, lanes)), largest)

    def _window(self) -> int:
        """Append a window; return the number of its taps."""
        x, choose = self._here, self._choose
        pads = tuple(
            (choose.integer(0, min(2, n - 1)), choose.integer(0, min(2, n - 1))) for n in x.space
        )
        dilation = tuple(choose.integer(1, 2) for _ in x.space)
        most = ((n + sum(p) - 1) // d + 1 for n, p, d in zip(x.space, pads, dilation, strict=True))
        kernel = tuple(choose.integer(1, min(3, m)) for m in most)
        stride = tuple(choose.integer(1, 2) for _ in x.space)
        fold = Fold(simd=self._divisor(x.size))
        pad = choose.pick([0, x.lo, x.hi])
        name, y = self._names("win")
        layer = Window(name, x.name, y, kernel, stride, dilation, pads, pad, fold)
        taps = int(np.prod(kernel))
        self._add(layer, _tensor(y, taps * x.size, x.lo, x.hi, window_space(layer, x.space)))
        return taps

    def _weights(self, out_n: int, in_n: int, odd: bool) -> IntArray:
        bits = self._choose.pick([2, 1, 3, 4, 8, 10, 16])
        lo, hi = -(1 << bits - 1), (1 << bits - 1) - 1
        stored = self._contents((out_n, in_n), lo, hi)
        if self._pinned:
            stored.flat[0] = lo
        return frozen_array(2 * stored + 1 if odd else stored)

    def _accumulator(self, y: str, weights: IntArray, odd: bool, space: tuple[int, ...]) -> Tensor:
        x, claimed = self._here, weights
        if self._pinned:  # the extreme weights of these bits
            lo = int(weights.flat[0])
            hi = -lo if odd else -lo - 1
            claimed = np.array([[lo], [hi]]) + np.zeros_like(weights[:1])
        low, high = accumulator_bounds(claimed, x.lo, x.hi)
        return _tensor(y, len(weights), int(low.min()), int(high.max()), space)

    # ---- elementwise -----------------------------------------------------------------------
    def _close(self) -> None:
        x = self._here
        kinds = [self._threshold, self._requant]
        if self._spatial and x.hi - x.lo < _TABLE_ENTRIES:
            kinds.append(self._table)
        self._choose.pick(kinds)()

    def _threshold(self) -> None:
        x = self._here
        levels = self._choose.pick([1, 3, 7, 2, 15, 31, 40])
        base = self._choose.pick([0, -1, -4, 2])
        steps = np.sort(self._contents((x.size, levels), x.lo, x.hi + 1), axis=1)
        name, y = self._names("act")
        counts = _tensor(y, x.size, base, base + levels, x.space)
        self._add(Threshold(name, x.name, y, frozen_array(steps), base), counts)

    def _requant(self) -> None:
        x = self._here
        lo, hi = self._range(max_bits=16)
        shift = self._choose.integer(0, 30)
        rounding = self._choose.pick(list(Rounding))
        overflow = self._choose.pick(list(Overflow))
        m_bits = self._choose.integer(1, min(25, 61 - x.type.bits))
        b_bits = self._choose.integer(1, 40)
        bias = self._signed(x.size, b_bits)
        multiplier = self._signed(x.size, m_bits) if m_bits > 1 else np.ones_like(bias)
        m, b = frozen_array(multiplier), frozen_array(bias)
        name, y = self._names("rq")
        layer = Requant(name, x.name, y, m, b, shift, rounding, lo, hi, overflow)
        self._add(layer, _tensor(y, x.size, lo, hi, x.space))

    def _table(self) -> None:
        x = self._here
        lo, hi = self._range(max_bits=8)
        rows = self._choose.pick([1, x.size])
        table = frozen_array(self._contents((rows, x.hi - x.lo + 1), lo, hi))
        name, y = self._names("tab")
        self._add(Table(name, x.name, y, table), _tensor(y, x.size, lo, hi, x.space))

    def _argmax(self) -> None:
        name, y = self._names("max")
        self._add(ArgMax(name, self._here.name, y), _tensor(y, 1, 0, self._here.size - 1))

    # ---- small choices ---------------------------------------------------------------------
    def _signed(self, count: int, bits: int) -> IntArray:
        values = self._contents((count,), -(1 << bits - 1), (1 << bits - 1) - 1)
        if self._pinned:
            values[0] = -(1 << bits - 1)
        return values

    def _range(self, max_bits: int) -> tuple[int, int]:
        bits = self._choose.pick([b for b in (2, 1, 3, 4, 8, 10, 16) if b <= max_bits])
        signed = self._choose.pick([False, True])
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def _divisor(self, n: int) -> int:
        return self._choose.pick([d for d in range(1, n + 1) if n % d == 0])

    def _names(self, stem: str) -> tuple[str, str]:
        name = f"{stem}{len(self._layers)}"
        return name, f"{name}_out"

    def _add(self, layer: Layer, y: Tensor) -> None:
        self._layers.append(layer)
        self._tensors.append(y)
        self._here = y


def _tensor(name: str, size: int, lo: int, hi: int, space: tuple[int, ...] = ()) -> Tensor:
    return Tensor(name, size, min(lo, 0), max(hi, 0), _ONE, _ZERO, name, space)


def _encoder(t: Tensor) -> tuple[Step, ...]:
    return (Step("Quant", (_ONE, _ZERO), QuantSpec(t.lo, t.hi)),)
