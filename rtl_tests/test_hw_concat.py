"""hw_concat: the channels of one stream and then of the other, extended to one width."""

import numpy as np
import pytest
from stimulus import corners

CASES = [  # pe, beats of each, x0_w, x0_signed, x1_w, x1_signed, y_w
    (2, (2, 1), 4, False, 4, False, 4),
    (1, (1, 3), 3, True, 5, True, 5),  # one lane
    (3, (1, 1), 1, False, 3, True, 4),
    (2, (3, 5), 8, True, 2, False, 8),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_concat(simulate, case):
    pe, beats, x0_w, x0_signed, x1_w, x1_signed, y_w = case
    pixels = 3
    x0 = corners((20, pixels, beats[0] * pe), x0_w, x0_signed, seed=1)
    x1 = corners((20, pixels, beats[1] * pe), x1_w, x1_signed, seed=2)
    y = np.concatenate([x0, x1], axis=2)
    x0, x1, y = (values.reshape(20, -1, pe) for values in (x0, x1, y))
    simulate(
        "hw_concat",
        "stream_bench",
        vectors=dict(
            x0=x0, x1=x1, y=y, x0_bits=x0_w, x1_bits=x1_w, y_bits=y_w,
            cycles_per_frame=pixels * sum(beats), latency=1,
        ),
        PE=pe, BEATS0=beats[0], BEATS1=beats[1], X0_W=x0_w, X0_SIGNED=x0_signed, X1_W=x1_w,
        X1_SIGNED=x1_signed, Y_W=y_w,
    )  # fmt: skip
