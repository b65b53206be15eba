"""Inputs for a proof when no real data is at hand: every code, off the grid, and the corners."""

from __future__ import annotations

import numpy as np

from hwgen.graph.ir import Graph
from hwgen.num.elementwise import evaluate
from hwgen.num.inttype import FloatArray


def random_inputs(graph: Graph, samples: int, seed: int) -> FloatArray:
    """Return (samples, *input_shape) float32 inputs that reach every input code.

    Uniform over the quantizer's range, widened by half a step so that it also clips; the first
    three frames hold the largest, the smallest and the middle value everywhere.
    """
    rng = np.random.default_rng(seed)
    entry = graph.tensor(graph.input)
    scale, zero_point = graph.encoder[-1].operands
    q = rng.uniform(entry.lo - 0.5, entry.hi + 0.5, size=(samples, entry.pixels, entry.size))
    corners = (entry.hi, entry.lo, (entry.lo + entry.hi) // 2)
    for row, corner in zip(q, corners, strict=False):
        row[:] = corner
    affine = tuple(s for s in graph.encoder[:-1] if s.is_affine)
    at_0, at_1 = evaluate(affine, np.array([[0.0], [1.0]]) + np.zeros(entry.size))
    x = (scale * (q - zero_point) - at_0) / (at_1 - at_0)
    if entry.channels_first:
        x = x.transpose(0, 2, 1)
    return x.astype(np.float32).reshape(samples, *graph.input_shape)
