"""hw_dot: exact at the extremes in each arithmetic."""

import cocotb
import numpy as np
import pytest
from cocotb.triggers import Timer
from stimulus import corners
from streams import words

CASES = [  # simd, x_w, x_signed, w_w, arith
    (1, 4, True, 4, 0),
    (5, 8, False, 3, 0),
    (4, 2, True, 1, 1),  # bipolar weights
    (7, 5, False, 4, 1),
    (33, 1, False, 1, 2),
    (3, 16, True, 8, 0),
]


@cocotb.test()
async def multiplies_exactly(dut):
    data = np.load("vectors.npz")
    x, w = data["x"], data["w"]
    beats = zip(
        words(x, int(data["x_w"])), words(w, int(data["w_w"])), x.sum(axis=1), data["y"],
        strict=True,
    )  # fmt: skip
    for x_i, w_i, xsum, y in beats:
        dut.x_i.value = x_i
        dut.w_i.value = w_i
        dut.xsum_i.value = int(xsum) & ((1 << len(dut.xsum_i)) - 1)
        await Timer(1, "ns")
        assert dut.sum_o.value.to_signed() == y


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_dot(simulate, case):
    simd, x_w, x_signed, w_w, arith = case
    x = corners((100, simd), x_w, x_signed, seed=12)
    w = corners((100, simd), w_w, arith != 2, seed=13)
    w[2] = w[1]  # lowest and highest weight meet lowest and highest input
    x[2:4] = x[0], x[1]
    w[3] = w[0]
    y = {0: x * w, 1: x * (2 * w + 1), 2: x == w}[arith].sum(axis=1)
    simulate(
        "hw_dot",
        "test_hw_dot",
        vectors=dict(x=x, w=w, y=y, x_w=x_w, w_w=w_w),
        SIMD=simd, X_W=x_w, X_SIGNED=x_signed, W_W=w_w, ARITH=arith,
    )  # fmt: skip
