"""Batch norm, freezing, calibration and deployment of the squashed network."""

import pytest
import torch
from torch import nn

from hwgen.train.calibrate import calibrate
from hwgen.train.checkpoint import load_model, save_model
from hwgen.train.network import GainNorm, SquashedMlp, deploy
from hwgen.train.precision import Precision

WIDTHS = (40, 32, 16, 2)
WIDE = (403, 256, 64, 2)  # accumulators as long as those of kws_mlp


def inputs(count: int, seed: int, width: int = WIDTHS[0]) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def trained_float(widths: tuple[int, ...] = WIDTHS) -> SquashedMlp:
    torch.manual_seed(1)
    net = SquashedMlp(widths).train()
    for seed in range(50):
        net(inputs(128, seed, widths[0]))
    return net


def quantized(bits: int, widths: tuple[int, ...] = WIDTHS) -> SquashedMlp:
    """A fully quantized network whose gains and offsets have been moved off their start."""
    start = trained_float(widths)
    for affine in start.affine:
        nn.init.normal_(affine.beta, std=0.5)
        if affine.norm:
            nn.init.uniform_(affine.gamma, 0.5, 2.0)
    weights_only = SquashedMlp(widths, Precision(weight=bits))
    weights_only.load_state_dict(start.state_dict())
    precision = Precision(bits, input=8, activation=8, scale=8, bias=16)
    batches = [inputs(256, seed, widths[0]) for seed in range(5)]
    steps = calibrate(weights_only, precision, batches, percentile=99.9, headroom=1.25)
    net = SquashedMlp(widths, precision, steps)
    net.load_state_dict(weights_only.state_dict())
    return net.eval()


def test_gain_norm_equals_batch_norm_of_the_gained_accumulator():
    affine, norm = GainNorm(8, fan_in=24, norm=True), nn.BatchNorm1d(8)
    batches = torch.randn(200, 64, 8, generator=torch.Generator().manual_seed(1)) * 5 + 3
    for acc in batches:
        gained = affine.gain.detach() * acc
        assert torch.allclose(affine.train()(acc), norm.train()(gained), atol=1e-4)
    # BatchNorm1d keeps the unbiased variance (64/63 of ours), hence the wider tolerance.
    assert torch.allclose(affine.eval()(acc), norm.eval()(gained), atol=0.05)


def test_frozen_statistics_stay_while_gain_and_offset_learn():
    net = trained_float()
    net.freeze_statistics()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net.train()
    net(inputs(64, 7) * 4).square().mean().backward()
    optimizer.step()
    after = net.state_dict()
    for name, value in before.items():
        moved = not torch.equal(value, after[name])
        assert moved == (not name.endswith(("mean", "variance"))), name


def test_frozen_network_answers_alike_in_training_and_eval_mode():
    net = trained_float()
    net.freeze_statistics()
    x = inputs(32, 3)
    assert torch.equal(net.train()(x), net.eval()(x))


@pytest.mark.parametrize("bits", range(1, 9))
def test_deployed_network_equals_the_trained_one_bit_for_bit(bits, tmp_path):
    net = quantized(bits)
    x = inputs(500, 9)
    assert torch.equal(deploy(net)(x), net(x))
    save_model(net, tmp_path / "model.pt")
    assert torch.equal(load_model(tmp_path / "model.pt")(x), net(x))


@pytest.mark.parametrize("bits", range(1, 9))
def test_float32_computes_the_deployed_network_exactly(bits):
    net = deploy(quantized(bits, WIDE))
    x = inputs(4000, 11, WIDE[0]) * 1.5
    single = net(x)
    assert torch.equal(net.double()(x.double()), single.double())


@pytest.mark.parametrize("bits", range(1, 9))
def test_scaled_accumulators_fit_the_24_bits_of_float32_up_to_saturation(bits):
    steps = quantized(bits, WIDE).steps
    sources = (steps.input, *steps.activation)
    for source, scale, out in zip(sources, steps.scale, steps.activation, strict=False):
        grid = scale + source - bits
        saturation, offset = out + 8, out + 8
        assert max(saturation, offset) + 1 - grid <= 24
    for source, scale, bias in zip(sources, steps.scale, steps.bias, strict=True):
        assert bias >= scale + source - bits


def test_every_step_is_a_power_of_two_that_covers_the_measured_range():
    net = quantized(4)
    largest = float(torch.cat([inputs(256, seed) for seed in range(5)]).abs().max())
    assert 0.5 * largest < 127 * 2.0**net.steps.input < 2 * largest
    for quantizer in net.relu:
        codes = quantizer.act_quant.scale()
        assert float(torch.log2(codes)) == int(torch.log2(codes))


@pytest.mark.parametrize(("field", "bits"), [("input", 4), ("activation", 3), ("scale", 5)])
def test_each_bit_width_is_configurable(field, bits):
    precision = Precision(
        4, **({"input": 8, "activation": 8, "scale": 8, "bias": 16} | {field: bits})
    )
    start = trained_float()
    weights_only = SquashedMlp(WIDTHS, Precision(weight=4))
    weights_only.load_state_dict(start.state_dict())
    steps = calibrate(weights_only, precision, [inputs(256, 1)], percentile=99.9, headroom=1.25)
    net = SquashedMlp(WIDTHS, precision, steps)
    net.load_state_dict(start.state_dict())
    values = net.eval().trace(inputs(500, 2))
    scale = net.affine[0].coefficients()[0]
    levels = {"input": values[0], "activation": values[1], "scale": scale}[field].unique()
    assert len(levels) <= 2**bits
