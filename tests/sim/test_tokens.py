"""The token simulation is the RTL's clock, and FIFOs sized with it cost no cycles."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from fuzzing.agreement import emitted
from fuzzing.choices import Rolled
from fuzzing.graphs import build

from hwgen.emit import emit_top
from hwgen.errors import FoldError
from hwgen.fifos import edges, size_fifos, token_simulator
from hwgen.graph.ir import Graph, Join, Tensor, Upsample
from hwgen.schedule import initiation_interval, schedule
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import read
from hwgen.witnesses import simulate
from models import Chain

FRAMES = 24
LONG = 120  # frames; more than any branch here holds
ENDLESS = 100_000  # beats


def fuzzed(first: int, kinds: type) -> Iterator[Graph]:
    """Yield random graphs with a layer of ``kinds``, folded at random."""
    seed = first
    while True:
        rng = np.random.default_rng(seed)

        def contents(shape, lo, hi, rng=rng):
            return rng.integers(lo, hi + 1, shape)

        graph = build(Rolled(seed), contents, pinned=True, spatial=True)
        if any(isinstance(e, kinds) for e in graph.layers):
            yield graph
        seed += 1


def scheduled(first: int, target: int) -> Iterator[Graph]:
    """Yield random graphs with joins, folded and their FIFOs sized as a build does."""
    for graph in fuzzed(first, Join):
        try:
            yield size_fifos(schedule(graph, target_cycles=target))
        except FoldError:  # the target is too fast
            continue


def codes(t: Tensor) -> np.ndarray:
    return np.random.default_rng(0).integers(t.lo, t.hi + 1, (FRAMES, t.values))


@pytest.mark.parametrize("kinds", [Join, Upsample])
def test_interval_and_latency_are_those_of_the_rtl(kinds, tmp_path):
    for graph in islice(fuzzed(400, kinds), 2):
        with emitted(graph, tmp_path / graph.layers[0].name) as made:
            rtl = simulate(made, codes(graph.tensor(graph.input)))
        tokens = token_simulator(emit_top(graph, "")).run({}, frames=FRAMES)
        late = tokens.ends[-1] - tokens.ends[FRAMES // 2]
        assert rtl.ii_cycles == late / (FRAMES - 1 - FRAMES // 2)
        assert rtl.first_latency_cycles == tokens.ends[0]


@pytest.mark.parametrize("target", [16, 256])
def test_deeper_fifos_would_not_be_faster(target):
    for graph in islice(scheduled(9000, target), 60):
        design = emit_top(graph, "")
        tokens = token_simulator(design)
        endless = {edge.fifo: ENDLESS for edge in edges(graph, design)}
        best = max(initiation_interval(graph), tokens.run(endless, frames=LONG).ii_cycles)
        assert tokens.run({}, frames=LONG).ii_cycles <= best, graph.layers


def test_skip_around_a_branch_that_holds_many_frames():
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.5, (32, 32))
    chain = Chain((32,)).quant(0.1, bits=6)
    skip = chain.dense(weights, 0.1).quant(0.2, bits=6).here
    for _ in range(10):
        chain.dense(weights, 0.1).quant(0.2, bits=6)
    model = chain.add("Add", skip).quant(0.3, bits=6).model([1, 32])
    source = read(model)
    graph = size_fifos(schedule(lower(source, split(source)), target_cycles=128))
    tokens = token_simulator(emit_top(graph, ""))
    assert tokens.run({}, frames=LONG).ii_cycles == initiation_interval(graph) == 128
