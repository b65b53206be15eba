"""Monotone integer functions of an accumulator as staircases, found by bisection.

``f_c(a)`` is the hardware's contract, whatever ops it was made of: for a float network, the code
that the real quantizer gives in the source order of operations; for a fixed-point or TFLite layer,
its own rounding.  ``f`` must not decrease.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hwgen.limits import check_steps
from hwgen.num.inttype import IntArray

Function: TypeAlias = Callable[[IntArray], IntArray]  # (n, channels) accumulators -> their codes


_BLOCK = 1 << 15  # steps


@dataclass(frozen=True, slots=True, eq=False)
class Staircase:
    """A non-decreasing integer function: ``f_c(a) = base + #{k : a >= steps[c, k]}``.

    ``steps[c, k] == lo[c]``: always reached; ``hi[c] + 1``: never.
    """

    base: int
    steps: IntArray  # (channels, levels)
    lo: IntArray  # (channels,)
    hi: IntArray

    @property
    def top(self) -> int:
        """Largest value of the function."""
        return self.base + self.steps.shape[1]


def staircase(f: Function, lo: IntArray, hi: IntArray) -> Staircase:
    """Return the staircase of a non-decreasing ``f`` on ``lo .. hi``, (channels,) each."""
    base, top = int(f(lo[None]).min()), int(f(hi[None]).max())
    if base == top:  # a constant: one step, always or never reached, towards 0
        base, top = (base - 1, top) if base > 0 else (base, top + 1)
    check_steps(len(lo), top - base)
    rows = max(1, _BLOCK // len(lo))  # of levels at a time: their values stay in the cache
    blocks = [
        _bisect(f, lo, hi, np.arange(level, min(level + rows, top + 1))[:, None])
        for level in range(base + 1, top + 1, rows)
    ]
    return Staircase(base, np.concatenate(blocks).T.copy(), lo, hi)


def _bisect(f: Function, lo: IntArray, hi: IntArray, target: IntArray) -> IntArray:
    """Return the first place where ``f`` reaches each target (levels, 1); (levels, channels)."""
    shape = (len(target), len(lo))
    low, high = np.broadcast_to(lo, shape).copy(), np.broadcast_to(hi + 1, shape).copy()
    while np.any(low < high):
        middle = (low + high) >> 1
        reached = f(np.minimum(middle, hi)) >= target
        high = np.where((low < high) & reached, middle, high)
        low = np.where((low < high) & ~reached, middle + 1, low)
    return low
