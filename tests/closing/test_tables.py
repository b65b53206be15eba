"""Functions that are not monotone: every value of the range through the layers that were made."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.closing import evaluations, pieces, tabulated
from hwgen.graph.execute import execute
from hwgen.graph.ir import Table, Tensor, Threshold

ONE, NIL = np.array(1.0), np.array(0.0)


def wave(a):
    return np.rint(5 * np.sin(a / (3.0 + np.arange(a.shape[-1])))).astype(np.int64)


def computed(f, lo, hi):
    """Return the layers for ``f`` and what they give for every value of each channel's range."""
    x = Tensor("x", len(lo), int(lo.min()), int(hi.max()), ONE, NIL)
    layers, tensors = tabulated("f", "f_piece", x, Tensor("y", len(lo), 0, 0, ONE, NIL), f, lo, hi)
    everything = np.arange(x.lo, x.hi + 1)[:, None]
    inputs = np.clip(everything, lo, hi)
    values, about = inputs, x
    for layer, tensor in zip(layers, tensors, strict=True):
        values, about = execute(layer, values, about), tensor
        assert about.lo <= values.min() <= values.max() <= about.hi
    return layers, inputs, values


@pytest.mark.parametrize("span", [3, 100, 255, 256, 3000])
def test_every_value_of_the_range(span):
    lo, hi = np.array([-span // 2, -5, -span // 2]), np.array([span // 2, 40, 7])
    layers, inputs, values = computed(wave, np.minimum(lo, 0), np.maximum(hi, 0))
    np.testing.assert_array_equal(values, wave(inputs))
    kinds = [Table] if layers[0].name == "f" else [Threshold, Table]
    assert [type(layer) for layer in layers] == kinds


def test_a_wide_range_is_searched_and_a_small_one_is_not():
    def kinds(span):
        lo, hi = np.full(2, -span), np.full(2, span)
        return [type(layer) for layer in computed(wave, lo, hi)[0]]

    assert kinds(127) == [Table]
    assert kinds(128) == [Threshold, Table]


def test_channels_that_agree_share_a_table():
    lo, hi = np.full(4, -1000), np.full(4, 1000)
    layers, inputs, values = computed(lambda a: np.abs(a) // 100, lo, hi)
    assert layers[-1].table.shape[0] == 1
    np.testing.assert_array_equal(values, np.abs(inputs) // 100)


def test_pieces_that_are_never_reached_lie_beyond_the_range():
    lo, hi = np.array([0, 0]), np.array([999, 9])
    found = pieces(lambda a: a // 100 % 2, lo, hi)
    assert found.start[0].tolist() == list(range(100, 1000, 100))
    assert found.start[1].tolist() == [10] * 9
    assert found.value[1].tolist() == [0] * 10


def test_blocks_of_the_evaluation_do_not_show(monkeypatch):
    lo, hi = np.array([-700, -3]), np.array([800, 900])
    whole = pieces(wave, lo, hi)
    monkeypatch.setattr("hwgen.closing.tables._BLOCK", 14)
    parts = pieces(wave, lo, hi)
    np.testing.assert_array_equal(whole.start, parts.start)
    np.testing.assert_array_equal(whole.value, parts.value)


def test_the_cost_is_the_widest_range_times_the_channels():
    assert evaluations(np.array([-5, 0]), np.array([4, 1])) == 20
