"""hw_maxpool: the largest of every window, for every fold and signedness."""

import pytest
from stimulus import corners

CASES = [  # channels, taps, pe, x_w, x_signed
    (4, 4, 2, 4, True),
    (3, 9, 1, 3, False),  # one lane
    (5, 2, 5, 8, True),  # one fold
    (6, 1, 3, 1, False),  # one tap, one bit
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_maxpool(simulate, case):
    channels, taps, pe, x_w, x_signed = case
    x = corners((20, taps, channels), x_w, x_signed, seed=1)
    y = x.max(axis=1)
    simulate(
        "hw_maxpool",
        "stream_bench",
        vectors=dict(
            x=x.reshape(20, -1, pe), y=y.reshape(20, -1, pe), x_bits=x_w, y_bits=x_w,
            cycles_per_frame=taps * channels // pe, latency=(taps - 1) * channels // pe + 1,
        ),
        CHANNELS=channels, TAPS=taps, PE=pe, X_W=x_w, X_SIGNED=x_signed,
    )  # fmt: skip
