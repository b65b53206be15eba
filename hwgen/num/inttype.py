"""Integer types: the width and sign that a range of values needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IntType:
    """Two's-complement (``signed``) or unsigned integer of ``bits`` bits."""

    bits: int
    signed: bool

    @property
    def min(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest value."""
        return (1 << (self.bits - self.signed)) - 1

    @classmethod
    def of_range(cls, lo: int, hi: int) -> IntType:
        """Return the narrowest type that holds every integer in ``lo..hi``; at least one bit."""
        if lo >= 0:
            return cls(max(1, int(hi).bit_length()), signed=False)
        return cls(1 + max((-int(lo) - 1).bit_length(), max(int(hi), 0).bit_length()), signed=True)

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.bits}"


def frozen_array(values: npt.ArrayLike) -> IntArray:
    """Return ``values`` as a read-only int64 array (a copy)."""
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array
