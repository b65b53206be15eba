"""hw_threshold: the count of reached thresholds, for every fold and signedness."""

import numpy as np
import pytest
from stimulus import corners, limits

from hwgen.num.pack import threshold_files

CASES = [  # channels, pe, x_w, x_signed, y_w, levels, base
    (4, 2, 8, True, 4, 15, 0),
    (3, 1, 6, False, 2, 3, 0),  # one lane
    (5, 5, 6, True, 1, 1, 0),  # one fold, one stage
    (6, 3, 10, True, 4, 15, -8),  # signed output
    (2, 1, 9, False, 8, 255, -128),  # deepest
    (1, 1, 13, False, 11, 2047, 0),  # stage numbers of two digits
    (24, 12, 12, True, 3, 7, 0),  # widest, lane numbers of two digits
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_threshold(simulate, case):
    channels, pe, x_w, x_signed, y_w, levels, base = case
    lo, hi = limits(x_w, x_signed)
    rng = np.random.default_rng(3)
    thresholds = np.sort(rng.integers(lo, hi + 1, (channels, levels)), axis=1)
    thresholds[0] = np.linspace(lo, hi, levels)  # the whole range
    thresholds[-1, -(levels // 2) :] = hi + 1  # padding: never reached
    x = corners((40, channels), x_w, x_signed, seed=4)
    x[2::2] = thresholds[:, rng.integers(0, levels, 19)].T.clip(lo, hi)  # ties
    y = base + (x[:, :, None] >= thresholds).sum(axis=2)
    beats = (40, channels // pe, pe)
    simulate(
        "hw_threshold",
        "stream_bench",
        memories=threshold_files("t", thresholds, pe, x_w + 1),
        vectors=dict(
            x=x.reshape(beats), y=y.reshape(beats), x_bits=x_w, y_bits=y_w,
            cycles_per_frame=channels // pe, latency=levels.bit_length() + 1,
        ),
        CHANNELS=channels, PE=pe, X_W=x_w, X_SIGNED=x_signed, Y_W=y_w, LEVELS=levels,
        T_W=x_w + 1, BASE=base, T_FILE="t",
    )  # fmt: skip
