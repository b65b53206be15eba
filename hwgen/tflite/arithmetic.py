"""TFLite's integer arithmetic, as its reference kernels compute it.

A real factor is a *quantized multiplier*: ``mantissa * 2**(shift - 31)`` with 31 bits of mantissa,
and a product with it is rounded twice.  Fully connected layers alone multiply in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwgen.num.float_rounding import half_away
from hwgen.num.inttype import FloatArray, IntArray, frozen_array

_FAR = 1 << 24  # beyond every code
INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Multiplier:
    """The factors ``mantissa * 2**(shift - 31)``, each an int64 array of any shape."""

    mantissa: IntArray
    shift: IntArray

    @classmethod
    def of(cls, factor: npt.ArrayLike) -> Multiplier:
        """Return the nearest multipliers of non-negative factors; below 2**-32 they are 0."""
        fraction, exponent = np.frexp(np.asarray(factor, dtype=np.float64))
        mantissa = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
        carry = mantissa == 1 << 31
        mantissa, shift = np.where(carry, 1 << 30, mantissa), exponent + carry
        seen = shift >= -31
        return cls(frozen_array(mantissa * seen), frozen_array(shift * seen))

    @property
    def real(self) -> FloatArray:
        """The factors, exactly."""
        return np.ldexp(self.mantissa.astype(np.float64), (self.shift - 31).astype(np.int32))


def twice_rounded(x: IntArray, by: Multiplier) -> IntArray:
    """Return ``x * by`` rounded to 31 fractional bits fewer (half up), then shifted (half away).

    x  int32 values, and ``x << by.shift`` too where the shift is positive
    """
    left, right = np.maximum(by.shift, 0), np.maximum(-by.shift, 0)
    high = ((x << left) * by.mantissa + (1 << 30)) >> 31
    mask = (np.int64(1) << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def by_fixed_point(x: IntArray, factor: FloatArray) -> IntArray:
    """Return what convolutions make of ``x``: a product with the quantized multiplier."""
    return twice_rounded(x, Multiplier.of(factor))


def by_double(x: IntArray, factor: FloatArray) -> IntArray:
    """Return what fully connected layers make of ``x``: a float64 product, half away from zero."""
    return half_away(x * factor).astype(np.int64)


def mean_multiplier(factor: float, n: int) -> Multiplier:
    """Return TFLite's multiplier for ``factor / n``: the mantissa divided in 32 bits, floored."""
    by = Multiplier.of(factor)
    spare = min(n.bit_length() - 1, 31 + int(by.shift))
    return Multiplier((by.mantissa << spare) // n, by.shift - spare)


def rounded_quotient(x: IntArray, n: int) -> IntArray:
    """Return ``x / n`` rounded to integers, ties away from zero."""
    return np.sign(x) * ((np.abs(x) + n // 2) // n)


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """Return the codes that a fused activation clamps int8 outputs to.

    raises  KeyError  for an activation that is not a clamp
    """
    with np.errstate(over="ignore"):
        bounds = half_away(np.array(_CLAMPS[activation], dtype=np.float32) / np.float32(scale))
    low, high = (int(q) + zero_point for q in np.clip(bounds, -_FAR, _FAR))
    return max(-128, low), min(127, high)


_CLAMPS = {
    "NONE": (-np.inf, np.inf),
    "RELU": (0.0, np.inf),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}
ACTIVATIONS = tuple(_CLAMPS)
