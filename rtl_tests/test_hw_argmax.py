"""hw_argmax: numpy.argmax, ties included."""

import pytest
from stimulus import corners

CASES = [  # n, pe, x_w, x_signed
    (10, 2, 8, True),
    (6, 1, 5, False),  # one lane
    (5, 5, 3, True),  # one beat, not a power of two, many ties
    (1, 1, 4, True),  # one value
    (12, 6, 2, False),  # mostly ties
    (30, 15, 16, True),  # widest
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_argmax(simulate, case):
    n, pe, x_w, x_signed = case
    x = corners((60, n), x_w, x_signed, seed=8)
    simulate(
        "hw_argmax",
        "stream_bench",
        vectors=dict(
            x=x.reshape(60, n // pe, pe), y=x.argmax(axis=1).reshape(60, 1, 1), x_bits=x_w,
            y_bits=5, cycles_per_frame=n // pe, latency=n // pe + 1,
        ),
        N=n, PE=pe, X_W=x_w, X_SIGNED=x_signed, Y_W=5,
    )  # fmt: skip
