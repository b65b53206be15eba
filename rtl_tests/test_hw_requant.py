"""hw_requant: multiply, add, shift, round, confine as hwgen.num.rounding defines it."""

import numpy as np
import pytest
from stimulus import corners

from hwgen.num.pack import requant_lines
from hwgen.num.rounding import Overflow, Rounding, confine, shift_round

FLOOR, HALF_EVEN, ZERO, HALF_AWAY, HALF_TO_ZERO = Rounding
SATURATE, WRAP, TO_ZERO = Overflow
CASES = [  # channels, pe, x_w, x_signed, y_w, unit_m, m_w, b_w, shift, rounding, overflow, lo, hi
    (4, 2, 12, True, 8, False, 8, 16, 8, HALF_EVEN, SATURATE, -128, 127),
    (3, 1, 9, False, 4, False, 5, 10, 3, FLOOR, SATURATE, 0, 15),  # one lane
    (5, 5, 8, True, 8, True, 2, 4, 0, HALF_EVEN, SATURATE, -100, 100),  # one fold, no shift
    (6, 3, 7, False, 6, True, 2, 9, 1, HALF_EVEN, SATURATE, -32, 31),  # ties at every odd sum
    (2, 1, 6, True, 3, False, 3, 3, 14, HALF_EVEN, SATURATE, -4, 3),  # shifts everything out
    (24, 12, 16, True, 8, False, 9, 24, 16, HALF_EVEN, SATURATE, 0, 255),  # widest
    (2, 2, 9, True, 4, True, 2, 3, 3, ZERO, WRAP, -8, 7),
    (2, 1, 9, True, 5, False, 3, 6, 3, HALF_AWAY, TO_ZERO, -12, 9),
    (2, 1, 9, True, 4, True, 2, 2, 2, HALF_TO_ZERO, WRAP, 0, 15),  # a negative value wraps
    (2, 2, 8, True, 4, True, 2, 2, 1, HALF_AWAY, SATURATE, -7, 7),
    (2, 1, 6, True, 2, True, 2, 2, 12, ZERO, SATURATE, -2, 1),  # shifts everything out
    (2, 2, 9, True, 5, True, 2, 3, 3, ZERO, SATURATE, -12, 9),  # negative quotients
    (2, 1, 6, False, 4, True, 2, 2, 0, FLOOR, WRAP, -8, 7),  # unsigned to signed, no shift
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_requant(simulate, case):
    channels, pe, x_w, x_signed, y_w, unit_m, m_w, b_w, shift, rounding, overflow, lo, hi = case
    m = corners((channels,), m_w, True, seed=5)
    if unit_m:
        m[:] = 1
    b = corners((channels,), b_w, True, seed=6)
    x = inputs(channels, x_w, x_signed)
    y = confine(shift_round(m * x + b, shift, rounding), lo, hi, overflow)
    beats = (len(x), channels // pe, pe)
    simulate(
        "hw_requant",
        "stream_bench",
        memories={"p.mem": requant_lines(m, b, pe, m_w, b_w)},
        vectors=dict(
            x=x.reshape(beats), y=y.reshape(beats), x_bits=x_w, y_bits=y_w,
            cycles_per_frame=channels // pe, latency=3 if unit_m else 4,
        ),
        CHANNELS=channels, PE=pe, X_W=x_w, X_SIGNED=x_signed, Y_W=y_w, UNIT_M=unit_m, M_W=m_w,
        B_W=b_w, SHIFT=shift, ROUNDING=list(Rounding).index(rounding),
        OVERFLOW=list(Overflow).index(overflow), LO=lo, HI=hi, P_FILE="p.mem",
    )  # fmt: skip


def inputs(channels: int, bits: int, signed: bool) -> np.ndarray:
    """Return every input in every channel where there are few, else corners."""
    if bits > 9:
        return corners((40, channels), bits, signed, seed=7)
    least = -(1 << (bits - 1)) if signed else 0
    return np.repeat(np.arange(least, least + (1 << bits))[:, None], channels, axis=1)
