"""Bit and word order: pack and unpack are inverse, memory images match their RTL contracts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.num.pack import (
    dense_weight_lines,
    memory_lines,
    pack_lanes,
    requant_lines,
    threshold_files,
    unpack_lanes,
)


@st.composite
def beats(draw):
    """Return (values, bits, signed)."""
    bits, signed = draw(st.integers(1, 40)), draw(st.booleans())
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    shape = draw(st.tuples(st.integers(0, 5), st.integers(1, 9)))
    seed = draw(st.integers(0, 1000))
    values = np.random.default_rng(seed).integers(lo, hi, shape, endpoint=True)
    return values, bits, signed


@given(beats())
def test_unpack_inverts_pack(case):
    values, bits, signed = case
    packed = pack_lanes(values, bits)
    assert packed.dtype == np.uint8
    assert packed.shape == (len(values), -(-values.shape[1] * bits // 8))
    np.testing.assert_array_equal(unpack_lanes(packed, values.shape[1], bits, signed), values)


@given(beats())
def test_memory_lines_are_the_same_words_in_hexadecimal(case):
    values, bits, _ = case
    packed = pack_lanes(values, bits)
    lines = memory_lines(values, bits)
    assert [int(line, 16) for line in lines] == [
        int.from_bytes(word.tobytes(), "little") for word in packed
    ]
    assert {len(line) for line in lines} <= {-(-values.shape[1] * bits // 4)}


def test_lane_0_is_lowest():
    assert memory_lines(np.array([[1, 2, -1]]), 4) == ["f21"]
    assert memory_lines(np.array([[1, 0, 1]]), 1) == ["5"]


@pytest.mark.parametrize("order", ["row", "column"])
def test_dense_weight_lines_come_in_the_order_of_use(order):
    out_n, in_n, pe, simd = 6, 8, 3, 4
    codes = np.arange(48).reshape(out_n, in_n)
    folds = [(nf, sf) for nf in range(2) for sf in range(2)]
    if order == "column":
        folds.sort(key=lambda fold: fold[1])
    expected = [
        [codes[nf * pe + p, sf * simd + s] for p in range(pe) for s in range(simd)]
        for nf, sf in folds
    ]
    assert dense_weight_lines(codes, simd, pe, 6, order) == memory_lines(np.array(expected), 6)


def test_threshold_files_answer_a_binary_search():
    channels, pe, stages = 6, 2, 3
    thresholds = np.sort(np.random.default_rng(1).integers(0, 99, (channels, 7)), axis=1)
    files = threshold_files("t", thresholds, pe, 7)
    assert sorted(files) == [f"t_p00{lane}_s0{stage}.mem" for lane in (0, 1) for stage in range(3)]
    for channel in range(channels):
        fold, lane = divmod(channel, pe)
        for x in range(100):
            count = 0
            for stage in range(stages):
                line = files[f"t_p00{lane}_s0{stage}.mem"][(fold << stage) + count]
                count = 2 * count + (x >= int(line, 16))
            assert count == (x >= thresholds[channel]).sum()


def test_requant_lines_hold_bias_above_multiplier():
    lines = requant_lines(np.array([1, -1, 3, 0]), np.array([5, -2, 0, 7]), 2, 4, 8)
    assert lines == ["fef" + "051", "070" + "003"]
