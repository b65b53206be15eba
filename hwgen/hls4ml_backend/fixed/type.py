"""Fixed-point types as hls4ml's C++ has them: which codes, which rounding, which overflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType

from hwgen.errors import UnsupportedOp
from hwgen.num.elementwise import QuantSpec, Step, codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import Overflow, Rounding, confine, shift_round

MAX_WIDTH = 32  # bits of a type that a value is cast to: the outputs of rtl/hw_requant.sv
_ROUNDINGS = {
    "TRN": Rounding.FLOOR, "RND": Rounding.FLOOR, "RND_MIN_INF": Rounding.FLOOR,
    "TRN_ZERO": Rounding.ZERO, "RND_ZERO": Rounding.HALF_TO_ZERO, "RND_INF": Rounding.HALF_AWAY,
    "RND_CONV": Rounding.HALF_EVEN,
}  # fmt: skip
_OF_REALS = {  # the same roundings in hwgen.num.elementwise
    "TRN": "FLOOR", "RND": "HALF_CEIL", "RND_MIN_INF": "HALF_FLOOR", "TRN_ZERO": "DOWN",
    "RND_ZERO": "HALF_TO_ZERO", "RND_INF": "HALF_AWAY", "RND_CONV": "ROUND",
}  # fmt: skip
_OVERFLOWS = {
    "WRAP": Overflow.WRAP, "SAT": Overflow.SATURATE, "SAT_SYM": Overflow.SATURATE,
    "SAT_ZERO": Overflow.ZERO,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FixedType:
    """``ap_[u]fixed<width, width - fraction, AP_<mode>, AP_<saturation>>``.

    Code ``q`` stands for ``q * 2**-fraction``.
    """

    width: int
    fraction: int
    signed: bool
    mode: str = "TRN"
    saturation: str = "WRAP"

    @property
    def lo(self) -> int:
        """Smallest code."""
        return (-self.hi if self.saturation == "SAT_SYM" else -self.hi - 1) if self.signed else 0

    @property
    def hi(self) -> int:
        """Largest code."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def overflow(self) -> Overflow:
        """What becomes of a code beyond ``lo..hi``."""
        return _OVERFLOWS[self.saturation]

    @property
    def rounding(self) -> Rounding:
        """How a shift rounds, after ``addend``."""
        return _ROUNDINGS[self.mode]

    def addend(self, shift: int) -> int:
        """Return what is added before a right shift by ``shift``."""
        if self.mode == "RND":
            return (1 << shift) // 2
        return max((1 << shift) // 2 - 1, 0) if self.mode == "RND_MIN_INF" else 0

    @property
    def step(self) -> Step:
        """The quantizer that casts real values to this type."""
        spec = QuantSpec(self.lo, self.hi, _OF_REALS[self.mode], overflow=self.overflow)
        return Step("Quant", (np.array(2.0**-self.fraction), np.array(0.0)), spec)

    def codes(self, values: FloatArray) -> IntArray:
        """Return the codes of real values, cast as C++ casts a double."""
        return codes((self.step,), np.asarray(values, dtype=np.float64))

    def convert(self, codes: IntArray, fraction: int | IntArray) -> IntArray:
        """Return the codes of values ``codes * 2**-fraction``, cast as C++ casts them."""
        drop = np.broadcast_to(np.asarray(fraction) - self.fraction, codes.shape)
        rounded = codes << np.maximum(-drop, 0)
        for bits in np.unique(drop[drop > 0]):
            here = drop == bits
            shifted = codes[here] + self.addend(int(bits))
            rounded[here] = shift_round(shifted, int(bits), self.rounding)
        return confine(rounded, self.lo, self.hi, self.overflow)

    def __str__(self) -> str:
        name = f"{'' if self.signed else 'u'}fixed<{self.width},{self.width - self.fraction}"
        return f"{name},{self.mode},{self.saturation}>"


def fixed_type(precision: Any, where: str) -> FixedType:
    """Return an hls4ml precision as a fixed-point type.

    raises  UnsupportedOp  for a type of another kind
    """
    if isinstance(
        precision, IntegerPrecisionType
    ):  # C++ casts a fixed-point value to an integer like a float
        return _checked(FixedType(precision.width, 0, precision.signed, "TRN_ZERO"), where)
    if not isinstance(precision, FixedPrecisionType):
        raise UnsupportedOp(
            f"{where}: {precision} is a {_kind(precision)} type; hwgen takes fixed<W,I>, "
            "ufixed<W,I> and int<W> from hls4ml. Set the layer's Precision to one of these (in "
            "QKeras: alpha=1)."
        )
    if precision.saturation_bits:
        raise UnsupportedOp(
            f"{where}: type {precision} wraps with {precision.saturation_bits} saturation bits; "
            "leave them out: fixed<W,I,rounding,saturation>."
        )
    return _checked(
        FixedType(precision.width, precision.width - precision.integer, bool(precision.signed),
                  precision.rounding_mode.name, precision.saturation_mode.name),
        where,
    )  # fmt: skip


def _kind(precision: Any) -> str:
    names = {"Exponent": "power of two", "Xnor": "binary", "Float": "float"}
    kinds = [cls.__name__ for cls in type(precision).__mro__]
    return next((n for key, n in names.items() if any(key in k for k in kinds)), "not fixed-point")


def _checked(t: FixedType, where: str) -> FixedType:
    if t.saturation == "SAT_SYM" and t.signed and t.width == 1:
        raise UnsupportedOp(
            f"{where}: type {t} has one code, -1 or 0, as the C++ has it; use two bits or more."
        )
    return t


def weight_codes(variable: Any, where: str) -> tuple[IntArray, FixedType]:
    """Return the codes of an hls4ml weight variable, and their type.

    hls4ml prints each weight in decimal, with as many places as its type has fractional bits, and
    its C++ reads that text: the rounding of the text is part of the value.
    """
    t = fixed_type(variable.type.precision, where)
    places = variable.precision_fmt
    printed = [float(places.format(v)) for v in np.ravel(variable.data)]
    return t.codes(np.array(printed).reshape(np.shape(variable.data))), t
