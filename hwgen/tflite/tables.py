"""Elementwise int8 ops as tables: the code that TFLite gives to each input code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.errors import UnsupportedOp
from hwgen.num.float_rounding import half_away
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.tflite.arithmetic import Multiplier, activation_range, twice_rounded
from hwgen.tflite.builder import Builder, codes_of
from hwgen.tflite.operands import clamp, constant, data, int8, require_int32
from hwgen.tflite.read import Operator, Value

Function: TypeAlias = Callable[[FloatArray, float], np.ndarray]  # (value, error) -> float32

_ADD_BITS = 20  # by which TFLite shifts the operands of an ADD to the left
_EXP, _TANH = 2.0**-30, 2.0**-22  # relative error that a C library's float32 function may add


def clamped(b: Builder, op: Operator) -> None:
    """Append RELU, RELU6 or RELU_N1_TO_1."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    factor = np.float32(x.scale) / np.float32(y.scale)
    low, high = activation_range(op.kind, float(y.scale), int(y.zero_point))
    _tabulate(b, op, _scaled(op, _centred(b, x), factor), low, high)


def requantize(b: Builder, op: Operator) -> None:
    """Append QUANTIZE of 8-bit codes."""
    x, y = data(op), int8(op, op.outputs[0])
    _tabulate(b, op, _scaled(op, _centred(b, x), x.scale / y.scale))


def leaky_relu(b: Builder, op: Operator) -> None:
    """Append LEAKY_RELU."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    alpha, out = np.float32(op.options["Alpha"]), np.float32(y.scale)
    if not 0 <= alpha <= 1:
        raise UnsupportedOp(f"{op.name}: a slope of {alpha}; use one from 0 to 1.")
    factors = (np.float32(x.scale) / out, np.float32(x.scale) * alpha / out)
    codes = _centred(b, x)
    rising, falling = (_scaled(op, codes, f) for f in factors)
    _tabulate(b, op, np.where(codes >= 0, rising, falling))


def logistic(b: Builder, op: Operator) -> None:
    """Append LOGISTIC, which TFLite evaluates in float32."""

    def f(value: FloatArray, error: float) -> np.ndarray:
        exp = (np.exp(-value) * (1 + error)).astype(np.float32)
        return np.float32(1) / (np.float32(1) + exp)

    _evaluate(b, op, f, _EXP)


def tanh(b: Builder, op: Operator) -> None:
    """Append TANH, which TFLite evaluates in float32."""

    def f(value: FloatArray, error: float) -> np.ndarray:
        return (np.tanh(value) * (1 + error)).astype(np.float32)

    _evaluate(b, op, f, _TANH)


def add(b: Builder, op: Operator) -> None:
    """Append ADD of a constant, per tensor or per channel."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    other = int8(op, constant(op, 1 if op.inputs[0] is x else 0))
    assert other.data is not None
    if other.data.size not in (1, other.shape[-1] if other.shape else 1):
        raise UnsupportedOp(
            f"{op.name}: adds a constant of shape {list(other.shape)}; hwgen adds one value, or "
            "one per channel. Fold the addition into the bias of the layer before."
        )
    addend = other.data.reshape(-1, 1).astype(np.int64) - int(other.zero_point)
    if len(addend) not in (1, b.here.size):
        raise UnsupportedOp(
            f"{op.name}: a constant of {len(addend)} values on {b.here.size} channels; add one per "
            "channel, before the tensor is flattened."
        )
    common = 2 * max(float(x.scale), float(other.scale))
    terms = ((_centred(b, x), x), (addend, other))
    total = sum(_scaled(op, v << _ADD_BITS, t.scale / common) for v, t in terms)
    factor = common / ((1 << _ADD_BITS) * y.scale)
    _tabulate(b, op, _scaled(op, np.asarray(total), factor), *clamp(op, y))


def _scaled(op: Operator, x: IntArray, factor: npt.ArrayLike) -> IntArray:
    by = Multiplier.of(factor)
    require_int32(op, x.min(keepdims=True), x.max(keepdims=True), by)
    return twice_rounded(x, by)


def _centred(b: Builder, x: Value) -> IntArray:
    return (codes_of(b.here) - int(x.zero_point))[None]


def _tabulate(
    b: Builder, op: Operator, entries: IntArray, low: int = -128, high: int = 127
) -> None:
    zero_point = int(op.outputs[0].zero_point)
    b.tabulate(op, np.clip(entries + zero_point, low, high))


def _evaluate(b: Builder, op: Operator, f: Function, error: float) -> None:
    """Append the table of a float32 function, if no error within ``error`` changes a code."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    value = np.float32(x.scale) * _centred(b, x).astype(np.float32)
    inverse = np.float32(1) / np.float32(y.scale)
    with np.errstate(over="ignore"):
        answers = [f(value.astype(np.float64), e) for e in (-error, error)]
    low, high = (half_away(a * inverse).astype(np.int64) for a in answers)
    if np.any(low != high):
        raise UnsupportedOp(
            f"{op.name}: for the input code {int(codes_of(b.here)[np.argmax(low != high)])} the "
            "result lies so near a tie that it depends on the C library; quantize the model with "
            "another input scale."
        )
    _tabulate(b, op, low)
