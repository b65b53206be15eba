"""Sums, channels in a row and larger images, against loops; and the rules that they keep."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from chains import Net, random_codes, tensor

from hwgen.graph.check import GraphError, check
from hwgen.graph.execute import execute, run, trace
from hwgen.graph.ir import Add, Concat, Fold, Graph, Upsample
from hwgen.graph.serialize import dumps, loads

SPACES = [(), (5,), (3, 4)]
FACTORS = [((4,), (3,), (12,)), ((4,), (3,), (10,)), ((2, 3), (2, 3), (4, 9)),
           ((2, 3), (2, 3), (3, 7)), ((3, 2), (1, 4), (3, 8))]  # fmt: skip


def image(name, space, size):
    return replace(tensor(name, size, -9, 9), space=space)


def frames(seed, space, size, batch=3):
    return np.random.default_rng(seed).integers(-9, 10, (batch, *space, size))


def flat(values):
    return values.reshape(len(values), -1)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("gains", [(1, 1), (3, -2), (-1, 5)])
def test_add_is_a_sum_of_each_pair(space, gains):
    x, other = frames(1, space, 6), frames(2, space, 6)
    expected = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        expected[place] = gains[0] * x[place] + gains[1] * other[place]
    found = execute(Add("j", "x", "o", "y", gains), flat(x), image("x", space, 6), flat(other))
    np.testing.assert_array_equal(found, flat(expected))


@pytest.mark.parametrize("space", SPACES)
def test_concat_has_the_channels_of_x_first_at_each_pixel(space):
    x, other = frames(3, space, 4), frames(4, space, 2)
    expected = np.zeros((*x.shape[:-1], 6), dtype=int)
    for place in np.ndindex(x.shape[:-1]):
        for channel in range(6):
            part, at = (x, channel) if channel < 4 else (other, channel - 4)
            expected[(*place, channel)] = part[(*place, at)]
    found = execute(Concat("j", "x", "o", "y"), flat(x), image("x", space, 4), flat(other))
    np.testing.assert_array_equal(found, flat(expected))


@pytest.mark.parametrize("fill", [None, 0, -5])
@pytest.mark.parametrize(("space", "factor", "larger"), FACTORS)
def test_upsample_repeats_pixels_or_sets_them_apart(space, factor, larger, fill):
    x = frames(5, space, 2)
    expected = np.zeros((len(x), *larger, 2), dtype=int)
    for n, *place in product(range(len(x)), *map(range, larger)):
        behind = tuple(at // f for at, f in zip(place, factor, strict=True))
        is_pixel = all(at % f == 0 for at, f in zip(place, factor, strict=True))
        here = x[(n, *behind)] if fill is None or is_pixel else fill
        expected[(n, *place)] = here
    layer = Upsample("u", "x", "y", factor, larger, fill)
    found = execute(layer, flat(x), image("x", space, 2))
    np.testing.assert_array_equal(found, flat(expected))


def branches() -> Graph:
    net = Net(3)
    fork = net.threshold("act0", net.dense("fc0", "x", 4))
    double = net.add("double", fork, fork)
    row = net.concat("row", net.threshold("act1", double), fork)
    net.dense("fc1", row, 2)
    return net.graph()


def test_a_tensor_stays_until_its_last_reader_had_it():
    graph = branches()
    x = random_codes(np.random.default_rng(0), graph, 2500)
    np.testing.assert_array_equal(run(graph, x), trace(graph, x)["fc1_out"])
    weights = [layer.weights for layer in graph.products()]
    steps = {e.name: e.thresholds for e in graph.layers if e.name.startswith("act")}
    fork = np.array([[sum(a >= steps["act0"][c]) for c, a in enumerate(weights[0] @ v)] for v in x])
    late = np.array([[sum(3 * a >= steps["act1"][c]) for c, a in enumerate(v)] for v in fork])
    expected = np.concatenate([late, fork], axis=1) @ weights[1].T
    np.testing.assert_array_equal(run(graph, x), expected)


def test_json_gives_the_same_branches_back():
    text = dumps(branches())
    assert dumps(loads(text)) == text
    x = random_codes(np.random.default_rng(1), branches(), 9)
    np.testing.assert_array_equal(run(loads(text), x), run(branches(), x))


BAD = [
    ("double", {"other": "act1_out"}, {}, "double: violated rule: reads what exists by now"),
    ("double", {"other": "x"}, {}, "double: violated rule: its inputs have one shape"),
    ("double", {}, {"double_out": {"size": 3}}, "double: violated rule: its inputs have one shape"),
    ("double", {}, {"double_out": {"space": (2,)}},
     "double: violated rule: its inputs have one space"),
    ("double", {"gains": (1, 3)}, {}, "double: violated rule: codes fit"),
    ("double", {"gains": (1, -1)}, {}, "double: violated rule: codes fit"),
    ("double", {"fold": Fold(3, 3)}, {}, "double: violated rule: pe divides the channels"),
    ("double", {"fold": Fold(2, 1)}, {}, "double: violated rule: pe divides the channels"),
    ("row", {"other": "x", "fold": Fold(2, 2)}, {}, "row: violated rule: pe divides the channels"),
    ("row", {}, {"row_out": {"size": 7}}, "row: violated rule: channels add up"),
    ("row", {}, {"row_out": {"hi": 6}}, "row: violated rule: codes fit"),
    ("row", {"other": "fc0_out"}, {}, "row: violated rule: codes fit"),
    ("row", {"y": "act1_out"}, {}, "row: violated rule: one layer writes a tensor"),
    ("row", {"x": "act0_out"}, {}, "graph: violated rule: all but the output is read"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layer", "tensors", "rule"), BAD)
def test_bad_joins_are_refused(name, layer, tensors, rule):
    graph = branches()
    layers = tuple(replace(e, **layer) if e.name == name else e for e in graph.layers)
    about = tuple(replace(t, **tensors.get(t.name, {})) for t in graph.tensors)
    with pytest.raises(GraphError, match=f"after fold: {rule}"):
        check(replace(graph, layers=layers, tensors=about), "fold")


def larger(layer=None, y=None) -> Graph:
    """Return a graph of one layer, which makes 2 x 3 pixels 4 x 8; with other fields."""
    upsample = Upsample("up", "x", "y", (2, 3), (4, 8), None)
    tensors = image("x", (2, 3), 4), replace(image("y", (4, 8), 4), **(y or {}))
    layers = (replace(upsample, **(layer or {})),)
    return replace(branches(), output="y", tensors=tensors, layers=layers)


@pytest.mark.parametrize(
    ("layer", "y", "rule"),
    [
        ({}, {"space": (4, 9)}, r"the output space is \(4, 8\)"),
        ({"space": (4, 6)}, {"space": (4, 6)}, "the space is as large"),
        ({"space": (4, 10)}, {"space": (4, 10)}, "the space is as large"),
        ({}, {"size": 2}, "a channel per lane"),
        ({"fold": Fold(2, 4)}, {}, "a channel per lane"),
        ({"fold": Fold(3, 3)}, {}, "pe divides the channels"),
        ({"fill": -10}, {}, "codes fit"),
        ({}, {"hi": 8}, "codes fit"),
    ],
)
def test_bad_enlargements_are_refused(layer, y, rule):
    check(larger(), "fold")
    with pytest.raises(GraphError, match=f"after fold: up: violated rule: {rule}"):
        check(larger(layer, y), "fold")
