"""Elementwise per-channel functions of a float network, evaluated op by op in the source order.

A *segment* is the run of such ops between an accumulator and the next quantizer.  The host
evaluates the input segment in float32, as the QONNX executor does; the streamliner evaluates inner
segments in float64 to find the integer function that the hardware implements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import erf, expit

from hwgen.num.float_rounding import ROUND, AnyFloat
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import Overflow

Kind: TypeAlias = Literal[
    "Add", "Sub", "RSub", "Mul", "Div", "Neg", "BatchNormalization", "Relu", "Clip", "PRelu", "Elu",
    "Sigmoid", "Tanh", "Erf", "Softplus", "Quant",
]  # fmt: skip


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
    PRelu, Elu                  (slope,), (alpha,)   of the negative side
    BatchNormalization          (scale, bias, mean, variance, epsilon)
    Quant                       (scale, zero_point)   value = scale * (code - zero_point)

    Add, Sub, RSub and Mul may combine two values of the segment instead, as in ``x * sigmoid(x)``:
    ``earlier`` steps into the segment (0: its input) lies what takes the place of the constant.
    """

    kind: Kind
    operands: tuple[FloatArray, ...] = ()
    quant: QuantSpec | None = None
    source: str = ""  # name of the ONNX node, for messages
    earlier: int | None = None

    @property
    def is_affine(self) -> bool:
        """Whether the op only scales and shifts the value before it."""
        return self.kind in _AFFINE and self.earlier is None


Segment: TypeAlias = tuple[Step, ...]

_AFFINE = ("Add", "Sub", "RSub", "Mul", "Div", "Neg", "BatchNormalization")


def evaluate(segment: Segment, x: AnyFloat) -> AnyFloat:
    """Return the real value after every step; ``x`` is (..., channels), its dtype is kept."""
    values = [x]
    for step in segment:
        earlier = None if step.earlier is None else values[step.earlier]
        values.append(apply(step, values[-1], earlier))
    return values[-1]


def codes(segment: Segment, x: AnyFloat) -> IntArray:
    """Return the integer codes (same shape as ``x``) of a segment that ends in ``Quant``."""
    with np.errstate(over="ignore"):  # a value beyond the floats saturates like any other
        return _codes(segment[-1], evaluate(segment[:-1], x)).astype(np.int64)


def rebased(segment: Segment, cut: int) -> Segment:
    """Return the steps from ``cut`` on as a segment of its own; none may reach behind it."""
    return tuple(
        s if s.earlier is None else replace(s, earlier=s.earlier - cut) for s in segment[cut:]
    )


def direction(segment: Segment) -> IntArray:
    """Return +1 (non-decreasing), -1 (non-increasing) or 0 (not known to be either) per channel.

    returns  () or (channels,)
    """
    sign: IntArray = np.array(1, dtype=np.int64)
    for step in segment:
        sign = sign * _direction(step)
    return sign


def _direction(step: Step) -> IntArray:
    one: IntArray = np.array(1, dtype=np.int64)
    if step.earlier is not None:
        return 0 * one
    if step.kind in ("Mul", "Div", "BatchNormalization"):
        return np.where(step.operands[0] < 0, -1, 1)
    if step.kind in ("PRelu", "Elu"):
        return np.where(step.operands[0] < 0, 0, 1)
    return -one if step.kind in ("Neg", "RSub") else one


def apply(step: Step, x: AnyFloat, earlier: AnyFloat | None = None) -> AnyFloat:
    """Return the real value after one step; ``earlier`` replaces its constant."""
    args = [np.asarray(a, dtype=x.dtype) for a in step.operands]
    if earlier is not None:
        args = [earlier]
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
        case "PRelu":
            return np.where(x < 0, x * args[0], x)
        case "Elu":
            return np.where(x < 0, np.expm1(np.minimum(x, 0)) * args[0], x)
        case "Sigmoid":
            return expit(x)
        case "Tanh":
            return np.tanh(x)
        case "Erf":
            return erf(x)
        case "Softplus":
            return np.logaddexp(x, np.zeros_like(x))
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
        return _confined(ROUND[quant.rounding](x.astype(np.float64) / step.operands[0]), quant)
    scale, zero_point = (np.asarray(a, dtype=x.dtype) for a in step.operands)
    if quant.rounding == "HALF_AWAY":  # as TFLite: the zero point comes after the rounding
        return np.clip(ROUND["HALF_AWAY"](x / scale) + zero_point, quant.lo, quant.hi)
    clipped = np.clip(x / scale + zero_point, quant.lo, quant.hi)
    return ROUND[quant.rounding](clipped)


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
