"""hw_depthwise: bit-exact against NumPy, for every fold."""

import numpy as np
import pytest
from stimulus import corners

from hwgen.num.inttype import IntType
from hwgen.num.pack import depthwise_weight_lines

CASES = [  # channels, taps, pe, x_w, x_signed, w_w
    (4, 9, 2, 4, True, 3),
    (3, 4, 1, 3, False, 4),  # one lane
    (5, 9, 5, 8, False, 8),  # one fold
    (6, 1, 2, 4, True, 2),  # one tap
    (2, 3, 1, 1, False, 1),  # narrowest
]


def check(simulate, case, missing_bits=0, negative=True):
    """Simulate with the narrowest accumulator that holds every output."""
    channels, taps, pe, x_w, x_signed, w_w = case
    x = corners((20, taps, channels), x_w, x_signed, seed=1)
    weights = corners((channels, taps), w_w, True, seed=2)
    weights = weights if negative else np.maximum(weights, 0)
    y = np.einsum("nkc,ck->nc", x, weights)
    acc = IntType.of_range(int(y.min()), int(y.max()))
    simulate(
        "hw_depthwise",
        "stream_bench",
        memories={"w.mem": depthwise_weight_lines(weights, pe, w_w)},
        vectors=dict(
            x=x.reshape(20, -1, pe), y=y.reshape(20, -1, pe), x_bits=x_w, y_bits=acc.bits,
            cycles_per_frame=taps * channels // pe, latency=(taps - 1) * channels // pe + 2,
        ),
        CHANNELS=channels, TAPS=taps, PE=pe, X_W=x_w, X_SIGNED=x_signed, W_W=w_w,
        ACC_W=acc.bits - missing_bits, Y_SIGNED=acc.signed, W_FILE="w.mem",
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_depthwise(simulate, case):
    check(simulate, case)


def test_sums_that_are_never_negative_are_unsigned(simulate):
    check(simulate, (4, 9, 2, 4, False, 3), negative=False)


def test_an_accumulator_overflow_stops_the_simulation(simulate, capfd):
    with pytest.raises((SystemExit, RuntimeError)):
        check(simulate, CASES[0], missing_bits=1)
    assert "does not fit ACC_W=" in capfd.readouterr().out
