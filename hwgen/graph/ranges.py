"""Interval analysis: what values an accumulator can take, proven from the actual weights."""

from __future__ import annotations

import numpy as np

from hwgen.graph.ir import Tensor
from hwgen.num.inttype import IntArray


def accumulator_bounds(weights: IntArray, lo: int, hi: int) -> tuple[IntArray, IntArray]:
    """Return the smallest and largest ``weights @ x`` per row, for any x with ``lo <= x <= hi``.

    weights  (out, in) int64
    returns  two (out,) int64 arrays; each bound is attained by some x, so one bit less overflows.
             They are widened to contain 0, where every accumulation starts.
    """
    a, b = weights * lo, weights * hi
    low = np.minimum(np.minimum(a, b).sum(axis=1), 0)
    high = np.maximum(np.maximum(a, b).sum(axis=1), 0)
    return low, high


def sum_bounds(gains: tuple[int, int], a: Tensor, b: Tensor) -> tuple[int, int]:
    """Return the smallest and largest ``gains[0] * a + gains[1] * b``."""
    ends = [sorted((gain * t.lo, gain * t.hi)) for gain, t in zip(gains, (a, b), strict=True)]
    return ends[0][0] + ends[1][0], ends[0][1] + ends[1][1]
