"""Narrowing of integers: the definition that ``rtl/hw_requant.sv`` equals bit for bit."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from hwgen.num.inttype import IntArray


class Rounding(StrEnum):
    """How a right shift disposes of the bits it drops; its place is its number in hardware."""

    FLOOR = "floor"
    HALF_EVEN = "half_even"
    ZERO = "zero"
    HALF_AWAY = "half_away"
    HALF_TO_ZERO = "half_to_zero"


class Overflow(StrEnum):
    """What becomes of a value beyond ``lo..hi``; its place is its number in hardware."""

    SATURATE = "saturate"  # the nearer end
    WRAP = "wrap"  # its lowest bits; ``lo..hi`` is all that so many bits hold
    ZERO = "zero"


def shift_round(values: IntArray, shift: int, rounding: Rounding) -> IntArray:
    """Return ``values / 2**shift``, rounded to integers; exact for int64 without overflow.

    Each mode is a floor shift after an addition.  Just under one half rounds a tie down; one more
    makes it go up: from an odd quotient (HALF_EVEN), of a positive value (HALF_AWAY), of a negative
    one (HALF_TO_ZERO).
    """
    if shift == 0:
        return values
    under_half = (1 << (shift - 1)) - 1
    match rounding:
        case Rounding.FLOOR:
            return values >> shift
        case Rounding.HALF_EVEN:
            return (values + under_half + ((values >> shift) & 1)) >> shift
        case Rounding.ZERO:
            return (values + np.where(values < 0, (1 << shift) - 1, 0)) >> shift
        case Rounding.HALF_AWAY:
            return (values + under_half + (values >= 0)) >> shift
        case Rounding.HALF_TO_ZERO:
            return (values + under_half + (values < 0)) >> shift


def confine(
    values: IntArray, lo: int | IntArray, hi: int | IntArray, overflow: Overflow
) -> IntArray:
    """Return ``values`` with those beyond ``lo..hi`` brought back into it."""
    match overflow:
        case Overflow.SATURATE:
            return np.clip(values, lo, hi)
        case Overflow.WRAP:
            return ((values - lo) & (hi - lo)) + lo
        case Overflow.ZERO:
            return np.where((values < lo) | (values > hi), 0, values)
