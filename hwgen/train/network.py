"""The squashed network: dense layers with weights tanh(P), gain, batch norm and ReLU."""

import math
from collections.abc import Sequence
from itertools import pairwise

import brevitas.nn as qnn
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from hwgen.train.precision import Precision, Steps
from hwgen.train.quantizers import Activation, ChannelBias, ChannelScale, MidRiseWeight

SQUASH_DEVIATION = 0.85  # of P at the start: tanh(P) is then nearly uniform on (-1, 1)


class Squash(nn.Module):
    """The map from a free parameter to a weight, with its exact derivative by autograd."""

    def forward(self, p: Tensor) -> Tensor:
        """Return weights in (-1, 1)."""
        return torch.tanh(p)


class GainNorm(nn.Module):
    """Per-channel ``y = A acc + B``: gain and batch norm (or gain and bias) as one affine map.

    A = gain * gamma / sqrt(gain^2 variance + eps), B = beta - A * mean, with the accumulator's mean
    and variance. ``freeze()`` ends their updates for good; gain, gamma, beta stay trainable.
    """

    def __init__(self, features: int, fan_in: int, *, norm: bool, momentum: float = 0.1) -> None:
        super().__init__()
        self.norm, self.momentum, self.eps = norm, momentum, 1e-5
        self.frozen = False
        # He variance: the variance of a uniform weight on (-1, 1) is 1/3.
        self.gain = nn.Parameter(torch.tensor(math.sqrt(3 * 2 / fan_in)))
        self.beta = nn.Parameter(torch.zeros(features))
        self.scale_quant: nn.Module = nn.Identity()
        self.bias_quant: nn.Module = nn.Identity()
        if norm:
            self.gamma = nn.Parameter(torch.ones(features))
            self.register_buffer("mean", torch.zeros(features))
            self.register_buffer("variance", torch.ones(features))

    def freeze(self) -> None:
        """End the updates of the batch-norm statistics."""
        self.frozen = True

    def coefficients(self, acc: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return quantized A and B, (features,) each, from ``acc``'s or the running statistics."""
        if not self.norm:
            scale, bias = self.gain.expand_as(self.beta), self.beta
        else:
            mean, variance = self._statistics(acc)
            scale = self.gain * self.gamma * torch.rsqrt(self.gain**2 * variance + self.eps)
            bias = self.beta - scale * mean
        return self.scale_quant(scale), self.bias_quant(bias)

    def forward(self, acc: Tensor) -> Tensor:
        """Return the normalised accumulators, (batch, features)."""
        live = self.norm and self.training and not self.frozen
        scale, bias = self.coefficients(acc if live else None)
        return acc * scale + bias

    def _statistics(self, acc: Tensor | None) -> tuple[Tensor, Tensor]:
        if acc is None:
            return self.mean, self.variance
        variance, mean = torch.var_mean(acc, dim=0, correction=0)
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance, self.momentum)
        return mean, variance


class SquashedMlp(nn.Module):
    """Dense layers ``widths[0] - widths[1] - ...``, each with GainNorm, ReLU between them.

    The last layer has gain and bias and gives logits. With ``precision.input`` given, ``steps``
    must hold the calibrated steps.
    """

    def __init__(
        self,
        widths: Sequence[int],
        precision: Precision | None = None,
        steps: Steps | None = None,
    ) -> None:
        super().__init__()
        self.widths, self.precision, self.steps = tuple(widths), precision or Precision(), steps
        count = len(self.widths) - 1
        self.dense = nn.ModuleList(
            _squashed_dense(i, o, self.precision.weight) for i, o in pairwise(self.widths)
        )
        self.affine = nn.ModuleList(
            GainNorm(out, fan_in, norm=index < count - 1)
            for index, (fan_in, out) in enumerate(pairwise(self.widths))
        )
        self.input_quant: nn.Module = nn.Identity()
        self.relu = nn.ModuleList(nn.ReLU() for _ in range(count - 1))
        if self.precision.input is not None and steps is not None:
            self._quantize_linear(steps)

    def freeze_statistics(self) -> None:
        """Freeze the batch-norm statistics of every layer."""
        for affine in self.affine:
            affine.freeze()

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (batch, classes)."""
        return self.trace(x)[-1]

    def trace(self, x: Tensor) -> list[Tensor]:
        """Return the network's input, each hidden activation and the logits."""
        values = [self.input_quant(x)]
        for index, (dense, affine) in enumerate(zip(self.dense, self.affine, strict=True)):
            x = affine(dense(values[-1]))
            values.append(self.relu[index](x) if index < len(self.relu) else x)
        return values

    def _quantize_linear(self, steps: Steps) -> None:
        bits = self.precision
        self.input_quant = _identity_quant(bits.input, steps.input)
        self.relu = nn.ModuleList(
            _relu_quant(bits.activation, exponent) for exponent in steps.activation
        )
        for affine, scale, bias in zip(self.affine, steps.scale, steps.bias, strict=True):
            affine.scale_quant = _identity_quant(bits.scale, scale, narrow_range=True)
            affine.bias_quant = _identity_quant(bits.bias, bias)


def deploy(net: SquashedMlp) -> nn.Sequential:
    """Return the network as it runs on hardware: stock Brevitas layers with constant parameters.

    tanh is baked into the weights, gain and batch norm into one factor and offset per channel, all
    of them on their grids already. Outputs equal those of ``net`` in eval mode.
    """
    deployed = deployed_layers(net.widths, net.precision, _required(net.steps))
    layers = [layer for layer in deployed if isinstance(layer, qnn.QuantLinear)]
    affines = [layer for layer in deployed if isinstance(layer, ChannelAffine)]
    with torch.no_grad():
        for index, (layer, affine) in enumerate(zip(layers, affines, strict=True)):
            layer.weight.copy_(net.dense[index].quant_weight().value)
            scale, bias = net.affine[index].coefficients()
            affine.weight.copy_(scale)
            affine.bias.copy_(bias)
    return deployed.eval()


class ChannelAffine(qnn.QuantScaleBias):
    """Brevitas' per-channel scale and bias for (batch, features), without the reshapes."""

    def inner_forward_impl(self, x: Tensor, quant_weight: Tensor, quant_bias: Tensor) -> Tensor:
        """Return ``x * quant_weight + quant_bias``."""
        return x * quant_weight.value + quant_bias.value


def deployed_layers(widths: Sequence[int], bits: Precision, steps: Steps) -> nn.Sequential:
    """Return the deployed topology with untrained parameters, to be filled or loaded."""
    layers: list[nn.Module] = [_identity_quant(bits.input, steps.input)]
    for index, (fan_in, out) in enumerate(pairwise(widths)):
        layers.append(_dense(fan_in, out, bits.weight))
        layers.append(_channel_affine(out, bits, steps.scale[index], steps.bias[index]))
        if index < len(steps.activation):
            layers.append(_relu_quant(bits.activation, steps.activation[index]))
    return nn.Sequential(*layers)


def _required(steps: Steps | None) -> Steps:
    assert steps is not None, "only a calibrated network can be deployed"
    return steps


def _dense(fan_in: int, out: int, weight_bits: int | None) -> nn.Module:
    quantizer = None if weight_bits is None else MidRiseWeight
    return qnn.QuantLinear(
        fan_in, out, bias=False, weight_quant=quantizer, weight_bit_width=weight_bits
    )


def _squashed_dense(fan_in: int, out: int, weight_bits: int | None) -> nn.Module:
    layer = _dense(fan_in, out, weight_bits)
    nn.init.normal_(layer.weight, std=SQUASH_DEVIATION)
    parametrize.register_parametrization(layer, "weight", Squash(), unsafe=True)
    return layer


def _channel_affine(out: int, bits: Precision, scale: int, bias: int) -> nn.Module:
    return ChannelAffine(
        out,
        bias=True,
        weight_quant=ChannelScale,
        weight_bit_width=bits.scale,
        weight_scaling_init=2.0**scale,
        bias_quant=ChannelBias,
        bias_bit_width=bits.bias,
        bias_scaling_init=2.0**bias,
    )


def _identity_quant(bits: int | None, exponent: int, *, narrow_range: bool = False) -> nn.Module:
    return qnn.QuantIdentity(
        act_quant=Activation, bit_width=bits, scaling_init=2.0**exponent, narrow_range=narrow_range
    )


def _relu_quant(bits: int | None, exponent: int) -> nn.Module:
    return qnn.QuantReLU(
        act_quant=Activation, bit_width=bits, scaling_init=2.0**exponent, signed=False
    )
