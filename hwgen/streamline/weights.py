"""Quantized weight matrices as exact integers with one real scale per output channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.quantizers import MAX_BITS
from hwgen.streamline.read import Constant


@dataclass(frozen=True, slots=True, eq=False)
class IntWeights:
    """``real = scale[c] * values[c]``."""

    values: IntArray  # (out, in)
    scale: FloatArray  # (out,), positive


def integer_weights(node: str, weight: Constant) -> IntWeights:
    """Return the integers behind a quantized (in, out) matrix.

    A half-integer zero point (mid-rise grid) gives odd integers on half the scale.
    raises  ModelError, UnsupportedOp  float weights, or scales along the input axis
    """
    if weight.codes is None:
        return _plain_integers(node, weight.value)
    assert weight.scale is not None
    assert weight.zero_point is not None
    offsets = weight.codes - weight.zero_point
    divisor = 1 if np.all(offsets % 1 == 0) else 2
    values = offsets * divisor
    _check_size(node, values)
    if np.any(values % 1):
        raise UnsupportedOp(
            f"{node}: the weight zero point {float(weight.zero_point.flat[0])} is neither a whole "
            "nor a half number; use symmetric weight quantization (zero point 0)."
        )
    if np.any(weight.scale != weight.scale[:1]):
        raise UnsupportedOp(
            f"{node}: the weight scale differs between inputs of one output channel; a sum over "
            "them has no single scale. Use a scale per tensor or per output channel."
        )
    return IntWeights(values.T.astype(np.int64), weight.scale[0] / divisor)


def _plain_integers(node: str, value: FloatArray) -> IntWeights:
    if np.any(value % 1):
        raise ModelError(
            f"{node}: the weights are float (first: {float(value.flat[0]):.6g}); hwgen needs "
            "quantized weights. Train with Brevitas layers (QuantLinear) and export QONNX, or "
            "quantize the weights with a Quant node."
        )
    _check_size(node, value)
    return IntWeights(value.T.astype(np.int64), np.ones(value.shape[1]))


def _check_size(node: str, values: FloatArray) -> None:
    if np.abs(values).max() >= 1 << MAX_BITS:
        raise UnsupportedOp(
            f"{node}: weights of more than {MAX_BITS} bits; choose fewer in the weight quantizer."
        )
