"""A fixed-point value as a formula of the integers of a tensor.

``confine(round((m * x + b) / 2**shift), lo, hi)`` per channel, which casts, biases and clamps
extend for as long as that is exact; where it is not, the formula is flushed into a layer first.
Bounds are proved per channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from hwgen.closing import Function
from hwgen.errors import UnsupportedOp
from hwgen.hls4ml_backend.fixed.codes import rounded, trailing_zeros, uniform
from hwgen.hls4ml_backend.fixed.type import FixedType
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import Overflow, Rounding, confine

_MAX_SUM = 1 << 61  # beyond every intermediate value: int64 holds it and its rounding


class FixedValue(ABC):
    """The formula.

    ``fraction`` (channels,): code ``q`` of channel ``c`` stands for ``q * 2**-fraction[c]``.
    """

    where: str  # the source layer in work, for messages
    _x_lo: IntArray  # bounds of the tensor
    _x_hi: IntArray
    _m: IntArray
    _b: IntArray
    _sum_fraction: IntArray  # of m * x + b
    _shift: IntArray
    _rounding: Rounding
    _limits: tuple[IntArray, IntArray, Overflow] | None

    @abstractmethod
    def flush(self) -> None:
        """Make the formula's values a tensor's, and start anew from it."""

    @abstractmethod
    def apply(self, f: Function, fraction: int, monotone: bool = False) -> None:
        """Replace every code by a function of it, whose results have ``fraction`` bits."""

    @property
    def fraction(self) -> IntArray:
        """Fractional bits of the value, (channels,)."""
        return self._sum_fraction - self._shift

    @property
    def bounds(self) -> tuple[IntArray, IntArray]:
        """Proved bounds of the value's codes, (channels,) each."""
        ends = np.stack([self._m * self._x_lo, self._m * self._x_hi]) + self._b
        low, high = rounded(
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
        least: IntArray = np.broadcast_to(np.int64(t.lo) if lo is None else lo, self._m.shape)
        most: IntArray = np.broadcast_to(np.int64(t.hi) if hi is None else hi, self._m.shape)
        if np.all(wanted >= self.fraction) and self._within(least, most, wanted):
            return
        self._settle()
        self._drop(np.maximum(self.fraction - wanted, 0), t)
        if self._within(least, most, wanted):
            return
        finer = np.maximum(wanted - self.fraction, 0)
        if np.any(finer) and not self._on_coarse_grid(least, most, finer, t.overflow):
            self._refine(finer)
            finer = np.zeros_like(finer)
        self._limit(-(-least >> finer), most >> finer, t.overflow)

    def _within(self, lo: IntArray, hi: IntArray, fraction: IntArray) -> bool:
        """Return whether no value is beyond limits of a grid as fine as the value's, or finer."""
        low, high = (self._up(a, np.maximum(fraction - self.fraction, 0)) for a in self.bounds)
        return bool(np.all((lo <= low) & (high <= hi)))

    def add(self, codes: IntArray, fraction: int) -> None:
        """Add a constant per channel."""
        if not np.any(codes):
            return
        spare = trailing_zeros(codes, 61)
        codes, fraction = codes >> spare, fraction - spare
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._refine(np.maximum(fraction - self.fraction, 0))
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
            self._settle()
            self._refine(np.maximum(t.fraction - self.fraction, 0))
            self.apply(lambda x: np.sign(x) * (np.abs(x) // by), t.fraction)
            return
        if np.any(self._shift) or self._limits is not None:
            self.flush()
        self._sum_fraction = self._sum_fraction + by.bit_length() - 1
        self.cast(t)

    def clamp(self, lo: IntArray | None = None, hi: IntArray | None = None) -> None:
        """Keep the value within ``lo..hi``, codes of its own grid; None: no limit there."""
        self._settle()
        low, high = self.bounds
        lo = np.broadcast_to(low.min() if lo is None else lo, low.shape)
        hi = np.broadcast_to(max(high.max(), lo.max()) if hi is None else hi, low.shape)
        if np.any((low < lo) | (high > hi)):
            self._limit(lo, hi, Overflow.SATURATE)

    def _settle(self) -> None:
        """Flush limits that differ between channels: that may change the value's fraction."""
        if self._limits is not None and not uniform(*self._limits[:2]):
            self.flush()

    def _hold(self, lo: IntArray, hi: IntArray, fraction: IntArray) -> None:
        """Start the formula of a new tensor, (channels,) each."""
        self._x_lo, self._x_hi = (np.asarray(a, dtype=np.int64) for a in (lo, hi))
        self._m, self._b = np.ones(len(lo), dtype=np.int64), np.zeros(len(lo), dtype=np.int64)
        self._sum_fraction = np.asarray(fraction, dtype=np.int64)
        self._shift, self._rounding = np.zeros(len(lo), dtype=np.int64), Rounding.FLOOR
        self._limits = None

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
            lo, hi = rounded(np.stack([lo, hi]) + addend, bits, t.rounding)
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
        spare = trailing_zeros(np.concatenate([m, b]), shift)
        return m >> spare, b >> spare, shift - spare

    def _formula(self) -> Function:
        m, b, limits = self._m, self._b, self._limits
        shift, rounding = self._shift, self._rounding

        def f(x: IntArray) -> IntArray:
            codes = rounded(m * x + b, shift, rounding)
            return codes if limits is None else confine(codes, *limits)

        return f

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
