"""Integer functions that are not monotone, as pieces of constant value, by full evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.closing.staircase import Function
from hwgen.graph.ir import Layer, Table, Tensor, Threshold
from hwgen.num.inttype import IntArray, frozen_array

MOST_VALUES = 1 << 24  # evaluations of one function, its range times its channels: seconds of work
_BLOCK = 1 << 18  # evaluations at a time
_DIRECT = 256  # entries of a table that needs no thresholds before it


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """``f_c(a) = value[c, #{k : a >= start[c, k]}]``; ``start[c, k] == hi[c] + 1``: never."""

    start: IntArray  # (channels, breaks), ascending along axis 1
    value: IntArray  # (channels, breaks + 1)


def evaluations(lo: IntArray, hi: IntArray) -> int:
    """Return what ``pieces`` costs on this range; callers refuse more than MOST_VALUES."""
    return int((hi - lo).max() + 1) * len(lo)


def pieces(f: Function, lo: IntArray, hi: IntArray) -> Pieces:
    """Return the pieces of any ``f`` on ``lo .. hi``, (channels,) each."""
    span, rows = int((hi - lo).max()) + 1, max(1, _BLOCK // len(lo))
    parts = (np.arange(at, min(at + rows, span))[:, None] for at in range(0, span, rows))
    codes = np.concatenate([f(np.minimum(lo + part, hi)).astype(np.int32) for part in parts])
    changes = [np.flatnonzero(np.diff(codes[:, c])) + 1 for c in range(len(lo))]
    breaks = max(len(at) for at in changes)
    start = np.repeat(hi[:, None] + 1, max(breaks, 1), axis=1)
    value = np.repeat(codes[-1:].T.astype(np.int64), max(breaks, 1) + 1, axis=1)
    for c, at in enumerate(changes):
        start[c, : len(at)] = lo[c] + at
        value[c, : len(at) + 1] = codes[np.concatenate([[0], at]), c]
    return Pieces(start, value)


def tabulated(
    name: str, search: str, x: Tensor, y: Tensor, f: Function, lo: IntArray, hi: IntArray
) -> tuple[list[Layer], list[Tensor]]:
    """Return the layers from ``x`` to ``y`` that compute any ``f``, and their outputs.

    The table ``name`` alone where the range of ``x`` is small; else the thresholds ``search`` find
    the piece and the table has its value.  The bounds of ``y`` become those of the table.
    """
    if x.hi - x.lo < _DIRECT:
        entries = f(np.repeat(np.arange(x.lo, x.hi + 1)[:, None], x.size, axis=1))
        return [Table(name, x.name, y.name, _shared(entries.T))], [_bounded(y, entries)]
    found = pieces(f, lo, hi)
    one, nil = np.array(1.0), np.array(0.0)
    piece = Tensor(f"{search}_out", x.size, 0, found.start.shape[1], one, nil, space=x.space)
    steps = Threshold(search, x.name, piece.name, frozen_array(found.start), 0)
    table = Table(name, piece.name, y.name, _shared(found.value))
    return [steps, table], [piece, _bounded(y, found.value)]


def _bounded(y: Tensor, values: IntArray) -> Tensor:
    return replace(y, lo=min(int(values.min()), 0), hi=max(int(values.max()), 0))


def _shared(table: IntArray) -> IntArray:
    """Return one row where all channels agree."""
    return frozen_array(table[:1] if np.all(table == table[0]) else table)
