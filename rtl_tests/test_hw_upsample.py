"""hw_upsample: nearest neighbour and pixels apart against the reference, at full rate."""

import numpy as np
import pytest
from stimulus import corners, limits

from hwgen.graph.execute import execute
from hwgen.graph.ir import Tensor, Upsample

CASES = [  # space, factor, output space, channels, pe, x_w, x_signed, y_w, fill (None: nearest)
    ((3, 2), (2, 2), (6, 4), 4, 2, 4, True, 4, None),
    ((2, 3), (3, 2), (5, 5), 2, 2, 3, False, 5, None),  # last pixels repeated less, one fold
    ((5, 1), (2, 1), (9, 1), 1, 1, 2, False, 2, None),  # a sequence, one beat per row
    ((3, 1), (1, 1), (3, 1), 1, 1, 4, True, 4, None),
    ((2, 3), (1, 3), (2, 7), 3, 1, 1, False, 1, None),  # columns only, one lane
    ((3, 2), (2, 2), (6, 4), 4, 2, 4, True, 4, 0),
    ((2, 3), (3, 2), (4, 5), 2, 2, 3, False, 4, -5),  # nothing after the last pixel
    ((4, 1), (3, 1), (11, 1), 3, 1, 4, True, 5, 9),
    ((2, 2), (1, 1), (2, 2), 1, 1, 4, True, 4, 3),  # never apart
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_upsample(simulate, case):
    space, factor, out_space, channels, pe, x_w, x_signed, y_w, fill = case
    frames = 12
    x = corners((frames, *space, channels), x_w, x_signed, seed=1)
    about = Tensor("x", channels, *limits(x_w, x_signed), np.ones(1), np.zeros(1), space=space)
    y = execute(Upsample("u", "x", "y", factor, out_space, fill), x.reshape(frames, -1), about)
    cf = channels // pe
    simulate(
        "hw_upsample",
        "stream_bench",
        vectors=dict(
            x=x.reshape(frames, -1, pe), y=y.reshape(frames, -1, pe), x_bits=x_w, y_bits=y_w,
            cycles_per_frame=int(np.prod(out_space)) * cf, latency=2 if fill is None else 1,
        ),
        IN_H=space[0], IN_W=space[1], FY=factor[0], FX=factor[1], OUT_H=out_space[0],
        OUT_W=out_space[1], CF=cf, PE=pe, X_W=x_w, X_SIGNED=x_signed, Y_W=y_w,
        STUFF=fill is not None, FILL=fill or 0,
    )  # fmt: skip
