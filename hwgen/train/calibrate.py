"""Calibration: the power-of-two steps of the linear quantizers, measured once, then frozen."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from hwgen.train.network import SquashedMlp
from hwgen.train.precision import FLOAT32_BITS, Precision, Steps

DECAY = 0.99  # of the moving average of each range over the batches


def calibrate(
    net: SquashedMlp,
    precision: Precision,
    batches: Iterable[Tensor],
    *,
    percentile: float,
    headroom: float,
) -> Steps:
    """Return the steps for ``precision`` from the ranges that ``net`` shows on some batches.

    A range is the moving average over the batches of the given percentile of |value|; its step is
    the smallest power of two whose grid covers the range. The channel factors may still grow by
    ``headroom`` in the training that follows.
    """
    ranges = _ranges(net, batches, percentile)
    assert precision.input is not None, "calibration is for the linear quantizers of stage 2"
    assert precision.activation is not None
    assert precision.weight is not None
    assert precision.bias is not None
    input_step = _step(ranges[0], 2 ** (precision.input - 1) - 1)
    activation = tuple(_step(r, 2**precision.activation - 1) for r in ranges[1:-1])
    reaches = [step + precision.activation for step in activation]
    reaches.append(math.ceil(math.log2(2 * ranges[-1])))
    scale, bias = [], []
    for affine, source, reach in zip(net.affine, (input_step, *activation), reaches, strict=True):
        accumulator = source - precision.weight
        finest = reach - FLOAT32_BITS + 1 - accumulator
        scale.append(_scale_step(affine, precision, finest=finest, headroom=headroom))
        bias.append(max(scale[-1] + accumulator, reach - precision.bias + 1))
    return Steps(input_step, activation, tuple(scale), tuple(bias))


def _scale_step(
    affine: torch.nn.Module, precision: Precision, *, finest: int, headroom: float
) -> int:
    """Return the exponent of the shared shift of a layer's channel factors.

    At least ``finest``: then ``A acc`` and ``A acc + B`` stay inside 2^24 units of their own grid
    wherever the next quantizer does not saturate, and float32 computes them exactly.
    """
    assert precision.scale is not None
    with torch.no_grad():
        largest = float(affine.coefficients()[0].abs().max())
    return max(_step(headroom * largest, 2 ** (precision.scale - 1) - 1), finest)


def _ranges(net: SquashedMlp, batches: Iterable[Tensor], percentile: float) -> list[float]:
    """Return the ranges of the input, of each hidden activation and of the logits."""
    net.eval()
    averages: list[float] = []
    with torch.no_grad():
        for batch in batches:
            values = [_percentile(x, percentile) for x in net.trace(batch)]
            averages = [
                DECAY * a + (1 - DECAY) * v for a, v in zip(averages or values, values, strict=True)
            ]
    return averages


def _percentile(x: Tensor, percentile: float) -> float:
    flat = x.abs().flatten()
    return float(flat.kthvalue(max(1, round(percentile / 100 * flat.numel()))).values)


def _step(largest: float, codes: int) -> int:
    return math.ceil(math.log2(max(largest, 1e-12) / codes))
