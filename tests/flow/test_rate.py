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
