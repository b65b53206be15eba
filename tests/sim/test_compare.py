"""The first difference: its layer, what was not shown before it, channel and position."""

from dataclasses import replace

import numpy as np
import pytest
from chains import random_graph, tensor

from hwgen.graph.execute import trace
from hwgen.graph.ir import Graph, Table
from hwgen.sim.compare import Mismatch, compare


@pytest.fixture(scope="module")
def graph():
    return random_graph(np.random.default_rng(0))


@pytest.fixture
def answers(graph):
    codes = np.random.default_rng(1).integers(-8, 8, (6, 12))
    return {name: values.copy() for name, values in trace(graph, codes).items()}


def test_layers_after_the_fault_do_not_hide_it(graph, answers):
    wrong = {name: values.copy() for name, values in answers.items()}
    for name in ("fc1_out", "act1_out", "fc2_out"):
        wrong[name][3:] += 1
    wrong["fc1_out"][2, 4] -= 5
    verdict = compare("rtl", graph, answers, wrong, 0.0)
    expected = int(answers["fc1_out"][2, 4])
    assert verdict.first == Mismatch(
        "rtl", "fc1", (), "fc1_out", 2, 4, (), expected, expected - 5, 4
    )
    assert verdict.mismatches == 3 * (6 + 6 + 4) + 1


def test_layers_that_a_witness_does_not_show_are_named(graph, answers):
    shown = {name: answers[name].copy() for name in ("codes", "act0_out", "fc2_out")}
    shown["fc2_out"][0, 1] += 1
    first = compare("qonnx", graph, answers, shown, 0.0).first
    assert (first.layer, first.unseen) == ("fc2", ("fc1", "act1"))


def test_an_index_in_space_is_a_position_and_a_channel():
    size, space = 3, (4, 5)
    codes = replace(tensor("codes", size, 0, 7), space=space)
    doubled = replace(tensor("y", size, 0, 14), space=space)
    layer = Table("twice", "codes", "y", 2 * np.arange(8)[None])
    graph = Graph("net", "codes", "y", (), (), (), (codes, doubled), (layer,))
    ours = trace(graph, np.random.default_rng(2).integers(0, 8, (2, codes.values)))
    theirs = {"y": ours["y"].copy()}
    theirs["y"].reshape(2, *space, size)[1, 2, 4, 1] += 1
    first = compare("rtl", graph, ours, theirs, 0.0).first
    assert (first.sample, first.position, first.channel) == (1, (2, 4), 1)
