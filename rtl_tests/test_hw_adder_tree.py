"""hw_adder_tree: numpy.sum, exact at the extremes."""

import cocotb
import numpy as np
import pytest
from cocotb.triggers import Timer
from stimulus import corners
from streams import words

CASES = [(1, 8, True), (2, 1, False), (5, 3, True), (7, 4, False), (33, 9, True)]  # n, in_w, signed


@cocotb.test()
async def sums_exactly(dut):
    data = np.load("vectors.npz")
    for x, total in zip(words(data["x"], int(data["in_w"])), data["x"].sum(axis=1), strict=True):
        dut.x_i.value = x
        await Timer(1, "ns")
        sum_o = dut.sum_o.value
        assert (sum_o.to_signed() if data["signed"] else sum_o.to_unsigned()) == total


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_adder_tree(simulate, case):
    n, in_w, signed = case
    simulate(
        "adder_tree_top",
        "test_hw_adder_tree",
        vectors=dict(x=corners((100, n), in_w, signed, seed=11), in_w=in_w, signed=signed),
        N=n, IN_W=in_w, SIGNED=signed,
    )  # fmt: skip
