"""hw_table: every entry, shared and per channel."""

import numpy as np
import pytest

from hwgen.num.inttype import IntType
from hwgen.num.pack import table_files

CASES = [  # channels, pe, lo, hi, rows, y_w
    (4, 2, -8, 7, 1, 4),
    (3, 1, 0, 12, 3, 6),  # one lane
    (5, 5, -3, 9, 5, 1),  # one fold
    (12, 4, 5, 6, 12, 8),  # two entries
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_table(simulate, case):
    channels, pe, lo, hi, rows, y_w = case
    rng = np.random.default_rng(5)
    table = rng.integers(0, 1 << y_w, (rows, hi - lo + 1))
    x = rng.integers(lo, hi + 1, (40, channels))
    x[0], x[1] = lo, hi
    y = table[np.arange(channels) if rows > 1 else 0, x - lo]
    x_type, beats = IntType.of_range(lo, hi), (40, channels // pe, pe)
    simulate(
        "hw_table",
        "stream_bench",
        memories=table_files("t", table, pe, y_w),
        vectors=dict(
            x=x.reshape(beats), y=y.reshape(beats), x_bits=x_type.bits, y_bits=y_w,
            cycles_per_frame=channels // pe, latency=1,
        ),
        CHANNELS=channels, PE=pe, X_W=x_type.bits, X_SIGNED=x_type.signed, Y_W=y_w, LO=lo,
        INDEX_W=max((hi - lo).bit_length(), 1), SHARED=rows == 1, T_FILE="t",
    )  # fmt: skip
