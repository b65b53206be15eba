"""A chain of fixed-point arithmetic becomes layers of the integer graph.

The value behind the last layer is a formula of its tensor, see ``FixedValue``; ``flush`` makes the
formula a layer.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from hwgen.closing import Function, Staircase, cheapest, staircase
from hwgen.errors import UnsupportedOp
from hwgen.graph import ir
from hwgen.graph.names import Names
from hwgen.graph.ranges import accumulator_bounds
from hwgen.graph.windows import window_space
from hwgen.hls4ml_backend.fixed.codes import signed_bits, trailing_zeros, uniform
from hwgen.hls4ml_backend.fixed.type import FixedType
from hwgen.hls4ml_backend.fixed.value import FixedValue
from hwgen.num.inttype import IntArray, IntType, frozen_array
from hwgen.num.rounding import Overflow

_MAX_LEVELS = 1023  # of a threshold layer
_MAX_ENTRIES = 4096  # of a table
_MAX_EVALUATIONS = 1 << 24  # of one function, all channels together
_MAX_WEIGHT = 1 << 24  # what float32 holds: integer QONNX has float weights
_MAX_BITS = 53  # what float64 holds: C++ shows its values as double
_ZERO = np.array(0.0)


class FixedChain(FixedValue):
    """The layers so far, and the fixed-point value behind the last of them.

    ``product_fraction``: fractional bits that every product of the last sums needs.
    """

    tensor: ir.Tensor
    _grain: IntArray  # low bits that are 0 in every code of the tensor

    def __init__(
        self, t: FixedType, size: int, space: tuple[int, ...], channels_first: bool = False
    ) -> None:
        self.layers: list[ir.Layer] = []
        self.tensors: list[ir.Tensor] = []
        self.names = Names()
        self.where = self.behind = "input"  # the source layer in work, and the value's
        self._grow(size, space, np.full(size, t.lo), np.full(size, t.hi), np.full(size, t.fraction),
                   (t.lo, t.hi))  # fmt: skip
        self.tensor = replace(self.tensor, channels_first=channels_first)
        self.tensors = [self.tensor]

    def flush(self) -> None:
        """Make layers of the formula; afterwards the value is the last tensor's."""
        if self._limits is not None and not uniform(*self._limits[:2]):
            self._flush_per_channel()
            return
        untouched = np.all(self._m == 1) and not np.any(self._b) and not np.any(self._shift)
        if untouched and self._limits is None:
            return
        low, high = self.bounds
        lo, hi, overflow = int(low.min()), int(high.max()), Overflow.SATURATE
        if self._limits is not None and self._limits[2] is not Overflow.SATURATE:
            lo, hi, overflow = int(self._limits[0][0]), int(self._limits[1][0]), self._limits[2]
        if lo < -(1 << 31) or hi >= 1 << 31:
            if self._limits is not None:
                raise UnsupportedOp(
                    f"{self.where}: its result is confined to codes {lo} .. {hi}; hwgen confines "
                    "to 32 bits at most. Give its result a narrower type."
                )
            wide = IntType.of_range(min(lo, -1), hi)
            lo, hi, overflow = wide.min, wide.max, Overflow.WRAP  # nothing does: no comparison
        m, b, shift = self._common_shift()
        name = self.names.new(f"{self.behind}_cast")
        x, rounding = self.tensor.name, self._rounding
        y = self._grow(self.tensor.size, self.tensor.space, low, high, self.fraction, (lo, hi))
        self.layers.append(
            ir.Requant(name, x, y, frozen_array(m), frozen_array(b), shift, rounding, lo, hi,
                       overflow)
        )  # fmt: skip

    def dense(self, weights: IntArray, fraction: int) -> None:
        """Multiply all values of a frame, or each pixel's, by a matrix.

        weights  (out, in) codes with ``fraction`` fractional bits; in: of a pixel or a frame
        """
        self._next()
        x = self.tensor
        w, out_fraction = self._aligned(weights, fraction)
        space = () if w.shape[1] == x.values else x.space
        name = self.names.new(self.where)
        y = self._accumulate(w, space, len(w), out_fraction)
        odd = bool(np.all(w % 2 == 1))
        self.layers.append(ir.Dense(name, x.name, y, frozen_array(w), odd=odd))

    def window(
        self, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...],
        pads: tuple[tuple[int, int], ...], lowest: bool = False,
    ) -> None:  # fmt: skip
        """Gather the values under a kernel; channels (*kernel, channel).

        Outside the image lie zeros, or the ``lowest`` codes.
        """
        self._next()
        x, taps = self.tensor, prod(kernel)
        if taps == prod(stride) == 1 and not np.any(pads):
            return
        name = self.names.new(f"{self.where}_window")
        pad = x.lo if lowest else 0
        layer = ir.Window(name, x.name, "", kernel, stride, dilation, pads, pad)
        bounds = self._x_lo, self._x_hi, self.fraction, self._grain
        lo, hi, fraction, grain = (np.tile(a, taps) for a in bounds)
        y = self._grow(x.size * taps, window_space(layer, x.space), lo, hi, fraction, (x.lo, x.hi))
        self._grain = grain
        self.layers.append(replace(layer, y=y))

    def depthwise(self, weights: IntArray, fraction: int) -> None:
        """Multiply the taps of each channel; weights (channels, taps)."""
        self._next()
        x, (channels, taps) = self.tensor, weights.shape
        spread = np.zeros((channels, taps, channels), dtype=np.int64)
        spread[np.arange(channels), :, np.arange(channels)] = weights
        w, out_fraction = self._aligned(spread.reshape(channels, -1), fraction)
        name = self.names.new(self.where)
        y = self._accumulate(w, x.space, channels, out_fraction)
        own = w.reshape(channels, taps, channels)[np.arange(channels), :, np.arange(channels)]
        self.layers.append(ir.Depthwise(name, x.name, y, frozen_array(own)))

    def maximum(self, taps: int) -> None:
        """Take the largest of the ``taps`` values of each channel."""
        self._next()
        x, size = self.tensor, self.tensor.size // taps
        lo, hi = (a.reshape(taps, size).max(axis=0) for a in (self._x_lo, self._x_hi))
        name = self.names.new(self.where)
        y = self._grow(size, x.space, lo, hi, self.fraction[:size], (x.lo, x.hi))
        self.layers.append(ir.MaxPool(name, x.name, y, taps))

    def apply(self, f: Function, fraction: int, monotone: bool = False) -> None:
        """Replace every code by a function of it, whose results have ``fraction`` bits.

        monotone  it is known not to decrease: not all of its values need a look
        """
        self._next()
        x, name = self.tensor, self.names.new(self.where)
        fine = np.full(x.size, fraction)
        low, high = f(self._x_lo[None])[0], f(self._x_hi[None])[0]
        if not monotone:
            table, low, high = self._tabulated(f)
            monotone = bool(np.all(np.diff(table, axis=0) >= 0))
        if monotone and int(high.max()) - int(low.min()) <= _MAX_LEVELS:
            self._close(name, staircase(f, self._x_lo, self._x_hi), low, high, fine)
            return
        if monotone or len(table) > _MAX_ENTRIES:
            raise UnsupportedOp(
                f"{self.where}: a function of {x.hi - x.lo + 1} input codes with "
                f"{int(high.max()) - int(low.min()) + 1} output codes; hwgen makes thresholds of "
                f"{_MAX_LEVELS + 1} output codes at most and tables of {_MAX_ENTRIES} input codes. "
                "Give its input or its result a narrower type."
            )
        y = self._grow(x.size, x.space, low, high, fine, (int(table.min()), int(table.max())))
        rows = table[:, :1] if np.all(table == table[:, :1]) else table
        self.layers.append(ir.Table(name, x.name, y, frozen_array(rows.T)))

    def _tabulated(self, f: Function) -> tuple[IntArray, IntArray, IntArray]:
        """Return all values of a function, (codes, channels), and their bounds per channel."""
        x = self.tensor
        if (x.hi - x.lo + 1) * x.size > _MAX_EVALUATIONS:
            raise UnsupportedOp(
                f"{self.where}: a function of {x.hi - x.lo + 1} values in {x.size} channels; hwgen "
                f"looks at all of them, up to {_MAX_EVALUATIONS}. Give its input a narrower type."
            )
        inputs = np.repeat(np.arange(x.lo, x.hi + 1)[:, None], x.size, axis=1)
        table = f(inputs)
        inside = (self._x_lo <= inputs) & (inputs <= self._x_hi)
        low = np.where(inside, table, table.max()).min(axis=0)
        return table, low, np.where(inside, table, table.min()).max(axis=0)

    def _next(self) -> None:
        self.flush()
        self.behind = self.where

    def _grow(
        self, size: int, space: tuple[int, ...], lo: IntArray, hi: IntArray, fraction: IntArray,
        limits: tuple[int, int],
    ) -> str:  # fmt: skip
        """Append a tensor, make it the value and return its name."""
        name = self.names.new(f"{self.behind}_values") if self.tensors else "codes"
        if IntType.of_range(*limits).bits > _MAX_BITS:
            raise UnsupportedOp(
                f"{self.where}: values of {IntType.of_range(*limits).bits} bits; hwgen carries up "
                f"to {_MAX_BITS}. Give the layers before narrower results."
            )
        scale = np.exp2(-fraction.astype(np.float64))
        scale = scale[0] if uniform(fraction) else scale
        low, high = min(limits[0], 0), max(limits[1], 0)
        self.tensor = ir.Tensor(name, size, low, high, np.array(scale), _ZERO, self.behind, space)
        self.tensors.append(self.tensor)
        self._hold(lo, hi, fraction)
        self._grain = np.zeros(size, dtype=np.int64)
        return name

    def _flush_per_channel(self) -> None:
        """Limits differ between channels: thresholds, or a wrap of codes shifted to the left."""
        assert self._limits is not None
        lo, hi, overflow = self._limits
        low, high = self.bounds
        if overflow is not Overflow.SATURATE or np.any(self._m < 0):
            self._limits = None
            self.flush()
            self._limits = (lo, hi, overflow)
        if overflow is Overflow.SATURATE and int(high.max()) - int(low.min()) <= _MAX_LEVELS:
            stairs = staircase(self._formula(), self._x_lo, self._x_hi)
            name = self.names.new(f"{self.behind}_cast")
            self._close(name, stairs, low, high, self.fraction)
            return
        if overflow is not Overflow.WRAP:
            raise UnsupportedOp(
                f"{self.where}: types of {int(np.max(hi - lo)) + 1} codes that saturate "
                f"differently in each channel; hwgen makes thresholds of up to {_MAX_LEVELS + 1} "
                "codes. Use WRAP, narrower types, or one type for the whole layer."
            )
        self._limits = None
        self._wrap_per_channel(lo, hi)

    def _wrap_per_channel(self, lo: IntArray, hi: IntArray) -> None:
        """Wrap codes of different widths at one width, each shifted up to its top."""
        low, high = self.bounds
        free = (lo <= low) & (high <= hi)
        lo, hi = np.where(free, np.minimum(low, 0), lo), np.where(free, high, hi)
        bits = np.array([int(h - n).bit_length() for n, h in zip(lo, hi, strict=True)])
        middle = np.where(free | (lo < 0) | (bits == 0), 0, 1 << np.maximum(bits - 1, 0))
        ends = zip(low, high, strict=True)
        bits = np.where(free, [signed_bits(int(n), int(h)) for n, h in ends], bits)
        width = int(bits.max())
        self._offset(-middle)
        self._refine(width - bits)
        half = np.full_like(bits, 1 << (width - 1))
        self._limit(-half, half - 1, Overflow.WRAP)
        self.flush()
        self._x_lo = np.maximum(self._x_lo, (lo - middle) << (width - bits))
        self._x_hi = np.minimum(self._x_hi, (hi - middle) << (width - bits))
        self._offset(middle << (width - bits))
        self.flush()
        self._grain = width - bits

    def _close(
        self, name: str, stairs: Staircase, lo: IntArray, hi: IntArray, fraction: IntArray
    ) -> None:
        x = self.tensor
        y = self._grow(x.size, x.space, lo, hi, fraction, (stairs.base, stairs.top))
        self.layers.append(cheapest(name, x, y, stairs))

    def _aligned(self, weights: IntArray, fraction: int) -> tuple[IntArray, int]:
        """Return weights for inputs on one grid, and the sums' fractional bits."""
        repeats = weights.shape[1] // len(self.fraction)
        dead = (self._x_lo == 0) & (self._x_hi == 0)  # their weights never matter
        fine = np.tile(np.where(dead, self.fraction.min(), self.fraction), repeats)
        w = self._up(np.where(np.tile(dead, repeats), 0, weights), fine.max() - fine)
        top = int(fine.max()) + fraction
        grains = trailing_zeros(self._up(w, np.tile(self._grain, repeats)).ravel(), 61)
        self.product_fraction = top - grains
        spare = trailing_zeros(w.ravel(), 61) if np.any(w) else 0
        if np.any(np.abs(w >> spare) > _MAX_WEIGHT):
            raise UnsupportedOp(
                f"{self.where}: weights of more than 24 bits; give them a narrower type."
            )
        return w >> spare, top - spare

    def _accumulate(self, w: IntArray, space: tuple[int, ...], size: int, fraction: int) -> str:
        x, repeats = self.tensor, w.shape[1] // len(self.fraction)
        reach = max(-x.lo, x.hi, 1)
        self._sound(np.abs(w).astype(np.float64).sum(axis=1) * reach)
        ends = w * np.tile(self._x_lo, repeats), w * np.tile(self._x_hi, repeats)
        low, high = (np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1))
        all_low, all_high = accumulator_bounds(w, x.lo, x.hi)
        limits = (int(all_low.min()), int(all_high.max()))
        return self._grow(size, space, low, high, np.full(size, fraction), limits)
