"""The network family of FINN's examples, as Brevitas' bnn_pynq defines it."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.core.bit_width import BitWidthImplType
from brevitas.core.quant import QuantType
from brevitas.core.restrict_val import FloatToIntImplType, RestrictValueType
from brevitas.core.scaling import ScalingImplType
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.inject import ExtendedInjector
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from torch import Tensor, nn

_CHANNELS = ((3, 64, False), (64, 64, True), (64, 128, False), (128, 128, True),
             (128, 256, False), (256, 256, False))  # fmt: skip
_DENSE = ((256, 512), (512, 512))
_CLASSES = 10


class _Constant(ExtendedInjector):
    """A grid of constant scale: the sign at 1 bit, else symmetric integers."""

    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    zero_point_impl = ZeroZeroPoint
    float_to_int_impl_type = FloatToIntImplType.ROUND
    scaling_per_output_channel = False
    narrow_range = True
    signed = True


class _Weight(_Constant, WeightQuantSolver):
    scaling_const = 1.0


class _Activation(_Constant, ActQuantSolver):
    min_val, max_val = -1.0, 1.0


def _options(bits: int) -> dict[str, Any]:
    return {"quant_type": QuantType.BINARY if bits == 1 else QuantType.INT, "bit_width": bits}


def _layer(kind: type[nn.Module], inputs: int, outputs: int, bits: int, **sizes: Any) -> nn.Module:
    weight = {f"weight_{name}": value for name, value in _options(bits).items()}
    return kind(inputs, outputs, bias=False, weight_quant=_Weight, **weight, **sizes)


def _activation(bits: int) -> nn.Module:
    return qnn.QuantIdentity(act_quant=_Activation, return_quant_tensor=True, **_options(bits))


class TensorNorm(nn.Module):
    """Batch norm of all outputs together: one scale and one offset."""

    def __init__(self, momentum: float = 0.1, eps: float = 1e-4) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised outputs, (batch, outputs)."""
        mean, variance = self.mean, self.variance
        if self.training:
            variance, mean = torch.var_mean(x, correction=0)
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.variance.lerp_(variance, self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return x * scale + (self.bias - mean * scale)


def cnv(bits: int) -> nn.Module:
    """Return CNV: six convolutions, two poolings, three dense layers; its input is in [-1, 1)."""
    layers: list[nn.Module] = [
        qnn.QuantIdentity(
            act_quant=_Activation, quant_type=QuantType.INT, bit_width=8, narrow_range=False,
            min_val=-1.0, max_val=1.0 - 2.0**-7, return_quant_tensor=True,
            restrict_scaling_type=RestrictValueType.POWER_OF_TWO,
        )
    ]  # fmt: skip
    for inputs, outputs, pooled in _CHANNELS:
        conv = _layer(qnn.QuantConv2d, inputs, outputs, bits, kernel_size=3)
        layers += [conv, nn.BatchNorm2d(outputs, eps=1e-4), _activation(bits)]
        layers += [nn.MaxPool2d(2)] if pooled else []
    layers.append(nn.Flatten())
    for inputs, outputs in _DENSE:
        dense = _layer(qnn.QuantLinear, inputs, outputs, bits)
        layers += [dense, nn.BatchNorm1d(outputs, eps=1e-4), _activation(bits)]
    network = nn.Sequential(*layers, _layer(qnn.QuantLinear, 512, _CLASSES, bits), TensorNorm())
    for layer in network:
        if isinstance(layer, qnn.QuantConv2d | qnn.QuantLinear):
            nn.init.uniform_(layer.weight, -1, 1)  # all over the grid of constant scale
    return network
