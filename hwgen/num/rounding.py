"""Right shifts with rounding: the definition that ``rtl/hw_requant.sv`` equals bit for bit."""

from __future__ import annotations

from enum import StrEnum

from hwgen.num.inttype import IntArray


class Rounding(StrEnum):
    """How a right shift disposes of the bits it drops."""

    FLOOR = "floor"
    HALF_EVEN = "half_even"


def shift_round(values: IntArray, shift: int, rounding: Rounding) -> IntArray:
    """Return ``values / 2**shift``, rounded to integers; exact for int64 without overflow.

    HALF_EVEN adds ``half - 1 + lsb`` before the floor shift, where ``lsb`` is the lowest bit that
    survives: a tie goes up only from an odd quotient.
    """
    if shift == 0:
        return values
    if rounding is Rounding.FLOOR:
        return values >> shift
    lsb = (values >> shift) & 1
    return (values + (1 << (shift - 1)) - 1 + lsb) >> shift
