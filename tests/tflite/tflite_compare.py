"""Reference against interpreter, tensor by tensor."""

from __future__ import annotations

import numpy as np
from tflite_models import interpret

from hwgen.graph.execute import trace
from hwgen.graph.ir import Graph
from hwgen.tflite import to_graph


def random_codes(graph: Graph, samples: int, seed: int) -> np.ndarray:
    """Return codes (samples, values): random, and frames at both ends of the range."""
    rng = np.random.default_rng(seed)
    t = graph.tensor(graph.input)
    x = rng.integers(t.lo, t.hi + 1, (samples, t.values))
    x[0], x[1] = t.lo, t.hi
    if samples > 3:  # a checkerboard of both ends, and its negative
        x[2] = np.where(np.arange(t.values) % 2, t.lo, t.hi)
        x[3] = t.lo + t.hi - x[2]
    return x


def compared(content: bytes, x: np.ndarray | None = None, samples: int = 8, seed: int = 0) -> int:
    """Return how many integers were compared; raises AssertionError where one differs."""
    graph = to_graph(content, "net")
    x = random_codes(graph, samples, seed) if x is None else x
    ours, theirs = trace(graph, x), interpret(content, x)
    count = 0
    for t in graph.tensors[1:]:
        if t.source:
            wrong = np.argwhere(ours[t.name] != theirs[t.source])
            assert len(wrong) == 0, f"{t.name}, seed {seed}: {len(wrong)}, first {wrong[0]}"
            count += ours[t.name].size
    assert count
    return count
