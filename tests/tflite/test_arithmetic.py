"""TFLite's requantizer, against the interpreter itself: no reading of its source is trusted."""

from fractions import Fraction

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from tflite_compare import compared
from tflite_models import Chain, interpret

from hwgen.num.float_rounding import half_away
from hwgen.tflite.arithmetic import (
    INT32,
    Multiplier,
    activation_range,
    by_double,
    by_fixed_point,
    rounded_quotient,
)

CHANNELS = 2048


def closed(kind: str, sums: np.ndarray, scales: np.ndarray, q_in, q_out) -> np.ndarray:
    """Return the interpreter's code for each sum, which is the bias of a channel of its own."""
    shape = {"conv": (1, 1, 1), "depthwise": (1, 1, 1), "dense": (1,)}[kind]
    chain, n = Chain(shape, q_in), len(sums)
    if len(np.unique(scales)) == 1:
        scales = scales[:1]
    if kind == "conv":
        chain.conv(np.zeros((n, 1, 1, 1)), sums, scales, q_out)
    elif kind == "depthwise":
        chain.depthwise(np.zeros((1, 1, n)), sums, scales, q_out)
    else:
        chain.dense(np.zeros((n, 1)), sums, scales, q_out)
    (codes,) = interpret(chain.content(), np.zeros((1, 1))).values()
    return codes[0]


def expected(kind: str, sums: np.ndarray, scales: np.ndarray, q_in, q_out) -> np.ndarray:
    factor = np.float64(q_in[0]) * scales.astype(np.float64) / np.float64(q_out[0])
    multiply = by_double if kind == "dense" else by_fixed_point
    return np.clip(multiply(sums, factor) + q_out[1], -128, 127)


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense"])
@pytest.mark.parametrize("seed", range(12))
def test_requantizer_near_every_step_and_tie(kind, seed):
    rng = np.random.default_rng(seed)
    q_in = np.float32(rng.uniform(0.01, 0.1)), 0
    q_out = np.float32(rng.uniform(0.01, 0.1)), int(rng.integers(-128, 128))
    scales = (10.0 ** rng.uniform(-6, 0, CHANNELS)).astype(np.float32)
    if seed % 4 == 1:  # one scale for all: another path in the interpreter
        scales = np.broadcast_to(scales[:1], CHANNELS)
    if seed % 3 == 0:  # powers of two: exact ties
        scales = np.float32(2.0) ** rng.integers(-18, -1, CHANNELS).astype(np.float32)
        q_in, q_out = (np.float32(0.5), 0), (np.float32(0.25), q_out[1])
    factor = np.float64(q_in[0]) * scales / np.float64(q_out[0])
    levels = rng.integers(-200, 201, CHANNELS) + rng.choice([0, 0.5], CHANNELS)
    sums = np.rint(levels / factor).astype(np.int64) + rng.integers(-2, 3, CHANNELS)
    sums = np.clip(sums, INT32[0] // 4, INT32[1] // 4)
    answer = closed(kind, sums, scales, q_in, q_out)
    assert np.array_equal(answer, expected(kind, sums, scales, q_in, q_out))


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense"])
def test_requantizer_at_the_ends_of_int32(kind):
    factors = 2.0 ** np.arange(-33, 0)
    corners = [INT32[0], INT32[0] + 1, -(1 << 30), -1, 0, 1, (1 << 30) - 1, 1 << 30, INT32[1]]
    sums = np.tile(corners, len(factors))
    scales = np.repeat(factors, len(corners)) * np.random.default_rng(1).uniform(1, 2, len(sums))
    q_in, q_out, scales = (np.float32(1), 0), (np.float32(1), -7), scales.astype(np.float32)
    answer = closed(kind, sums, scales, q_in, q_out)
    assert np.array_equal(answer, expected(kind, sums, scales, q_in, q_out))


def test_fully_connected_layers_divide_before_they_multiply():
    """Sums whose product is a tie or not, by the order in which float64 operations round."""
    rng = np.random.default_rng(4)
    odd, differing = np.arange(-253, 254, 2), 0
    for _ in range(400):
        a, b, d = (int(n) for n in rng.integers(1, (9, 9, 200)))
        factor = Fraction(2 * a + 1, 4 * d) * Fraction(b, 64)  # of s_in, s_w and s_out
        q_in, scale, q_out = (a + 0.5, 0), np.float32(b / 64), (2.0 * d, 0)
        if factor.denominator % 2 or factor.numerator % 2 == 0:
            continue
        sums = odd * (factor.denominator // 2)
        sums = sums[np.abs(sums * float(factor)) < 127]
        scales = np.full(len(sums), scale)
        ours = expected("dense", sums, scales, q_in, q_out)
        other = half_away(sums * (q_in[0] * float(scale)) / q_out[0])
        if len(sums) and (ours != other).any():
            differing += 1
            assert np.array_equal(closed("dense", sums, scales, q_in, q_out), ours)
    assert differing > 5


def test_requantizer_on_every_accumulator_of_a_range():
    """A picture of all pairs of codes: every sum 127 a + b, through the lowered layers too."""
    pairs = np.stack(np.meshgrid(*2 * [np.arange(-128, 128)], indexing="ij"), axis=-1)
    rng = np.random.default_rng(2)
    weights = np.tile([127, 1], (16, 1)).reshape(16, 1, 1, 2)
    scales = (2.0 ** rng.uniform(-12, -5, 16)).astype(np.float32)
    bias = rng.integers(-5000, 5001, 16)
    chain = Chain((256, 256, 2), (np.float32(0.7), 5)).conv(weights, bias, scales, (0.9, 11))
    assert compared(chain.content(), pairs.reshape(1, -1)) == 16 << 16
    chain = Chain((256, 256, 2), (np.float32(0.7), 5))
    chain.dense(weights.reshape(16, 2), bias, scales, (0.9, 11), keep=True)
    assert compared(chain.content(), pairs.reshape(1, -1)) == 16 << 16


def test_the_two_roundings_differ_and_neither_is_that_of_the_default_kernels():
    """Why the yardstick is named: the kernels of one interpreter do not agree with each other."""
    rng = np.random.default_rng(3)
    scales = (10.0 ** rng.uniform(-5, -1, CHANNELS)).astype(np.float32)
    sums = np.rint((rng.integers(-100, 100, CHANNELS) + 0.5) / scales).astype(np.int64)
    q = np.float32(1), 0
    once, twice = (expected(kind, sums, scales, q, q) for kind in ("dense", "conv"))
    assert (once != twice).any()
    chain = Chain((1, 1, 1), q).conv(np.zeros((CHANNELS, 1, 1, 1)), sums, scales, q)
    for resolver in (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO):
        (codes,) = interpret(chain.content(), np.zeros((1, 1)), resolver).values()
        assert 0 < np.abs(codes[0] - twice).max() <= 1


def test_small_functions():
    x = np.array([-2.5, -1.5, -0.5, -0.49999997, 0.49999997, 0.5, 1.5, np.inf], dtype=np.float32)
    assert half_away(x).tolist() == [-3, -2, -1, 0, 0, 1, 2, np.inf]
    assert rounded_quotient(np.array([-7, -6, -5, 5, 6, 7]), 4).tolist() == [-2, -2, -1, 1, 2, 2]
    assert activation_range("RELU6", 0.05, -128) == (-128, -8)
    assert activation_range("RELU_N1_TO_1", 1e-30, 3) == (-128, 127)
    assert Multiplier.of(0.0).mantissa == 0
    assert Multiplier.of(2.0**-40).mantissa == 0
    almost = Multiplier.of(1 - 2.0**-40)
    assert (almost.mantissa, almost.shift) == (1 << 30, 1)
