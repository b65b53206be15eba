from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwgen.num.elementwise import QuantSpec, Step, codes, direction, evaluate
from hwgen.num.inttype import IntType
from hwgen.num.rounding import Rounding, shift_round

int48 = st.integers(-(2**48), 2**48)


@given(int48, int48)
def test_of_range_is_the_narrowest_type_that_holds_both_ends(a, b):
    lo, hi = min(a, b), max(a, b)
    t = IntType.of_range(lo, hi)
    assert t.min <= lo
    assert hi <= t.max
    if t.bits > 1:
        narrower = IntType(t.bits - 1, t.signed)
        assert lo < narrower.min or hi > narrower.max


@given(int48, st.integers(0, 40))
def test_half_even_is_pythons_round_of_the_exact_fraction(value, shift):
    got = shift_round(np.array([value]), shift, Rounding.HALF_EVEN)[0]
    assert got == round(Fraction(value, 1 << shift))


@given(int48, st.integers(0, 40))
def test_floor_is_floor_division(value, shift):
    assert shift_round(np.array([value]), shift, Rounding.FLOOR)[0] == value // (1 << shift)


def test_codes_clip_before_rounding_and_keep_the_zero_point():
    spec = QuantSpec(0, 15)
    segment = (Step("Quant", (np.array(0.5), np.array(3.0)), spec),)
    x = np.array([[-9.0, -1.5, 0.0, 0.25, 0.75, 99.0]])
    np.testing.assert_array_equal(codes(segment, x), [[0, 0, 3, 4, 4, 15]])
    np.testing.assert_array_equal(evaluate(segment, x), [[-1.5, -1.5, 0, 0.5, 0.5, 6]])


def test_direction_is_the_product_of_the_signs_of_the_gains():
    gain = np.array([1.0, -2.0])
    segment = (Step("Mul", (gain,)), Step("Relu"), Step("Neg"), Step("RSub", (gain,)))
    np.testing.assert_array_equal(direction(segment), [1, -1])
