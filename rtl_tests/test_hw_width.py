"""hw_width: the same lanes in the same order, in other beats."""

import pytest
from stimulus import corners

CASES = [  # lane_w, in_lanes, out_lanes
    (4, 8, 2),
    (3, 5, 1),
    (5, 2, 6),
    (1, 1, 7),
    (8, 3, 3),
    (6, 24, 12),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hw_width(simulate, case):
    lane_w, in_lanes, out_lanes = case
    lanes = 2 * max(in_lanes, out_lanes)
    x = corners((30, lanes), lane_w, False, seed=9)
    simulate(
        "hw_width",
        "stream_bench",
        vectors=dict(
            x=x.reshape(30, -1, in_lanes), y=x.reshape(30, -1, out_lanes), x_bits=lane_w,
            y_bits=lane_w, cycles_per_frame=lanes // min(in_lanes, out_lanes),
            latency=max(out_lanes // in_lanes, 1) - 1,
        ),
        LANE_W=lane_w, IN_LANES=in_lanes, OUT_LANES=out_lanes,
    )  # fmt: skip
