"""Which kernels of the interpreter agree with its reference ones: the table of docs/tflite.md."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import OpResolverType
from tflite_models import FLOAT, Chain, interpret
from tflite_random import quant

OPTIMIZED, DEFAULT = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO
CHANNELS = 256


def near_ties(rng: np.random.Generator, scale: float) -> np.ndarray:
    return np.rint((rng.integers(-120, 120, CHANNELS) + 0.5) / scale).astype(np.int64)


def conv(rng: np.random.Generator) -> Chain:
    scale = rng.choice([10 ** rng.uniform(-4, -1), 2.0**-5])  # the second: exact ties
    chain = Chain((2, 2, 1), (np.float32(1), 0))
    weights = rng.integers(-1, 2, (CHANNELS, 1, 1, 1))
    return chain.conv(weights, near_ties(rng, scale), scale, (np.float32(1), 0))


def depthwise(rng: np.random.Generator) -> Chain:
    scale = rng.choice([10 ** rng.uniform(-4, -1), 2.0**-5])  # the second: exact ties
    chain = Chain((2, 2, 1), (np.float32(1), 0))
    weights = rng.integers(-1, 2, (1, 1, CHANNELS))
    return chain.depthwise(weights, near_ties(rng, scale), scale, (np.float32(1), 0))


def dense(rng: np.random.Generator) -> Chain:
    scale = rng.choice([10 ** rng.uniform(-4, -1), 2.0**-5])  # the second: exact ties
    chain = Chain((4,), (np.float32(1), 0))
    weights = rng.integers(-1, 2, (CHANNELS, 4))
    return chain.dense(weights, near_ties(rng, scale), scale, (np.float32(1), 0))


def elementwise(op: str) -> Callable[[np.random.Generator], Chain]:
    def make(rng: np.random.Generator) -> Chain:
        return Chain((64,), quant(rng)).elementwise(op, quant(rng), 0.3)

    return make


def add(rng: np.random.Generator) -> Chain:
    return Chain((2, 2, 8), quant(rng)).add(rng.integers(-128, 128, 8), quant(rng), quant(rng))


def quantize_float(rng: np.random.Generator) -> Chain:
    chain = Chain((64,), (np.float32(1), 0), FLOAT)
    return chain.op("QUANTIZE", [], (64,), (np.float32(2.0), 3), schema.QuantizeOptionsT())


def mean(rng: np.random.Generator) -> Chain:
    return Chain((4, 4, 16), quant(rng)).mean(quant(rng), True)


CASES = {
    "CONV_2D": (conv, True, True),
    "DEPTHWISE_CONV_2D": (depthwise, True, True),
    "FULLY_CONNECTED": (dense, True, True),
    "AVERAGE_POOL_2D": (lambda rng: Chain((4, 4, 16), quant(rng)).pool((2, 2)), False, False),
    "MAX_POOL_2D": (
        lambda rng: Chain((4, 4, 16), quant(rng)).pool((2, 2), op="MAX_POOL_2D"),
        False,
        False,
    ),
    "MEAN": (mean, True, True),
    "ADD": (add, False, False),
    "RELU": (elementwise("RELU"), False, False),
    "LEAKY_RELU": (elementwise("LEAKY_RELU"), False, True),
    "LOGISTIC": (elementwise("LOGISTIC"), False, False),
    "TANH": (elementwise("TANH"), False, False),
    "QUANTIZE int8": (elementwise("QUANTIZE"), False, True),
    "QUANTIZE float32": (quantize_float, True, True),
    "SOFTMAX": (lambda rng: Chain((16,), quant(rng)).softmax(), False, False),
}


@pytest.mark.parametrize("op", CASES)
def test_kernels(op):
    make, optimized, default = CASES[op]
    differing, most = {OPTIMIZED: 0, DEFAULT: 0}, {OPTIMIZED: 0, DEFAULT: 0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        chain = make(rng)
        x = rng.integers(-128, 128, (12, *chain.tensors[0].shape[1:]))
        (reference,) = interpret(chain.content(), x).values()
        for resolver in differing:
            (other,) = interpret(chain.content(), x, resolver).values()
            away = np.abs(other.astype(int) - reference)
            differing[resolver] += np.count_nonzero(away)
            most[resolver] = max(most[resolver], away.max())
    assert (differing[OPTIMIZED] > 0, differing[DEFAULT] > 0) == (optimized, default)
    assert max(most.values()) <= 1
