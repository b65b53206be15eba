"""Accumulators are as wide as proved and not one bit more: an input attains each bound."""

from dataclasses import replace

import numpy as np
import pytest
from chains import tensor
from fuzzing.agreement import agree, emitted
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ToolFailed
from hwgen.graph.check import GraphError, check
from hwgen.graph.execute import run
from hwgen.graph.ir import Dense, Depthwise, Fold, Graph, Order, XnorDense
from hwgen.graph.ranges import accumulator_bounds
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.witnesses import rtl_outputs, simulate

ROWS, FAN_IN = 4, 6
KINDS = ["row", "column", "odd", "xnor", "depthwise"]


def product(kind: str, seed: int, lo: int, hi: int, top: int):
    """Return a graph of one product with random weights, and the inputs of each row's bounds.

    returns  graph, inputs (2 * ROWS, values), bounds (2 * ROWS,): all smallest, then all largest
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(-top - 1, top + 1, (ROWS, FAN_IN))
    order = Order.COLUMN if kind == "column" else Order.ROW
    fold = Fold(simd=2 if kind == "depthwise" else 3, pe=2, order=order)
    names = ("fc", "codes", "sums")
    if kind == "xnor":
        lo, hi, weights = 0, 1, rng.integers(0, 2, (ROWS, FAN_IN))
        layer = XnorDense(*names, weights, fold)
        low, high = np.zeros(ROWS, dtype=np.int64), np.full(ROWS, FAN_IN)
    else:
        weights = 2 * weights + 1 if kind == "odd" else weights
        make = Depthwise if kind == "depthwise" else Dense
        layer = make(*names, weights, **({"odd": True} if kind == "odd" else {}), fold=fold)
        low, high = accumulator_bounds(weights, lo, hi)
    falling = weights == 0 if kind == "xnor" else weights < 0
    least, most = np.where(falling, hi, lo), np.where(falling, lo, hi)
    inputs = np.concatenate([least, most])
    size = FAN_IN
    if kind == "depthwise":  # each channel reads its own taps; the others are 0
        size = ROWS * FAN_IN
        alone = np.zeros((2 * ROWS, FAN_IN, ROWS), dtype=np.int64)
        alone[np.arange(2 * ROWS), :, np.tile(np.arange(ROWS), 2)] = inputs
        inputs = alone.reshape(2 * ROWS, -1)
    entry = tensor("codes", size, lo, hi)
    graph = Graph(
        "net", "codes", "sums", (size,), (ROWS,),
        (Step("Quant", (np.array(1.0), np.array(0.0)), QuantSpec(lo, hi)),),
        (entry, tensor("sums", ROWS, int(low.min()), int(high.max()))), (layer,),
    )  # fmt: skip
    return check(graph, "test"), inputs, np.concatenate([low, high])


def narrowed(graph: Graph) -> Graph:
    """Return the graph with an accumulator of one bit less."""
    codes, sums = graph.tensors
    narrow = replace(sums, lo=-(-sums.lo >> 1), hi=sums.hi >> 1)
    assert narrow.type.bits == sums.type.bits - 1
    return replace(graph, tensors=(codes, narrow))


def own_row(y: np.ndarray) -> np.ndarray:
    return y[np.arange(2 * ROWS), np.tile(np.arange(ROWS), 2)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(-9, 0), st.integers(1, 9))
def test_an_input_attains_each_bound_and_one_bit_less_is_caught(kind, seed, lo, hi):
    graph, inputs, bounds = product(kind, seed, lo, hi, top=7)
    agree(graph, inputs)
    attained = own_row(run(graph, inputs))
    if lo == 0 or kind == "depthwise":  # a bound is widened to the 0 that a sum starts from
        attained = np.concatenate([np.minimum(attained[:ROWS], 0), np.maximum(attained[ROWS:], 0)])
    np.testing.assert_array_equal(attained, bounds)
    narrow = narrowed(graph)
    with pytest.raises(GraphError, match=r"the accumulator holds every sum|popcount fits"):
        check(narrow, "test")
    with pytest.raises(AssertionError, match=r"C\+\+ executor: "):
        agree(narrow, inputs)


@pytest.mark.parametrize("kind", ["column", "odd", "depthwise"])
def test_the_rtl_attains_each_bound_and_asserts_with_one_bit_less(kind, tmp_path):
    graph, inputs, bounds = product(kind, seed=3, lo=-8, hi=7, top=7)
    with emitted(graph, tmp_path) as build:
        found = rtl_outputs(build, simulate(build, inputs))
    np.testing.assert_array_equal(own_row(found), bounds)
    with (
        emitted(narrowed(graph), tmp_path) as build,
        pytest.raises(ToolFailed, match=r"does not fit ACC_W="),
    ):
        simulate(build, inputs)
