"""Arithmetic on arrays of integer codes, a channel each."""

from __future__ import annotations

import numpy as np

from hwgen.num.inttype import IntArray, IntType
from hwgen.num.rounding import Rounding, shift_round


def rounded(sums: IntArray, shift: IntArray, rounding: Rounding) -> IntArray:
    """Return ``sums`` (n, channels) after each channel's right shift."""
    result = sums.copy()
    for bits in np.unique(shift):
        here = shift == bits
        result[:, here] = shift_round(sums[:, here], int(bits), rounding)
    return result


def uniform(*arrays: IntArray) -> bool:
    """Return whether each array holds one value, however often."""
    return all(bool(np.all(a == a.flat[0])) for a in arrays)


def trailing_zeros(values: IntArray, most: int) -> int:
    """Return how many low bits, at most ``most``, are 0 in every value."""
    used = int(np.bitwise_or.reduce(values)) | 1 << most
    return (used & -used).bit_length() - 1


def signed_bits(lo: int, hi: int) -> int:
    """Return the width of a signed type for ``lo..hi``."""
    return IntType.of_range(min(lo, -1), hi).bits
