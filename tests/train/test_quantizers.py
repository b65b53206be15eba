"""The mid-rise weight grid, its gradient, and the odd integers behind it."""

import brevitas.nn as qnn
import numpy as np
import pytest
import torch

from hwgen.train.network import SquashedMlp
from hwgen.train.precision import Precision
from hwgen.train.quantizers import MidRiseWeight

BITS = range(1, 9)


def layer(weight: torch.Tensor, bits: int) -> qnn.QuantLinear:
    dense = qnn.QuantLinear(
        weight.shape[1],
        weight.shape[0],
        bias=False,
        weight_quant=MidRiseWeight,
        weight_bit_width=bits,
    )
    dense.weight.data.copy_(weight)
    return dense


@pytest.mark.parametrize("bits", BITS)
def test_grid_has_two_to_the_k_levels_symmetric_about_zero(bits):
    weights = torch.tanh(torch.linspace(-9, 9, 20001))[None]
    levels = layer(weights, bits).quant_weight().value.unique()
    assert len(levels) == 2**bits
    assert torch.equal(levels, -levels.flip(0))
    odd = levels * 2**bits
    assert torch.equal(odd, torch.arange(1 - 2**bits, 2**bits, 2).float())


@pytest.mark.parametrize("bits", BITS)
def test_a_weight_goes_to_the_middle_of_its_cell(bits):
    w = torch.rand(1, 1000, generator=torch.Generator().manual_seed(bits)) * 2 - 1
    expected = (2 * torch.floor(w * 2 ** (bits - 1)) + 1) / 2**bits
    assert torch.equal(layer(w, bits).quant_weight().value, expected)


@pytest.mark.parametrize("bits", BITS)
def test_gradient_is_that_of_tanh_and_passes_the_rounding(bits):
    torch.manual_seed(bits)
    net = SquashedMlp((6, 2), Precision(weight=bits))
    dense = net.dense[0]
    dense.parametrizations.weight.original.data.mul_(3)  # reach the saturated ends as well
    x = torch.randn(5, 6)
    dense(x).sum().backward()
    p = dense.parametrizations.weight.original
    exact = x.sum(dim=0).expand(2, 6).double() * (1 - torch.tanh(p.double()) ** 2)
    assert p.grad.double() == pytest.approx(exact.detach().numpy(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("bits", BITS)
def test_odd_weights_need_only_k_bits_and_one_shared_sum(bits):
    rng = np.random.default_rng(bits)
    weights = torch.from_numpy(np.tanh(rng.normal(0, 0.85, (8, 50)))).float()
    odd = (layer(weights, bits).quant_weight().value * 2**bits).detach().numpy().astype(np.int64)
    code = (odd - 1) // 2
    assert (code.min() >= -(2 ** (bits - 1)), code.max() < 2 ** (bits - 1)) == (True, True)
    x = rng.integers(0, 256, 50)
    assert np.array_equal(odd @ x, 2 * (code @ x) + x.sum())


def test_squashed_weights_start_nearly_uniform():
    torch.manual_seed(1)
    weight = SquashedMlp((403, 256)).dense[0].weight.detach()
    centred = weight - weight.mean()
    kurtosis = float((centred**4).mean() / (centred**2).mean() ** 2)
    assert 1.6 < kurtosis < 2.0  # uniform 1.8, Gaussian 3.0
