"""Convolutional networks the whole way: exact in every witness, at the promised rate."""

import json

import numpy as np
import pytest

from hwgen import flow
from hwgen.errors import FoldError
from models import Chain


def image_network() -> Chain:
    """Padding with a zero point, a stride that leaves rows over, depthwise, pointwise, pooling."""
    rng = np.random.default_rng(0)
    chain = Chain((2, 9, 8)).quant(0.11, zero=3.0, bits=6)
    chain.conv(rng.normal(0, 1, (6, 2, 3, 3)), 0.2, pads=[1] * 4, bias=rng.normal(0, 1, 6))
    chain.add("Relu").quant(0.3, signed=0, bits=4)
    chain.conv(rng.normal(0, 1, (6, 1, 3, 3)), 0.2, group=6, strides=[2, 2], pads=[1] * 4)
    chain.add("Relu").quant(0.4, signed=0, bits=4)
    chain.conv(rng.normal(0, 1, (8, 6, 1, 1)), 0.2).add("Relu").quant(0.4, signed=0, bits=4)
    chain.add("MaxPool", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    chain.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2]).quant(0.2, signed=0, bits=4)
    return chain.add("Flatten", axis=1).dense(rng.normal(0, 1, (5, 8 * 2 * 2)), 0.1)


def sequence_network() -> Chain:
    """Causal, dilated and strided convolutions over time; a sequence comes out."""
    rng = np.random.default_rng(1)
    chain = Chain((3, 20)).quant(0.11, zero=3.0, bits=6)
    chain.conv(rng.normal(0, 1, (4, 3, 3)), 0.2, pads=[2, 0])
    chain.add("Relu").quant(0.3, signed=0, bits=4)
    chain.conv(rng.normal(0, 1, (4, 4, 3)), 0.2, dilations=[2], pads=[4, 0])
    chain.add("Relu").quant(0.3, signed=0, bits=4)
    return chain.conv(rng.normal(0, 1, (4, 4, 2)), 0.2, strides=[2]).quant(0.3, bits=5)


@pytest.mark.parametrize(
    ("network", "rank", "target"),
    [(image_network, 2, 1300), (sequence_network, 3, 960), (sequence_network, 3, 180)],
)
def test_exact_in_every_witness_at_the_promised_rate(network, rank, target, tmp_path):
    model = network().model([None] * rank)
    out = flow.build_from_model(model, tmp_path / "out", target_cycles=target)
    result = flow.verify(out, samples=40)
    assert [w["name"] for w in result["witnesses"]] == [
        "qonnx", "reference", "csim", "rtl", "rtl, random stalls",
    ]  # fmt: skip
    assert result["mismatches"] == 0
    promised = json.loads((out / "manifest.json").read_text())["predicted"]["ii_cycles"]
    assert result["ii_cycles"] == promised <= target


def test_a_reuse_that_a_depthwise_layer_cannot_meet_is_refused(tmp_path):
    with pytest.raises(FoldError) as error:
        flow.build_from_model(
            image_network().model([None] * 2), tmp_path / "out", reuse={"Conv_6": 10}
        )
    assert str(error.value) == (
        "Conv_6: reuse 10 cannot be met: 9 taps x 6 channels fold into taps * (channels / PE) "
        "cycles with whole PE; the nearest legal values are 9, 18, 27, 54."
    )


def test_run_takes_and_gives_the_models_own_layout(tmp_path):
    network = sequence_network()
    out = flow.build_from_model(network.model([None] * 3), tmp_path / "out", target_cycles=960)
    x = np.random.default_rng(2).normal(0, 2, (5, 3, 20))
    answers = [flow.run(out, x, engine) for engine in ("rtl", "csim", "reference")]
    assert answers[0].shape == (5, 4, 10)
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
