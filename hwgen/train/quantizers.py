"""Brevitas quantizers whose every step is a fixed power of two.

With power-of-two steps each value of the network is a dyadic rational, so float32 computes the
quantized network exactly and every witness gives the same integers.
"""

import torch
from brevitas.core.utils import SingleArgStatelessBuffer, StatelessBuffer
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.inject import ExtendedInjector, value
from brevitas.inject.enum import (
    BitWidthImplType,
    FloatToIntImplType,
    QuantType,
    RestrictValueType,
    ScalingImplType,
    ScalingPerOutputType,
)
from brevitas.proxy import (
    ActQuantProxyFromInjector,
    BiasQuantProxyFromInjector,
    WeightQuantProxyFromInjector,
)
from brevitas.quant.solver.act import ActQuantSolver
from brevitas.quant.solver.bias import BiasQuantSolver
from brevitas.quant.solver.weight import WeightQuantSolver
from torch import Tensor, nn

MID_RISE_ZERO_POINT = -0.5


class MidRiseZeroPoint(nn.Module):
    """A zero point of -1/2: the levels ``(q + 1/2) * step`` lie on both sides of zero."""

    def __init__(self) -> None:
        super().__init__()
        self.value = StatelessBuffer(torch.tensor(MID_RISE_ZERO_POINT))

    def forward(self, x: Tensor, scale: Tensor, bit_width: Tensor) -> Tensor:
        """Return the zero point; the arguments are Brevitas' interface."""
        return self.value()


class StaticGrid(ExtendedInjector):
    """An integer grid whose step is given (``scaling_init``), never learned or measured."""

    quant_type = QuantType.INT
    bit_width_impl_type = BitWidthImplType.CONST
    float_to_int_impl_type = FloatToIntImplType.ROUND
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_per_output_type = ScalingPerOutputType.TENSOR
    int_scaling_impl = SingleArgStatelessBuffer(1.0)
    zero_point_impl = ZeroZeroPoint
    narrow_range = False
    signed = True


class MidRiseWeight(StaticGrid, WeightQuantSolver):
    """Weights in (-1, 1) on ``2^k`` levels, odd multiples of ``2^-k`` (squashed weights, SQWD).

    ``W_q = (2 floor(W 2^(k-1)) + 1) / 2^k``; k = 1 gives +-1/2. The gradient passes the rounding
    unchanged, and no weight is ever clipped, because tanh keeps it inside the grid.
    """

    proxy_class = WeightQuantProxyFromInjector
    zero_point_impl = MidRiseZeroPoint

    scaling_init = value(lambda bit_width: 2.0 ** (1 - bit_width))


class ChannelScale(StaticGrid, WeightQuantSolver):
    """The factor of each channel, a symmetric mantissa times a shared power of two."""

    proxy_class = WeightQuantProxyFromInjector
    narrow_range = True


class ChannelBias(StaticGrid, BiasQuantSolver):
    """The offset of each channel, on the integer grid of the scaled accumulator."""

    proxy_class = BiasQuantProxyFromInjector
    requires_input_scale = False
    requires_input_bit_width = False


class Activation(StaticGrid, ActQuantSolver):
    """Inputs (signed) and activations after ReLU (``signed=False``)."""

    proxy_class = ActQuantProxyFromInjector
