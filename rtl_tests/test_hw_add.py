"""hw_add: the exact sum of two streams, for gains and widths of either sign."""

import pytest
from stimulus import corners

CASES = [  # pe, x0_w, x0_signed, x1_w, x1_signed, gains, y_w
    (2, 4, True, 4, True, (1, 1), 5),
    (1, 3, False, 5, True, (3, -2), 7),  # one lane
    (3, 1, False, 1, False, (-1, -4), 4),
    (2, 8, True, 2, False, (-7, 100), 11),
    (1, 16, True, 16, True, (-(2**15), 2**15 - 1), 33),  # wider than a gain
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_add(simulate, case):
    pe, x0_w, x0_signed, x1_w, x1_signed, gains, y_w = case
    x0 = corners((30, 3, pe), x0_w, x0_signed, seed=1)
    x1 = corners((30, 3, pe), x1_w, x1_signed, seed=2)
    x1[[0, 1, 2, 3]] = x1[[1, 0, 0, 1]]  # lowest and highest, with and against each other
    x0[[2, 3]] = x0[[0, 1]]
    simulate(
        "hw_add",
        "stream_bench",
        vectors=dict(
            x0=x0, x1=x1, y=gains[0] * x0 + gains[1] * x1, x0_bits=x0_w, x1_bits=x1_w, y_bits=y_w,
            cycles_per_frame=3, latency=1,
        ),
        PE=pe, X0_W=x0_w, X0_SIGNED=x0_signed, X1_W=x1_w, X1_SIGNED=x1_signed, G0=gains[0],
        G1=gains[1], Y_W=y_w,
    )  # fmt: skip
