"""Two networks under 200 random stall patterns on both sides, each with a reset in mid-frame."""

import numpy as np
import pytest

from hwgen import flow
from hwgen.graph.execute import run
from hwgen.witnesses import open_build, rtl_outputs, simulate
from models import Chain

SEEDS = 200
FRAMES = 12


def integer_chain(rng: np.random.Generator) -> Chain:
    """Three dense layers, thresholds and a requantizer, an argmax-free output."""
    chain = Chain((16,), name="integers").quant(0.25, bits=6)
    chain.dense(rng.normal(0, 0.5, (12, 16)), rng.uniform(0.05, 0.2, (12, 1)))
    chain.batch_norm(rng, 12).add("Relu").quant(0.3, bits=3, signed=0)
    chain.dense(rng.normal(0, 0.5, (8, 12)), 0.11).add("Relu").quant(0.5, bits=8, signed=0)
    return chain.dense(rng.normal(0, 1, (5, 8)), 0.1)


def binary_chain(rng: np.random.Generator) -> Chain:
    """Two layers of XNOR and popcount, thresholds of one level."""
    chain = Chain((24,), name="bits").bipolar()
    chain.dense(rng.normal(0, 1, (16, 24)), 1.0, bipolar=True).batch_norm(rng, 16).bipolar()
    return chain.dense(rng.normal(0, 1, (6, 16)), 1.0, bipolar=True)


@pytest.mark.parametrize("chain", [integer_chain, binary_chain])
def test_stalls_and_a_reset_change_nothing(chain, tmp_path):
    rng = np.random.default_rng(2)
    opened = open_build(
        flow.build_from_model(chain(rng).model(), tmp_path / "out", target_cycles=24)
    )
    x = opened.graph.tensor(opened.graph.input)
    codes = rng.integers(x.lo, x.hi, (FRAMES, x.size), endpoint=True)
    expected = run(opened.graph, codes)
    for seed in range(SEEDS):
        idle, backpressure = np.random.default_rng(seed).uniform(0, 0.9, 2)
        result = simulate(
            opened, codes, idle=idle, backpressure=backpressure, seed=seed, reset_at=7 + seed
        )
        got = rtl_outputs(opened, result)
        np.testing.assert_array_equal(got, expected, err_msg=f"stall seed {seed}")
