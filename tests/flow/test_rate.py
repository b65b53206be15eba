"""The measured initiation interval is the promised one, whatever the widths between layers."""

import json
from itertools import pairwise

import numpy as np
import pytest

from hwgen import flow
from models import Chain

NETWORKS = [  # sizes, cycles asked for: streams that must be split on their way, in both orders
    ((16, 10, 5), 4),
    ((64, 16, 10, 10), 4),
    ((10, 16, 24, 24), 2),
    ((2, 8, 16, 3, 3), 16),
]


@pytest.mark.parametrize(("sizes", "target"), NETWORKS, ids=str)
def test_a_stream_that_is_split_does_not_stall_the_layer_before(sizes, target, tmp_path):
    rng = np.random.default_rng(0)
    chain = Chain((sizes[0],)).quant(0.5, bits=4)
    for fan_in, fan_out in pairwise(sizes[:-1]):
        chain.dense(rng.normal(0, 1, (fan_out, fan_in)), 0.3).add("Relu")
        chain.quant(0.5, bits=3, signed=0)
    chain.dense(rng.normal(0, 1, (sizes[-1], sizes[-2])), 0.3)
    out = flow.build_from_model(chain.model(), tmp_path / "out", target_cycles=target)
    result = flow.verify(out, samples=60, witnesses=["rtl"])
    assert result["mismatches"] == 0
    promised = json.loads((out / "manifest.json").read_text())["predicted"]["ii_cycles"]
    assert result["ii_cycles"] == promised <= target


WINDOWS = [  # rows that no window looks at; more padding than windows reach beyond; both sides busy
    ((8, 6), 3, (3, 3), (3, 3), (0, 0), 12, 36),
    ((11, 2), 39, (3, 1), (1, 1), (2, 0), 11, 33),
]


@pytest.mark.parametrize(("space", "ins", "kernel", "stride", "pads", "outs", "reuse"), WINDOWS)
def test_a_window_does_not_stall_the_layer_before(
    space, ins, kernel, stride, pads, outs, reuse, tmp_path
):
    rng = np.random.default_rng(0)
    chain = Chain((1, *space)).quant(0.25, bits=3)
    chain.conv(rng.normal(0, 1, (ins, 1, 1, 1)), 0.25, name="first").quant(0.5, bits=3)
    chain.conv(rng.normal(0, 1, (outs, ins, *kernel)), 0.25, strides=list(stride),
               pads=[*pads, *pads], name="second").quant(0.5, bits=4)  # fmt: skip
    folds = {"first": ins, "second": reuse}
    out = flow.build_from_model(chain.model([None] * 4), tmp_path / "out", reuse=folds)
    result = flow.verify(out, samples=30, witnesses=["rtl"])
    assert result["mismatches"] == 0
    promised = json.loads((out / "manifest.json").read_text())["predicted"]["ii_cycles"]
    assert result["ii_cycles"] == promised
