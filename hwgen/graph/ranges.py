"""Interval analysis: what values an accumulator can take, proven from the actual weights."""

from __future__ import annotations

import numpy as np

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
