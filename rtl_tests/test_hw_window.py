"""hw_window: every geometry against the reference, at full rate and under stalls."""

import numpy as np
import pytest
from stimulus import corners

from hwgen.graph.execute import windows
from hwgen.graph.ir import Window
from hwgen.graph.windows import window_rows

CASES = [  # space, channels, simd, kernel, stride, dilation, pads, pad, x_w, x_signed
    ((5, 4), 4, 2, (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 0, 4, True),
    ((6, 7), 1, 1, (2, 3), (2, 2), (1, 1), ((0, 0), (0, 0)), 0, 3, False),  # one lane
    ((7, 6), 2, 2, (3, 2), (1, 1), (2, 2), ((2, 1), (0, 2)), 3, 2, False),  # one fold, dilated
    ((5, 1), 3, 3, (3, 1), (1, 1), (1, 1), ((2, 0), (0, 0)), -2, 3, True),  # a causal sequence
    ((4, 4), 2, 1, (4, 4), (1, 1), (1, 1), ((0, 0), (0, 0)), 0, 4, False),  # the whole image
    ((5, 6), 2, 1, (1, 1), (2, 3), (1, 1), ((0, 0), (0, 0)), 0, 4, False),  # fewer out than in
    ((6, 5), 2, 1, (2, 2), (4, 1), (1, 1), ((1, 1), (1, 0)), 1, 4, False),  # rows never read
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_window(simulate, case):
    space, channels, simd, kernel, stride, dilation, pads, pad, x_w, x_signed = case
    layer = Window("w", "x", "y", kernel, stride, dilation, pads, pad)
    x = corners((8, *space, channels), x_w, x_signed, seed=1)
    y = windows(layer, x)
    in_beats = int(np.prod(space)) * channels // simd
    out_beats = y[0].size // simd
    simulate(
        "hw_window",
        "stream_bench",
        vectors=dict(
            x=x.reshape(8, in_beats, simd), y=y.reshape(8, out_beats, simd), x_bits=x_w,
            y_bits=x_w, cycles_per_frame=max(in_beats, out_beats),
            latency=space[1] * channels // simd + 1,
        ),
        IN_H=space[0], IN_W=space[1], CHANNELS=channels, SIMD=simd, X_W=x_w, X_SIGNED=x_signed,
        Y_W=x_w, PAD=pad, KH=kernel[0], KW=kernel[1], SH=stride[0], SW=stride[1], DH=dilation[0],
        DW=dilation[1], PT=pads[0][0], PB=pads[0][1], PL=pads[1][0], PR=pads[1][1],
        ROWS=window_rows(layer, space[0]),
    )  # fmt: skip
