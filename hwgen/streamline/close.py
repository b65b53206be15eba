"""Close a segment: find the integer function of an accumulator that a float segment computes.

``f_c(a) = code(segment(scale_c * (a - zero_point_c)))`` is the hardware's contract, whatever ops it
was made of.  Every op is monotone, so ``f_c`` is a staircase: its steps are found by bisection over
the proven range of ``a``, on the real quantizer in the source order of operations, float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.num.elementwise import Segment, codes
from hwgen.num.inttype import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Accumulator:
    """Per-channel bounds and meaning of an accumulator: real = scale * (a - zero_point)."""

    lo: IntArray  # (channels,)
    hi: IntArray
    scale: FloatArray
    zero_point: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Staircase:
    """A non-decreasing integer function: ``f_c(a) = base + #{k : a >= steps[c, k]}``.

    ``steps[c, k] == lo[c]``: always reached; ``hi[c] + 1``: never.
    """

    base: int
    steps: IntArray  # (channels, levels)
    lo: IntArray
    hi: IntArray

    @property
    def top(self) -> int:
        """Largest value of the function."""
        return self.base + self.steps.shape[1]


def staircase(segment: Segment, acc: Accumulator) -> Staircase:
    """Return the staircase of a non-decreasing segment on ``acc.lo .. acc.hi``."""

    def f(a: IntArray) -> IntArray:  # (levels, channels)
        return codes(segment, acc.scale * (a - acc.zero_point))

    base, top = int(f(acc.lo[None]).min()), int(f(acc.hi[None]).max())
    if base == top:  # a constant: one step, always or never reached, towards 0
        base, top = (base - 1, top) if base > 0 else (base, top + 1)
    target = np.arange(base + 1, top + 1)[:, None]
    shape = (top - base, len(acc.lo))
    low, high = np.broadcast_to(acc.lo, shape).copy(), np.broadcast_to(acc.hi + 1, shape).copy()
    while np.any(low < high):
        middle = (low + high) >> 1
        reached = f(np.minimum(middle, acc.hi)) >= target
        high = np.where((low < high) & reached, middle, high)
        low = np.where((low < high) & ~reached, middle + 1, low)
    return Staircase(base, low.T.copy(), acc.lo, acc.hi)
