"""The solver on graphs that branch, against every folding there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import gcd

import pytest
from chains import Net

from hwgen.errors import FoldError
from hwgen.graph.ir import Add, Concat, Dense, Graph, Layer
from hwgen.schedule import cycles, initiation_interval, schedule, total_cost


def skip(size: int = 4, wide: int = 4) -> Graph:
    """One tensor, read by a dense layer and by the sum behind it."""
    net = Net(size)
    fork = net.threshold("act0", net.dense("fc0", "x", wide))
    branch = net.threshold("act1", net.dense("fc1", fork, wide))
    net.dense("fc2", net.add("sum", branch, fork), 2)
    return net.graph()


def twice_quantized(size: int = 3, wide: int = 6) -> Graph:
    """The fork is an accumulator: each branch begins with thresholds of its own."""
    net = Net(size)
    fork = net.dense("fc0", "x", wide)
    kept = net.threshold("act0", fork)
    branch = net.threshold("act2", net.dense("fc1", net.threshold("act1", fork), wide))
    net.dense("fc2", net.add("sum", branch, kept), 3)
    return net.graph()


def side_by_side() -> Graph:
    """Channels of two dense layers in a row: 2 and 4, so at most 2 per beat."""
    net = Net(4)
    fork = net.threshold("act0", net.dense("fc0", "x", 4))
    branch = net.threshold("act1", net.dense("fc1", fork, 2))
    net.dense("fc2", net.concat("row", branch, fork), 2)
    return net.graph()


GRAPHS = {"skip": skip, "twice quantized": twice_quantized, "side by side": side_by_side}


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def every_folding(graph: Graph) -> Iterator[Graph]:
    """Yield the graph in all its foldings; loop orders stay as they are."""
    options: list[list[Layer]] = []
    for e in graph.layers:
        pairs: list[tuple[int, int]] = []
        if isinstance(e, Dense):
            out_n, in_n = e.weights.shape
            pairs = list(product(divisors(in_n), divisors(out_n)))
        elif isinstance(e, Add | Concat):
            size = gcd(graph.tensor(e.x).size, graph.tensor(e.other).size)
            pairs = [(n, n) for n in divisors(size)]
        folded = [replace(e, fold=replace(e.fold, simd=s, pe=p)) for s, p in pairs]
        options.append(folded or [e])
    for layers in product(*options):
        yield replace(graph, layers=layers)


@pytest.mark.parametrize("name", GRAPHS)
def test_no_folding_of_all_is_cheaper(name):
    graph = GRAPHS[name]()
    ordered = schedule(graph, target_cycles=10_000)
    found = [(initiation_interval(g), total_cost(g).scalar) for g in every_folding(ordered)]
    for target in sorted({interval for interval, _ in found}):
        best = min(cost for interval, cost in found if interval <= target)
        folded = schedule(graph, target_cycles=target)
        assert initiation_interval(folded) <= target
        assert total_cost(folded).scalar == pytest.approx(best, rel=1e-12), target


@pytest.mark.parametrize("name", GRAPHS)
def test_a_target_that_no_folding_meets_is_refused(name):
    graph = GRAPHS[name]()
    ordered = schedule(graph, target_cycles=10_000)
    fastest = min(map(initiation_interval, every_folding(ordered)))
    assert initiation_interval(schedule(graph, target_cycles=fastest)) == fastest
    if fastest > 1:
        with pytest.raises(FoldError, match="cycles"):
            schedule(graph, target_cycles=fastest - 1)


def test_a_branch_is_not_fed_slower_than_the_target():
    """Two per beat into three per beat goes by single values."""
    asked = {"fc0": (6, 2), "fc1": (3, 6)}
    assert initiation_interval(schedule(skip(6, 6), reuse=asked, target_cycles=6)) == 6
    with pytest.raises(FoldError, match="fc1: no folding meets 5 cycles with the width of the"):
        schedule(skip(6, 6), reuse=asked, target_cycles=5)


def test_simd_and_pe_as_asked_and_the_others_to_the_target():
    asked = {"fc1": (2, 4), "sum": (2, 2), "fc2": (4, 1)}
    folded = schedule(skip(), reuse=asked, target_cycles=16)
    folds = {e.name: e.fold for e in folded.layers if isinstance(e, Dense | Add)}
    assert {name: (folds[name].simd, folds[name].pe) for name in asked} == asked
    found = {e.name: cycles(e, folded) for e in folded.layers if e.name in folds}
    assert {name: found[name] for name in asked} == {"fc1": 2, "sum": 2, "fc2": 2}
    assert found["fc0"] <= 16


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"fc1": (3, 1)}, "fc1: SIMD 3, PE 1 cannot be met: SIMD is one of 1, 2, 4 and PE one of "
         "1, 2, 4; choose from these."),
        ({"fc2": (1, 4)}, "fc2: SIMD 1, PE 4 cannot be met: SIMD is one of 1, 2, 4 and PE one of "
         "1, 2; choose from these."),
        ({"fc0": (0, 1)}, "fc0: SIMD 0, PE 1 cannot be met: SIMD is one of 1, 2, 4"),
        ({"fc0": (1, -1)}, "fc0: SIMD 1, PE -1 cannot be met: SIMD is one of 1, 2, 4"),
        ({"sum": (2, 1)}, "sum: SIMD 2, PE 1 cannot be met: SIMD is one of 1, 2, 4 and PE one of "
         "1, 2, 4 and both are equal; choose from these."),
    ],
)  # fmt: skip
def test_what_does_not_divide_is_refused(asked, message):
    with pytest.raises(FoldError, match=re.escape(message)) as refused:
        schedule(skip(), reuse=asked)
    assert "\n" not in str(refused.value)
