"""Quantized layers that the networks of ``models/`` share, in Brevitas."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8ActPerTensorFloat,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
    Uint8ActPerTensorFloat,
)
from torch import Tensor, nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def input_quantizer(bits: int = 8, **options: Any) -> nn.Module:
    """Return a signed quantizer of the network's input, or of a branch."""
    options.setdefault("act_quant", Int8ActPerTensorFloat)
    return qnn.QuantIdentity(bit_width=bits, return_quant_tensor=True, **options)


def relu(bits: int = 8, **options: Any) -> nn.Module:
    """Return a ReLU with an unsigned quantizer."""
    options.setdefault("act_quant", Uint8ActPerTensorFloat)
    return qnn.QuantReLU(bit_width=bits, return_quant_tensor=True, **options)


def conv2d(inputs: int, outputs: int, kernel: int | tuple[int, int], **options: Any) -> nn.Module:
    """Return an 8-bit convolution with a scale per output channel and a float bias."""
    options = {"weight_quant": Int8WeightPerChannelFloat, "bias": True, **options}
    return qnn.QuantConv2d(inputs, outputs, kernel, **options)


def conv1d(inputs: int, outputs: int, kernel: int, **options: Any) -> nn.Module:
    """Return an 8-bit convolution over time with a scale per output channel and a float bias."""
    options = {"weight_quant": Int8WeightPerChannelFloat, "bias": True, **options}
    return qnn.QuantConv1d(inputs, outputs, kernel, **options)


def dense(inputs: int, outputs: int, **options: Any) -> nn.Module:
    """Return an 8-bit dense layer with a scale per output channel and a float bias."""
    options = {"weight_quant": Int8WeightPerChannelFloat, "bias": True, **options}
    return qnn.QuantLinear(inputs, outputs, **options)


def normed(layer: nn.Module, outputs: int, activation: nn.Module | None = None) -> nn.Sequential:
    """Return ``layer``, its batch norm and an activation."""
    flat = isinstance(layer, nn.Linear | nn.Conv1d)
    norm = nn.BatchNorm1d(outputs) if flat else nn.BatchNorm2d(outputs)
    return nn.Sequential(layer, norm, *([] if activation is None else [activation]))


def fixed_point(bits: int, *, signed: bool = True) -> dict[str, Any]:
    """Return activation options of a power-of-two scale, as hls4ml's types have."""
    quant = Int8ActPerTensorFixedPoint if signed else Uint8ActPerTensorFixedPoint
    return {"act_quant": quant, "bits": bits}


def fixed_weights(bits: int) -> dict[str, Any]:
    """Return layer options of weights with a power-of-two scale."""
    return {"weight_quant": Int8WeightPerTensorFixedPoint, "weight_bit_width": bits}


class Mean(nn.Module):
    """Global average pooling, flattened and quantized again."""

    def __init__(self, kernel: int | tuple[int, int], bits: int = 8, *, rank: int = 2) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(kernel) if rank == 2 else nn.AvgPool1d(kernel)
        self.quant = qnn.QuantIdentity(
            act_quant=Uint8ActPerTensorFloat, bit_width=bits, return_quant_tensor=True
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, channels)."""
        pooled: Tensor = self.quant(self.pool(x))
        return torch.flatten(pooled, 1)


def exercised(module: nn.Module, shape: tuple[int, ...], seed: int, batches: int = 8) -> nn.Module:
    """Return the module in eval mode after random batches: scales and statistics are alive.

    shape  of one input;  seed  of weights, batch norms and inputs
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, _NORMS):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
    module.train()
    with torch.no_grad():
        for _ in range(batches):
            module(2 * torch.rand((16, *shape), generator=generator) - 1)
    return module.eval()


def parameters(module: nn.Module) -> int:
    """Return the weights, biases and four numbers per channel of a batch norm, as Keras counts."""
    learned = sum(
        p.numel()
        for layer in module.modules()
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.BatchNorm1d | nn.BatchNorm2d)
        for p in layer.parameters(recurse=False)
    )
    return learned + 2 * sum(n.num_features for n in module.modules() if isinstance(n, _NORMS))
