from dataclasses import replace

import numpy as np
import pytest
import torch
from chains import random_codes, random_graph, tensor
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.graph.check import GraphError, check
from hwgen.graph.execute import decode, encode, execute, run, trace
from hwgen.graph.ir import Dense, Depthwise, Fold, Threshold, Window
from hwgen.graph.ranges import accumulator_bounds
from hwgen.graph.serialize import dumps, loads
from hwgen.graph.stimulus import random_inputs


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_every_accumulator_stays_inside_its_proven_bounds(seed, binary):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, binary=binary)
    for name, values in trace(graph, random_codes(rng, graph, 50)).items():
        t = graph.tensor(name)
        assert values.min() >= t.lo
        assert values.max() <= t.hi


@given(st.integers(0, 2**32), st.integers(-9, 0), st.integers(0, 9))
def test_each_bound_is_attained_by_an_adversarial_input(seed, lo, hi):
    w = np.random.default_rng(seed).integers(-5, 6, (4, 7))
    low, high = accumulator_bounds(w, lo, hi)
    reach_low, reach_high = np.where(w > 0, lo, hi), np.where(w > 0, hi, lo)
    np.testing.assert_array_equal(np.minimum((w * reach_low).sum(axis=1), 0), low)
    np.testing.assert_array_equal(np.maximum((w * reach_high).sum(axis=1), 0), high)


@pytest.mark.parametrize("magnitude", [1 << 4, 1 << 20, 1 << 50])
def test_float32_float64_and_int64_products_are_all_exact(magnitude):
    rng = np.random.default_rng(1)
    x, w = rng.integers(0, 2, (5, 64)), rng.integers(-magnitude, magnitude, (3, 64))
    exact = [
        [sum(int(a) * int(b) for a, b in zip(row, col, strict=True)) for col in w] for row in x
    ]
    np.testing.assert_array_equal(
        execute(Dense("d", "x", "y", w), x, tensor("x", w.shape[1], 0, 1)), exact
    )


@pytest.mark.parametrize("levels", [1, 7, 31, 32, 255])
def test_threshold_counts_levels_reached(levels):
    rng = np.random.default_rng(levels)
    steps = np.sort(rng.integers(-99, 99, (6, levels)), axis=1)
    x = rng.integers(-110, 110, (40, 6))
    expected = (x[:, :, None] >= steps).sum(axis=2) - 3
    np.testing.assert_array_equal(
        execute(Threshold("t", "x", "y", steps, -3), x, tensor("x", len(steps), 0, 0)), expected
    )


def test_blocks_of_a_long_run_join_in_order():
    rng = np.random.default_rng(2)
    graph = random_graph(rng)
    x = random_codes(rng, graph, 2500)
    np.testing.assert_array_equal(run(graph, x), trace(graph, x)[graph.output])


@pytest.mark.parametrize("argmax", [False, True])
def test_json_gives_the_same_graph_back(argmax):
    graph = random_graph(np.random.default_rng(3), argmax=argmax)
    text = dumps(graph)
    again = loads(text)
    assert dumps(again) == text
    x = random_codes(np.random.default_rng(4), graph, 9)
    np.testing.assert_array_equal(run(graph, x), run(again, x))


def test_random_inputs_reach_every_code_and_decode_inverts_encode():
    graph = random_graph(np.random.default_rng(5), x=(-3, 4))
    codes = encode(graph, random_inputs(graph, 400, seed=0))
    assert set(np.unique(codes)) == set(range(-3, 5))
    y = run(graph, codes)
    np.testing.assert_array_equal(decode(graph, y), y)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda e: replace(e, weights=e.weights * 99), "fc0: violated rule: the accumulator holds"),
        (
            lambda e: replace(e, x="act0_out"),
            "fc0: violated rule: reads what exists by now",
        ),
        (lambda e: replace(e, fold=Fold(simd=5)), "fc0: violated rule: simd divides the inputs"),
        (lambda e: replace(e, odd=True), "fc0: violated rule: an odd grid has only odd weights"),
        (lambda e: replace(e, weights=e.weights[:2]), "fc0: violated rule: shapes agree"),
    ],
)
def test_the_verifier_names_pass_layer_and_rule(change, rule):
    graph = random_graph(np.random.default_rng(6))
    broken = replace(graph, layers=(change(graph.layers[0]), *graph.layers[1:]))
    with pytest.raises(GraphError, match=f"after fold: {rule}"):
        check(broken, "fold")


def test_a_requantizer_stays_within_63_bits():
    graph = random_graph(np.random.default_rng(6), kinds=["requant"])
    wide = replace(graph.layers[1], multiplier=graph.layers[1].multiplier + (1 << 57))
    layers = (graph.layers[0], wide, *graph.layers[2:])
    with pytest.raises(GraphError, match="act0: violated rule: multiplier"):
        check(replace(graph, layers=layers), "fold")


@pytest.mark.parametrize("space", [(9,), (6, 5)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("pads", [(0, 0), (1, 2)])
def test_window_and_products_are_torch_s_convolutions(space, stride, dilation, pads):
    rng, rank = np.random.default_rng(3), len(space)
    layer = Window(
        "w", "x", "w_out", (2,) * rank, (stride,) * rank, (dilation,) * rank, (pads,) * rank, 0
    )
    x = rng.integers(-8, 8, (4, *space, 3))
    padded = torch.tensor(np.moveaxis(np.pad(x, ((0, 0), *layer.pads, (0, 0))), -1, 1))
    convolve = getattr(torch.nn.functional, f"conv{rank}d")
    taps = execute(layer, x.reshape(4, -1), replace(tensor("x", 3, -8, 7), space=space))
    channels = 3 * 2**rank

    weights = rng.integers(-8, 8, (5, *layer.kernel, 3))
    y = execute(
        Dense("d", "w_out", "y", weights.reshape(5, -1)), taps, tensor("t", channels, -8, 7)
    )
    kernel = torch.tensor(np.moveaxis(weights, -1, 1))
    exact = convolve(padded, kernel, stride=stride, dilation=dilation)
    np.testing.assert_array_equal(y, np.moveaxis(exact.numpy(), 1, -1).reshape(4, -1))

    weights = rng.integers(-8, 8, (3, *layer.kernel))
    y = execute(
        Depthwise("d", "w_out", "y", weights.reshape(3, -1)), taps, tensor("t", channels, -8, 7)
    )
    kernel = torch.tensor(weights[:, None])
    exact = convolve(padded, kernel, stride=stride, dilation=dilation, groups=3)
    np.testing.assert_array_equal(y, np.moveaxis(exact.numpy(), 1, -1).reshape(4, -1))
