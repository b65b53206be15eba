import re
from dataclasses import replace
from itertools import pairwise
from math import gcd

import numpy as np
import pytest
from chains import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import FoldError
from hwgen.graph.ir import Order
from hwgen.parts import find_part
from hwgen.schedule import cycles, initiation_interval, schedule, total_cost
from hwgen.schedule.cost import memory_cost


def net(sizes=(490, 256, 256, 256, 12)):
    return random_graph(np.random.default_rng(0), sizes=sizes)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from([5, 12, 16, 30, 49, 64]), min_size=2, max_size=5),
    st.integers(20, 4000),
)
def test_every_layer_and_every_joint_meets_the_target(sizes, target):
    folded = schedule(net(tuple(sizes)), target_cycles=target)
    layers = list(folded.products())
    assert all(cycles(layer, folded) <= target for layer in layers)
    for before, after in pairwise(layers):
        assert after.weights.shape[1] // gcd(before.fold.pe, after.fold.simd) <= target
    assert initiation_interval(folded) <= target


def test_the_solver_is_never_worse_than_greedy_simd_then_pe():
    graph = net()
    best = total_cost(schedule(graph, target_cycles=392)).scalar
    greedy = []
    for layer in graph.products():
        out_n, in_n = layer.weights.shape
        simd = next(
            s for s in range(1, in_n + 1) if in_n % s == 0 and in_n // s * out_n <= 392 * 40
        )
        pe = next(
            p for p in range(1, out_n + 1) if out_n % p == 0 and in_n // simd * (out_n // p) <= 392
        )
        greedy.append(replace(layer, fold=replace(layer.fold, simd=simd, pe=pe)))
    folds = {layer.name: layer for layer in greedy}
    other = replace(graph, layers=tuple(folds.get(e.name, e) for e in graph.layers))
    assert best <= total_cost(other).scalar


def test_orders_alternate_and_fifos_hold_a_frame():
    folded = schedule(net(), target_cycles=392)
    layers = list(folded.products())
    assert [layer.fold.order for layer in layers] == [Order.ROW, Order.COLUMN] * 2
    assert layers[0].fold.fifo_depth == 0
    for layer in layers[1:]:
        assert layer.fold.fifo_depth == layer.weights.shape[1] // layer.fold.simd


@pytest.mark.parametrize("reuse", [1, 64, 128])
def test_reuse_is_the_number_of_cycles_of_every_layer(reuse):
    folded = schedule(net((32, 64, 32)), reuse=reuse)
    assert {cycles(layer, folded) for layer in folded.products()} == {reuse}


def test_reuse_by_layer_leaves_the_others_to_the_target():
    folded = schedule(net((32, 64, 32)), reuse={"fc1": 4}, target_cycles=512)
    first, second = folded.products()
    assert cycles(second, folded) == 4
    assert cycles(first, folded) <= 512


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reuse": 7}, "fc0: reuse 7 cannot be met: 32 inputs x 64 outputs fold into "
         "(inputs / SIMD) * (outputs / PE) cycles with whole SIMD and PE; the nearest legal values "
         "are 1, 2, 4, 8."),
        ({"target_cycles": 2}, "fc0: 65,536 multiplications in 2 cycles take 32,768 multipliers "
         "side by side; one layer may have 16,384. Raise its reuse, or the target cycles, to 4 or "
         "more."),
        ({"target_cycles": 4, "part": find_part("xc7a35t")},
         "net: the estimate exceeds xc7a35t (lut "),
    ],
)  # fmt: skip
def test_what_cannot_be_met_is_refused(options, message):
    with pytest.raises(FoldError, match=re.escape(message)):
        schedule(net((32, 64, 32) if "reuse" in options else (256, 256, 256)), **options)


def test_a_part_alone_asks_for_the_fastest_folding_that_fits():
    graph = net()
    small, large = (schedule(graph, part=find_part(p)) for p in ("xc7a35t", "xc7a100t"))
    assert initiation_interval(large) < initiation_interval(small)


def test_no_layer_has_more_lanes_than_its_memories_have_names():
    folded = schedule(net((2, 2000, 8)), target_cycles=4)
    assert all(layer.fold.pe <= 1000 for layer in folded.products())


def test_memory_shapes():
    assert memory_cost(1, 100).lut == 0
    assert memory_cost(64, 10).lut == 10
    assert memory_cost(512, 72).bram36 == 1
    assert memory_cost(512, 36).bram36 == 0.5
    assert memory_cost(4096, 9).bram36 == 1
