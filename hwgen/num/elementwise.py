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
from hwgen.num.rounding import Overflow

Kind: TypeAlias = Literal[
    "Add", "Sub", "RSub", "Mul", "Div", "Neg", "Relu", "Clip", "BatchNormalization", "Quant"
]
AnyFloat: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class QuantSpec:
    """The integer grid of a quantizer: codes ``lo..hi``; ``bipolar``: the sign as 0 or 1.

    rounding  a mode of QONNX ``Quant``; of a fixed-point type; or HALF_AWAY, TFLite's
    overflow  of a rounded code beyond ``lo..hi``, as in a fixed-point type; None: values are
              clipped to ``lo..hi`` before they are rounded, as in a QONNX ``Quant``
    """

    lo: int
    hi: int
    rounding: str = "ROUND"
    bipolar: bool = False
    overflow: Overflow | None = None


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


def _nearest(tie_goes_up: Callable[[AnyFloat], AnyFloat]) -> Callable[[AnyFloat], AnyFloat]:
    def rounded(x: AnyFloat) -> AnyFloat:
        below = np.floor(x)
        rest = x - below
        return below + ((rest > 0.5) | ((rest == 0.5) & tie_goes_up(x)))

    return rounded


_ROUND: dict[str, Callable[[AnyFloat], AnyFloat]] = {
    "ROUND": np.round, "HALF_EVEN": np.round, "FLOOR": np.floor, "CEIL": np.ceil,
    "DOWN": np.trunc, "HALF_CEIL": _nearest(lambda x: x == x), "HALF_FLOOR": _nearest(lambda x: x != x),
    "HALF_AWAY": _nearest(lambda x: x > 0), "HALF_TO_ZERO": _nearest(lambda x: x < 0),
}  # fmt: skip
ROUNDING_MODES = ("ROUND", "HALF_EVEN", "FLOOR", "CEIL", "DOWN")  # those of QONNX


def evaluate(segment: Segment, x: AnyFloat) -> AnyFloat:
    """Return the real value after every step; ``x`` is (..., channels), its dtype is kept."""
    for step in segment:
        x = _apply(step, x)
    return x


def codes(segment: Segment, x: AnyFloat) -> IntArray:
    """Return the integer codes (same shape as ``x``) of a segment that ends in ``Quant``."""
    with np.errstate(over="ignore"):  # a value beyond the floats saturates like any other
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
    if quant.overflow is not None:
        return _confined(_ROUND[quant.rounding](x.astype(np.float64) / step.operands[0]), quant)
    scale, zero_point = (np.asarray(a, dtype=x.dtype) for a in step.operands)
    if quant.rounding == "HALF_AWAY":  # as TFLite: the zero point comes after the rounding
        return np.clip(half_away(x / scale) + zero_point, quant.lo, quant.hi)
    clipped = np.clip(x / scale + zero_point, quant.lo, quant.hi)
    return _ROUND[quant.rounding](clipped)


def _confined(x: AnyFloat, quant: QuantSpec) -> AnyFloat:
    """Return ``confine`` of integers in float64, which may be far beyond int64."""
    lo, hi = quant.lo, quant.hi
    match quant.overflow:
        case Overflow.WRAP:
            rest = np.mod(x, hi - lo + 1)
            return np.where(rest > hi, rest - (hi - lo + 1), rest)
        case Overflow.ZERO:
            return np.where((x < lo) | (x > hi), 0.0, x)
        case _:
            return np.clip(x, lo, hi)
