"""Elementwise per-channel functions of a float network, evaluated op by op in the source order.

A *segment* is the run of such ops between an accumulator and the next quantizer.  The host
evaluates the input segment in float32, as the QONNX executor does; the streamliner evaluates inner
segments in float64 to find the integer function that the hardware implements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.num.inttype import FloatArray, IntArray

Kind: TypeAlias = Literal[
    "Add", "Sub", "RSub", "Mul", "Div", "Neg", "Relu", "Clip", "BatchNormalization", "Quant"
]
AnyFloat: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class QuantSpec:
    """The integer grid of a quantizer: codes ``lo..hi``; ``bipolar``: the sign as 0 or 1.

    rounding  a mode of QONNX ``Quant``, or HALF_AWAY, TFLite's
    """

    lo: int
    hi: int
    rounding: str = "ROUND"
    bipolar: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One op; ``operands`` have shape () or (channels,).

    Add, Sub, RSub, Mul, Div    (constant,)   RSub is ``constant - x``
    Clip                        (low, high)
    BatchNormalization          (scale, bias, mean, variance, epsilon)
    Quant                       (scale, zero_point)   value = scale * (code - zero_point)
    """

    kind: Kind
    operands: tuple[FloatArray, ...] = ()
    quant: QuantSpec | None = None
    source: str = ""  # name of the ONNX node, for messages


Segment: TypeAlias = tuple[Step, ...]

_ROUND: dict[str, Callable[[AnyFloat], AnyFloat]] = {
    "ROUND": np.round, "HALF_EVEN": np.round, "FLOOR": np.floor, "CEIL": np.ceil,
    "DOWN": np.trunc,
}  # fmt: skip
ROUNDING_MODES = tuple(_ROUND)


def evaluate(segment: Segment, x: AnyFloat) -> AnyFloat:
    """Return the real value after every step; ``x`` is (..., channels), its dtype is kept."""
    for step in segment:
        x = _apply(step, x)
    return x


def codes(segment: Segment, x: AnyFloat) -> IntArray:
    """Return the integer codes (same shape as ``x``) of a segment that ends in ``Quant``."""
    return _codes(segment[-1], evaluate(segment[:-1], x)).astype(np.int64)


def half_away(x: AnyFloat) -> AnyFloat:
    """Return ``x`` rounded to integers, ties away from zero, in its own float type."""
    fraction, whole = np.modf(x)  # of infinity: 0
    return np.where(np.abs(fraction) >= 0.5, whole + np.sign(x), whole)


def direction(segment: Segment) -> IntArray:
    """Return +1 (non-decreasing) or -1 (non-increasing) per channel; shape () or (channels,)."""
    sign: IntArray = np.array(1, dtype=np.int64)
    for step in segment:
        if step.kind in ("Mul", "Div", "BatchNormalization"):
            sign = sign * np.where(step.operands[0] < 0, -1, 1)
        elif step.kind in ("Neg", "RSub"):
            sign = -sign
    return sign


def _apply(step: Step, x: AnyFloat) -> AnyFloat:
    args = [np.asarray(a, dtype=x.dtype) for a in step.operands]
    match step.kind:
        case "Add":
            return x + args[0]
        case "Sub":
            return x - args[0]
        case "RSub":
            return args[0] - x
        case "Mul":
            return x * args[0]
        case "Div":
            return x / args[0]
        case "Neg":
            return -x
        case "Relu":
            return np.maximum(x, 0)
        case "Clip":
            return np.clip(x, args[0], args[1])
        case "BatchNormalization":
            scale, bias, mean, variance, epsilon = args
            return (x - mean) / np.sqrt(variance + epsilon) * scale + bias
        case "Quant":
            return (_codes(step, x) - args[1]) * args[0]


def _codes(step: Step, x: AnyFloat) -> AnyFloat:
    quant = step.quant
    assert quant is not None, "codes() needs a segment that ends in Quant"
    if quant.bipolar:
        return (x >= 0).astype(x.dtype)
    scale, zero_point = (np.asarray(a, dtype=x.dtype) for a in step.operands)
    if quant.rounding == "HALF_AWAY":  # as TFLite: the zero point comes after the rounding
        return np.clip(half_away(x / scale) + zero_point, quant.lo, quant.hi)
    clipped = np.clip(x / scale + zero_point, quant.lo, quant.hi)
    return _ROUND[quant.rounding](clipped)
