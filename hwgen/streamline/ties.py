"""Is a differing activation a float32 tie?  Proved from the source model, never assumed.

An executor sums in float32.  Its pre-quantizer value differs from the exact one by at most
``n * 2**-24 * sum|terms|``; only if the exact value lies that close to a rounding boundary may the
two round apart, and then by one code.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hwgen.graph.execute import execute
from hwgen.graph.ir import Graph, XnorDense
from hwgen.num.elementwise import evaluate
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.chain import split
from hwgen.streamline.read import read

_EPS32 = 2.0**-24


def proved_ties(
    path: Path, graph: Graph, tensor: str, x: IntArray, ours: IntArray, theirs: IntArray
) -> np.ndarray:
    """Return a mask (batch, channels) of differences that are float32 ties.

    tensor  name of a quantized tensor that a matrix-vector product feeds
    x       (batch, in) codes that went into that product, the same on both sides
    """
    layer = next(e for e in graph.layers if e.y == tensor)
    index, matvec = next((i, e) for i, e in enumerate(graph.matvecs()) if e.y == layer.x)
    block = split(read(path)).blocks[index + 1]
    last = max(i for i, s in enumerate(block.segment) if s.kind == "Quant")
    acc = graph.tensor(layer.x)
    source = graph.tensor(matvec.x)
    exact = execute(matvec, x, source.lo, source.hi)
    signed = 2 * matvec.weights - 1 if isinstance(matvec, XnorDense) else matvec.weights
    scale, zero_point = block.segment[last].operands
    before = block.segment[:last]

    def level(a: FloatArray) -> FloatArray:
        real = acc.scale * (a - acc.zero_point)
        return np.asarray(evaluate(before, real) / scale + zero_point, dtype=np.float64)

    at = level(exact.astype(np.float64))
    slope = np.abs(level(exact.astype(np.float64) + 1) - at)
    terms = np.abs(x - source.zero_point) @ np.abs(signed).T
    roundings = signed.shape[1] + len(before) + 8
    bound = _EPS32 * roundings * (slope * (terms + np.abs(acc.zero_point)) + np.abs(at))
    distance = np.abs(at - np.floor(at) - 0.5)
    return np.asarray((np.abs(ours - theirs) == 1) & (distance <= bound))
