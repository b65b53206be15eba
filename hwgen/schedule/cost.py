"""Resource model: 7-series LUT6, FF, BRAM36 and DSP48 that a folded layer takes.

The figures decide between foldings and check a part's budget; ``hwgen synth`` measures the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import assert_never

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
    Product,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
)
from hwgen.graph.windows import window_rows
from hwgen.num.inttype import IntArray, IntType

_LUTRAM_DEPTH = 64  # words of one distributed RAM column
_BRAM36_SHAPES = ((512, 72), (1024, 36), (2048, 18), (4096, 9), (8192, 4), (16384, 2), (32768, 1))
_WEIGHT = {"lut": 1.0, "ff": 0.25, "bram36": 150.0, "dsp": 60.0}  # LUTs that one unit is worth


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated resources."""

    lut: float = 0.0
    ff: float = 0.0
    bram36: float = 0.0
    dsp: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.lut + other.lut,
            self.ff + other.ff,
            self.bram36 + other.bram36,
            self.dsp + other.dsp,
        )

    @property
    def scalar(self) -> float:
        """One figure to minimise, in LUTs."""
        return sum(weight * getattr(self, name) for name, weight in _WEIGHT.items())


def layer_cost(layer: Layer, graph: Graph, lanes: int) -> Cost:
    """Return the cost of ``layer`` on ``lanes`` values per beat (a matvec uses its fold)."""
    x, y = graph.tensor(layer.x), graph.tensor(layer.y)
    match layer:
        case Window():
            return window_cost(layer, graph, layer.fold.simd)
        case Dense() | XnorDense() | Depthwise() | MaxPool():
            return product_cost(layer, layer.fold, x, y)
        case Table():
            rows, entries = layer.table.shape
            return _scaled(memory_cost(rows * entries, y.type.bits), lanes)
        case Threshold():
            stages = layer.thresholds.shape[1].bit_length()
            words = prod(layer.thresholds.shape)
            compare = lanes * stages * x.type.bits
            table = memory_cost(ceil(y.size / lanes), ceil(words / y.size) * lanes * x.type.bits)
            return Cost(lut=compare, ff=lanes * stages * (x.type.bits + stages)) + table
        case Requant():
            m = 0 if (layer.multiplier == 1).all() else _bits(layer.multiplier)
            b = _bits(layer.bias)
            wide = x.type.bits + m
            table = memory_cost(ceil(y.size / lanes), lanes * (m + b))
            add = Cost(lut=lanes * (max(wide, b) + y.type.bits), ff=lanes * (wide + b))
            return add + table + Cost(dsp=lanes if m else 0)
        case Add():
            gains = sum(bin(abs(g)).count("1") for g in layer.gains)
            return Cost(lut=layer.fold.pe * gains * y.type.bits / 2, ff=layer.fold.pe * y.type.bits)
        case Concat():
            wide = layer.fold.pe * y.type.bits
            return Cost(lut=wide, ff=wide)
        case Upsample():
            wide = layer.fold.pe * x.type.bits
            rows = 2 * prod(x.space[1:]) * x.size // layer.fold.pe
            own = Cost(lut=40 + wide, ff=40 + wide)
            if layer.fill is not None:
                return own
            return own + buffer_cost(rows, wide)
        case ArgMax():
            return Cost(lut=lanes * 2 * x.type.bits, ff=x.type.bits + y.type.bits)
        case _:
            assert_never(layer)


def product_cost(layer: Product, fold: Fold, x: Tensor, y: Tensor) -> Cost:
    """Return the cost of a product, or a maximum, at ``fold``."""
    if isinstance(layer, Depthwise):
        return _depthwise_cost(layer, fold, x, y)
    if isinstance(layer, MaxPool):
        per_lane = Cost(lut=1.5 * x.type.bits, ff=2 * x.type.bits)
        return _scaled(per_lane, fold.pe) + lutram_cost(y.size // fold.pe, fold.pe * x.type.bits)
    out_n, in_n = layer.weights.shape
    w = layer.stored_type.bits
    macs, xb, acc = fold.simd * fold.pe, x.type.bits, y.type.bits
    per_mac = 4.5 if isinstance(layer, XnorDense) else _mac_luts(xb, w)
    cycles = (in_n // fold.simd) * (out_n // fold.pe)
    if cycles == 1 and isinstance(layer, Dense):  # constant weights: 17 (8 x 4), 16 (4 x 4 bits)
        per_mac = min(per_mac, 2 * max(xb, 2 * w))
    arithmetic = Cost(lut=macs * per_mac + fold.pe * acc, ff=fold.pe * acc + fold.simd * xb)
    weights = memory_cost(cycles, macs * w)
    if fold.order is Order.ROW:
        local = Cost(lut=fold.simd * xb) + lutram_cost(in_n // fold.simd, fold.simd * xb)
    else:
        local = lutram_cost(out_n // fold.pe, fold.pe * acc)
    return arithmetic + weights + local


def _mac_luts(x_bits: int, w_bits: int) -> float:
    """Yosys 0.70: 12 (3 x 3), 43 (8 x 3), 126 LUTs (8 x 8 bits), additions included."""
    return max(2 * x_bits * w_bits - 4, x_bits * w_bits + 4)


def _depthwise_cost(layer: Depthwise, fold: Fold, x: Tensor, y: Tensor) -> Cost:
    channels, taps = layer.weights.shape
    w = layer.stored_type.bits
    folds, acc = channels // fold.pe, y.type.bits
    lane = _mac_luts(x.type.bits, w) + acc
    arithmetic = Cost(lut=fold.pe * lane, ff=fold.pe * (acc + x.type.bits + w))
    weights = memory_cost(taps * folds, fold.pe * w)
    return arithmetic + weights + lutram_cost(folds, fold.pe * acc)


def window_cost(layer: Window, graph: Graph, simd: int) -> Cost:
    """Return the cost of a sliding window: its line buffer, and counters."""
    x = graph.tensor(layer.x)
    depth = window_rows(layer, x.space[0]) * prod(x.space[1:]) * x.size // simd
    width = simd * x.type.bits
    return Cost(lut=80 + width, ff=60 + width) + buffer_cost(depth, width)


def _scaled(cost: Cost, n: int) -> Cost:
    return Cost(n * cost.lut, n * cost.ff, n * cost.bram36, n * cost.dsp)


def width_cost(bits: int, lanes_in: int, lanes_out: int) -> Cost:
    """Return the cost of converting a stream of ``bits``-bit lanes."""
    if lanes_in == lanes_out:
        return Cost()
    wide = max(lanes_in, lanes_out) * bits
    waiting = 2 if lanes_out % lanes_in else 0  # beats in a FIFO while one is split
    return Cost(lut=wide, ff=wide) + lutram_cost(waiting, lanes_in * bits)


def memory_cost(depth: int, width: int) -> Cost:
    """Return a read-only memory in LUTs when shallow, else in block RAM of the best shape."""
    if depth <= 1:
        return Cost()
    if depth <= 2 * _LUTRAM_DEPTH:
        return Cost(lut=width * ceil(depth / _LUTRAM_DEPTH), ff=width)
    halves = min(
        min(ceil(width / w) * 2 * ceil(depth / d), ceil(width / (w / 2)) * ceil(depth / d))
        for d, w in _BRAM36_SHAPES
    )
    return Cost(bram36=halves / 2)


def buffer_cost(depth: int, width: int) -> Cost:
    """Return a writable memory: distributed when shallow, else in block RAM."""
    return lutram_cost(depth, width) if depth <= 2 * _LUTRAM_DEPTH else memory_cost(depth, width)


def lutram_cost(depth: int, width: int) -> Cost:
    """Return a writable distributed memory; four LUTs hold 64 words of 3 bits."""
    return Cost(lut=width * 4 / 3 * ceil(depth / _LUTRAM_DEPTH)) if depth > 1 else Cost()


def _bits(values: IntArray) -> int:
    return IntType.of_range(int(values.min()), int(values.max())).bits
