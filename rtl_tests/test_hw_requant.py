"""hw_requant: multiply, add, shift, round, clamp as hwgen.num.rounding defines it."""

import numpy as np
import pytest
from stimulus import corners

from hwgen.num.pack import requant_lines
from hwgen.num.rounding import Rounding, shift_round

CASES = [  # channels, pe, x_w, x_signed, y_w, unit_m, m_w, b_w, shift, half_even, lo, hi
    (4, 2, 12, True, 8, False, 8, 16, 8, True, -128, 127),
    (3, 1, 9, False, 4, False, 5, 10, 3, False, 0, 15),  # one lane, floor
    (5, 5, 8, True, 8, True, 2, 4, 0, True, -100, 100),  # one fold, no shift, no multiplier
    (6, 3, 7, False, 6, True, 2, 9, 1, True, -32, 31),  # ties at every odd sum
    (2, 1, 6, True, 3, False, 3, 3, 14, True, -4, 3),  # shifts everything out
    (24, 12, 16, True, 8, False, 9, 24, 16, True, 0, 255),  # widest
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_requant(simulate, case):
    channels, pe, x_w, x_signed, y_w, unit_m, m_w, b_w, shift, half_even, lo, hi = case
    m = corners((channels,), m_w, True, seed=5)
    if unit_m:
        m[:] = 1
    b = corners((channels,), b_w, True, seed=6)
    x = corners((40, channels), x_w, x_signed, seed=7)
    rounding = Rounding.HALF_EVEN if half_even else Rounding.FLOOR
    y = np.clip(shift_round(m * x + b, shift, rounding), lo, hi)
    beats = (40, channels // pe, pe)
    simulate(
        "hw_requant",
        "stream_bench",
        memories={"p.mem": requant_lines(m, b, pe, m_w, b_w)},
        vectors=dict(
            x=x.reshape(beats), y=y.reshape(beats), x_bits=x_w, y_bits=y_w,
            cycles_per_frame=channels // pe, latency=3 if unit_m else 4,
        ),
        CHANNELS=channels, PE=pe, X_W=x_w, X_SIGNED=x_signed, Y_W=y_w, UNIT_M=unit_m, M_W=m_w,
        B_W=b_w, SHIFT=shift, HALF_EVEN=half_even, LO=lo, HI=hi, P_FILE="p.mem",
    )  # fmt: skip
