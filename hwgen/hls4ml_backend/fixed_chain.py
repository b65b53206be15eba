"""A chain of fixed-point arithmetic becomes layers of the integer graph.

The value at the end of the chain is kept as a formula of the last tensor,
``confine(round((m * x + b) / 2**shift))`` per channel, which casts, biases and clamps extend for as
long as that is exact; ``flush`` makes it a layer.  Bounds are proved per channel.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from hwgen.closing import Function, Staircase, cheapest, staircase
from hwgen.errors import UnsupportedOp
from hwgen.graph import ir
from hwgen.graph.check import window_space
from hwgen.graph.names import Names
from hwgen.graph.ranges import accumulator_bounds
from hwgen.hls4ml_backend.fixed_type import FixedType
from hwgen.num.inttype import FloatArray, IntArray, IntType, frozen_array
from hwgen.num.rounding import Overflow, Rounding, confine, shift_round

_MAX_SUM = 1 << 61  # beyond every intermediate value: int64 holds it and its rounding
_MAX_LEVELS = 1023  # of a threshold layer
_MAX_ENTRIES = 4096  # of a table
_MAX_EVALUATIONS = 1 << 24  # of one function, all channels together
_ZERO = np.array(0.0)


class FixedChain:
    """The layers so far, and the fixed-point value behind the last of them.

    ``fraction`` (channels,): code ``q`` of channel ``c`` stands for ``q * 2**-fraction[c]``.
    ``product_fraction``: fractional bits that every product of the last sums needs.
    """

    def __init__(
        self, t: FixedType, size: int, space: tuple[int, ...], channels_first: bool = False
    ) -> None:
        self.layers: list[ir.Layer] = []
        self.tensors: list[ir.Tensor] = []
        self.names = Names()
        self.where = "input"  # the source layer in work, for names and messages
        self._grow(size, space, np.full(size, t.lo), np.full(size, t.hi), np.full(size, t.fraction),
                   (t.lo, t.hi))  # fmt: skip
        self.tensor = replace(self.tensor, channels_first=channels_first)
        self.tensors = [self.tensor]

    # ---- the value --------------------------------------------------------------------------
    @property
    def fraction(self) -> IntArray:
        """Fractional bits of the value, (channels,)."""
        return self._sum_fraction - self._shift

    @property
    def bounds(self) -> tuple[IntArray, IntArray]:
        """Proved bounds of the value's codes, (channels,) each."""
        ends = np.stack([self._m * self._x_lo, self._m * self._x_hi]) + self._b
        low, high = _rounded(
            np.stack([ends.min(axis=0), ends.max(axis=0)]), self._shift, self._rounding
        )
        if self._limits is None:
            return low, high
        lo, hi, overflow = self._limits
        within = (lo <= low) & (high <= hi)
        if overflow is Overflow.SATURATE:
            return np.clip(low, lo, hi), np.clip(high, lo, hi)
        if overflow is Overflow.ZERO:
            lo, hi = np.minimum(np.maximum(low, lo), 0), np.maximum(np.minimum(high, hi), 0)
        return np.where(within, low, lo), np.where(within, high, hi)

    def cast(
        self, t: FixedType, fraction: IntArray | None = None, lo: IntArray | None = None,
        hi: IntArray | None = None,
    ) -> None:  # fmt: skip
        """Convert the value as C++ converts it to the type ``t``.

        fraction, lo, hi  (channels,) where they differ from channel to channel, else those of t
        """
        wanted = np.broadcast_to(t.fraction if fraction is None else fraction, self._m.shape)
        self._drop(np.maximum(self.fraction - wanted, 0), t)
        finer = np.maximum(wanted - self.fraction, 0)
        least = np.broadcast_to(t.lo if lo is None else lo, self._m.shape)
        most = np.broadcast_to(t.hi if hi is None else hi, self._m.shape)
        low, high = self.bounds
        if np.all((least <= low << finer) & (high << finer <= most)):
            return
        if np.any(finer) and not self._on_coarse_grid(least, most, finer, t.overflow):
            self._refine(finer)
            finer = np.zeros_like(finer)
        self._limit(-(-least >> finer), most >> finer, t.overflow)

    def add(self, codes: IntArray, fraction: int) -> None:
        """Add a constant per channel."""
        missing = np.where(codes != 0, np.maximum(fraction - self.fraction, 0), 0)
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._refine(missing)
        gain = np.maximum(self.fraction - fraction, 0)
        self._offset(self._up(codes, gain))

    def scale(self, codes: IntArray, fraction: int) -> None:
        """Multiply by a constant per channel."""
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._m, self._b = self._m * codes, self._b * codes
        self._offset(np.zeros_like(self._b))
        self._sum_fraction = self._sum_fraction + fraction

    def divide(self, by: int, t: FixedType) -> None:
        """Divide the value towards zero on the grid of the type ``t``."""
        t = replace(t, mode="TRN_ZERO")
        if by & (by - 1):
            self.cast(t)
            self._refine(np.maximum(t.fraction - self.fraction, 0))
            self.apply(lambda x: np.sign(x) * (np.abs(x) // by), t.fraction)
            return
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._sum_fraction = self._sum_fraction + by.bit_length() - 1
        self.cast(t)

    def clamp(self, lo: IntArray | None = None, hi: IntArray | None = None) -> None:
        """Keep the value within ``lo..hi``, codes of its own grid; None: no limit there."""
        low, high = self.bounds
        lo = np.broadcast_to(low.min() if lo is None else lo, low.shape)
        hi = np.broadcast_to(max(high.max(), lo.max()) if hi is None else hi, low.shape)
        if np.any((low < lo) | (high > hi)):
            self._limit(lo, hi, Overflow.SATURATE)

    # ---- layers -----------------------------------------------------------------------------
    def flush(self) -> None:
        """Make layers of the formula; afterwards the value is the last tensor's."""
        if self._limits is not None and not _uniform(*self._limits[:2]):
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
            raise UnsupportedOp(
                f"{self.where}: its result has codes {lo} .. {hi}; hwgen requantizes to 32 bits at "
                "most. Give its result a narrower type."
            )
        m, b, shift = self._common_shift()
        name = self.names.new(f"{self.where}_cast")
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
        self.flush()
        x = self.tensor
        w, out_fraction = self._aligned(weights, fraction)
        space = () if w.shape[1] == x.values else x.space
        name = self.names.new(self.where)
        y = self._accumulate(w, space, len(w), out_fraction)
        odd = bool(np.all(w % 2 == 1))
        self.layers.append(ir.Dense(name, x.name, y, frozen_array(w), odd=odd))

    def window(
        self, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
    ) -> None:  # fmt: skip
        """Gather the values under a kernel, zero outside the image; channels (*kernel, channel)."""
        self.flush()
        x, taps = self.tensor, prod(kernel)
        if taps == prod(stride) == 1 and not np.any(pads):
            return
        name = self.names.new(f"{self.where}_window")
        layer = ir.Window(name, x.name, "", kernel, stride, dilation, pads, 0)
        lo, hi, fraction = (np.tile(a, taps) for a in (self._x_lo, self._x_hi, self.fraction))
        y = self._grow(x.size * taps, window_space(layer, x.space), lo, hi, fraction, (x.lo, x.hi))
        self.layers.append(replace(layer, y=y))

    def depthwise(self, weights: IntArray, fraction: int) -> None:
        """Multiply the taps of each channel; weights (channels, taps)."""
        self.flush()
        x, (channels, taps) = self.tensor, weights.shape
        spread = np.zeros((channels, taps, channels), dtype=np.int64)
        spread[np.arange(channels), :, np.arange(channels)] = weights
        w, out_fraction = self._aligned(spread.reshape(channels, -1), fraction)
        name = self.names.new(self.where)
        y = self._accumulate(w, x.space, channels, out_fraction)
        own = w.reshape(channels, taps, channels)[np.arange(channels), :, np.arange(channels)]
        self.layers.append(ir.Depthwise(name, x.name, y, frozen_array(own)))

    def apply(self, f: Function, fraction: int) -> None:
        """Replace every code by a function of it, whose results have ``fraction`` bits."""
        self.flush()
        x = self.tensor
        entries = x.hi - x.lo + 1
        if entries * x.size > _MAX_EVALUATIONS:
            raise UnsupportedOp(
                f"{self.where}: a function of {entries} values in {x.size} channels; hwgen looks "
                f"at all of them, up to {_MAX_EVALUATIONS}. Give its input a narrower type."
            )
        inputs = np.repeat(np.arange(x.lo, x.hi + 1)[:, None], x.size, axis=1)
        table = f(inputs)
        inside = (self._x_lo <= inputs) & (inputs <= self._x_hi)
        low = np.where(inside, table, table.max()).min(axis=0)
        high = np.where(inside, table, table.min()).max(axis=0)
        name, span = self.names.new(self.where), int(table.max()) - int(table.min())
        if np.all(np.diff(table, axis=0) >= 0) and span <= _MAX_LEVELS:
            ends = np.full(x.size, x.lo), np.full(x.size, x.hi)
            self._close(name, staircase(f, *ends), low, high, np.full(x.size, fraction))
            return
        if entries > _MAX_ENTRIES:
            raise UnsupportedOp(
                f"{self.where}: a function of {entries} input codes with {span + 1} output codes; "
                f"hwgen makes thresholds of up to {_MAX_LEVELS + 1} output codes and tables of up "
                f"to {_MAX_ENTRIES} input codes. Give its input or its result a narrower type."
            )
        limits = (int(table.min()), int(table.max()))
        y = self._grow(x.size, x.space, low, high, np.full(x.size, fraction), limits)
        same = bool(np.all(table == table[:, :1]))
        self.layers.append(
            ir.Table(name, x.name, y, frozen_array(table[:, :1].T if same else table.T))
        )

    # ---- parts ------------------------------------------------------------------------------
    def _grow(
        self, size: int, space: tuple[int, ...], lo: IntArray, hi: IntArray, fraction: IntArray,
        limits: tuple[int, int],
    ) -> str:  # fmt: skip
        """Append a tensor, make it the value and return its name."""
        name = self.names.new("values") if self.tensors else "codes"
        scale = np.exp2(-fraction.astype(np.float64))
        scale = scale[0] if _uniform(fraction) else scale
        low, high = min(limits[0], 0), max(limits[1], 0)
        self.tensor = ir.Tensor(name, size, low, high, np.array(scale), _ZERO, self.where, space)
        self.tensors.append(self.tensor)
        self._x_lo, self._x_hi = (np.asarray(a, dtype=np.int64) for a in (lo, hi))
        self._m, self._b = np.ones(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        self._sum_fraction = np.asarray(fraction, dtype=np.int64)
        self._shift, self._rounding = np.zeros(size, dtype=np.int64), Rounding.FLOOR
        self._limits: tuple[IntArray, IntArray, Overflow] | None = None
        self._grain = np.zeros(size, dtype=np.int64)  # low bits that are 0 in every code
        return name

    def _drop(self, bits: IntArray, t: FixedType) -> None:
        """Round ``bits`` (channels,) of the value away as ``t`` does."""
        if not np.any(bits):
            return
        floors = self._rounding is t.rounding is Rounding.FLOOR or not np.any(self._shift)
        if not floors or (self._limits and self._limits[2] is not Overflow.SATURATE):
            self.flush()
        addend = np.array([t.addend(int(n)) for n in bits])
        if self._limits is not None:
            lo, hi, overflow = self._limits
            lo, hi = _rounded(np.stack([lo, hi]) + addend, bits, t.rounding)
            self._limits = (lo, hi, overflow)
        self._offset(self._up(addend, self._shift))
        self._shift, self._rounding = self._shift + bits, t.rounding

    def _on_coarse_grid(
        self, lo: IntArray, hi: IntArray, finer: IntArray, overflow: Overflow
    ) -> bool:
        """Return whether limits of a finer grid mean the same to codes of the value's own."""
        if overflow is Overflow.WRAP:
            return bool(np.all(hi - lo + 1 >= 1 << finer) and np.all(lo % (1 << finer) == 0))
        return overflow is Overflow.ZERO

    def _refine(self, bits: IntArray) -> None:
        """Give the value more fractional bits, (channels,)."""
        if not np.any(bits):
            return
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._m, self._b = self._up(self._m, bits), self._up(self._b, bits)
        self._sum_fraction = self._sum_fraction + bits

    def _limit(self, lo: IntArray, hi: IntArray, overflow: Overflow) -> None:
        if self._limits is not None:
            before = self._limits
            if before[2] is overflow is Overflow.SATURATE:
                self._limits = (np.clip(before[0], lo, hi), np.clip(before[1], lo, hi), overflow)
                return
            self.flush()
        self._limits = (lo, hi, overflow)

    def _common_shift(self) -> tuple[IntArray, IntArray, int]:
        """Return multipliers and offsets for one shift, as small as they can be."""
        shift = int(self._shift.max())
        m, b = (self._up(a, shift - self._shift) for a in (self._m, self._b))
        spare = _trailing_zeros(np.concatenate([m, b]), shift)
        return m >> spare, b >> spare, shift - spare

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
            name = self.names.new(f"{self.where}_cast")
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
        middle = np.where(free | (lo < 0), 0, 1 << np.maximum(bits - 1, 0))
        ends = zip(low, high, strict=True)
        bits = np.where(free, [_signed_bits(int(n), int(h)) for n, h in ends], bits)
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

    def _formula(self) -> Function:
        m, b, limits = self._m, self._b, self._limits
        shift, rounding = self._shift, self._rounding

        def f(x: IntArray) -> IntArray:
            codes = _rounded(m * x + b, shift, rounding)
            return codes if limits is None else confine(codes, *limits)

        return f

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
        grains = _trailing_zeros(self._up(w, np.tile(self._grain, repeats)).ravel(), 61)
        self.product_fraction = top - grains
        spare = _trailing_zeros(w.ravel(), 61) if np.any(w) else 0
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

    def _offset(self, codes: IntArray) -> None:
        """Add to the codes of the formula before its shift."""
        self._b = self._b + codes
        reach = np.maximum(np.abs(self._x_lo), np.abs(self._x_hi)).astype(np.float64)
        self._sound(np.abs(self._m) * reach + np.abs(self._b))

    def _up(self, values: IntArray, bits: IntArray) -> IntArray:
        """Return ``values << bits``."""
        self._sound(np.abs(values) * np.exp2(bits))
        return values << bits

    def _sound(self, magnitudes: FloatArray) -> None:
        if np.any(magnitudes >= _MAX_SUM):
            raise UnsupportedOp(
                f"{self.where}: sums of more than 61 bits; give its input or its weights narrower "
                "types."
            )


def _rounded(sums: IntArray, shift: IntArray, rounding: Rounding) -> IntArray:
    """Return ``sums`` (n, channels) after each channel's shift."""
    rounded = sums.copy()
    for bits in np.unique(shift):
        here = shift == bits
        rounded[:, here] = shift_round(sums[:, here], int(bits), rounding)
    return rounded


def _uniform(*arrays: IntArray) -> bool:
    return all(bool(np.all(a == a.flat[0])) for a in arrays)


def _trailing_zeros(values: IntArray, most: int) -> int:
    """Return how many low bits, at most ``most``, are 0 in every value."""
    used = int(np.bitwise_or.reduce(values)) | 1 << most
    return (used & -used).bit_length() - 1


def _signed_bits(lo: int, hi: int) -> int:
    return IntType.of_range(min(lo, -1), hi).bits
