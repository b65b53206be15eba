"""Random chains of int8 layers: shapes, strides, paddings, scales per axis, zero points, clamps."""

from __future__ import annotations

import numpy as np
from tflite_models import Chain, Quant

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
ELEMENTWISE = ("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "LOGISTIC", "TANH", "QUANTIZE")


def random_chain(seed: int) -> Chain:
    """Return a chain of one to four layers on an image, then perhaps fully connected ones."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in (*rng.integers(3, 9, 2), rng.integers(1, 5)))
    chain = Chain(shape, quant(rng))
    steps = (convolve, convolve, depthwise, depthwise, pool, max_pool, elementwise, add, pad)
    for _ in range(rng.integers(1, 5)):
        if rng.random() < 0.2:
            elementwise(chain, rng)
        rng.choice(np.array(steps, dtype=object))(chain, rng)
    if rng.random() < 0.5:
        if rng.random() < 0.5:
            chain.mean(quant(rng, float(chain.quant[0]) * 10 ** rng.uniform(-1, 0.5)), False)
        chain.reshape(int(np.prod(chain.shape)))
        for _ in range(rng.integers(1, 3)):
            dense(chain, rng)
    if rng.random() < 0.3:
        chain.softmax()
    return chain


def quant(rng: np.random.Generator, scale: float | None = None) -> Quant:
    scale = 10 ** rng.uniform(-2, -1) if scale is None else scale
    return np.float32(scale), int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))


def convolve(chain: Chain, rng: np.random.Generator) -> None:
    kernel, options = _geometry(chain, rng)
    weights = _weights(rng, (int(rng.integers(1, 6)), *kernel, chain.shape[-1]))
    bias, scales, out = _requantizer(chain, rng, weights.reshape(len(weights), -1), biased=True)
    chain.conv(weights, bias, scales, out, **options)


def depthwise(chain: Chain, rng: np.random.Generator, padding: str | None = None) -> None:
    kernel, options = _geometry(chain, rng, padding)
    channels = chain.shape[-1] * int(rng.choice([1, 1, 1, 2]))
    weights = _weights(rng, (*kernel, channels))
    bias, scales, out = _requantizer(chain, rng, weights.reshape(-1, channels).T)
    chain.depthwise(weights, bias, scales, out, **options)


def dense(chain: Chain, rng: np.random.Generator) -> None:
    weights = _weights(rng, (int(rng.integers(1, 7)), chain.shape[-1]))
    bias, scales, out = _requantizer(chain, rng, weights)
    chain.dense(weights, bias, scales, out, str(rng.choice(ACTIVATIONS)))


def pool(chain: Chain, rng: np.random.Generator) -> None:
    kernel = tuple(int(rng.integers(1, n + 1)) for n in chain.shape[:2])
    stride = tuple(int(n) for n in rng.integers(1, 3, 2))
    chain.pool(kernel, stride, "VALID", str(rng.choice(ACTIVATIONS)))


def max_pool(chain: Chain, rng: np.random.Generator) -> None:
    kernel = tuple(int(rng.integers(1, n + 1)) for n in chain.shape[:2])
    stride, padding = (
        tuple(int(n) for n in rng.integers(1, 3, 2)),
        str(rng.choice(["SAME", "VALID"])),
    )
    chain.pool(kernel, stride, padding, str(rng.choice(ACTIVATIONS)), "MAX_POOL_2D")


def pad(chain: Chain, rng: np.random.Generator) -> None:
    sides = [tuple(int(k) for k in rng.integers(0, min(n, 3), 2)) for n in chain.shape[:2]]
    chain.pad(*sides, (0, 0))
    pool(chain, rng) if rng.random() < 0.5 else depthwise(chain, rng, "VALID")


def add(chain: Chain, rng: np.random.Generator) -> None:
    shape = (chain.shape[-1],) if rng.random() < 0.5 else (1,)
    constant = rng.integers(-128, 128, shape)
    chain.add(constant, quant(rng), quant(rng), str(rng.choice(ACTIVATIONS)))


def elementwise(chain: Chain, rng: np.random.Generator) -> None:
    chain.elementwise(str(rng.choice(ELEMENTWISE)), quant(rng), alpha=float(rng.uniform(0, 1)))


def _geometry(
    chain: Chain, rng: np.random.Generator, padding: str | None = None
) -> tuple[tuple[int, ...], dict]:
    padding = padding or str(rng.choice(["SAME", "VALID"]))
    most = [5 if padding == "SAME" else min(n, 4) for n in chain.shape[:2]]
    kernel = tuple(int(rng.integers(1, k + 1)) for k in most)
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    dilation = tuple(
        int(rng.integers(1, max(1, (n - 1) // max(k - 1, 1)) + 1)) if k > 1 else 1
        for n, k in zip(chain.shape, kernel, strict=False)
    )
    if min(stride) > 1:  # TFLite knows one or the other
        dilation = (1, 1)
    options = dict(padding=padding, stride=stride, dilation=dilation)
    return kernel, options | dict(activation=str(rng.choice(ACTIVATIONS)))


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    low = int(rng.choice([-128, -127, -8, 0]))
    return rng.integers(low, 128, shape)


def _requantizer(
    chain: Chain, rng: np.random.Generator, weights: np.ndarray, biased: bool = False
) -> tuple[np.ndarray | None, np.ndarray, Quant]:
    """Return bias, weight scales and the output's quantization, so that the codes spread."""
    rows, terms = weights.shape
    spread = 60 * np.abs(weights).mean() * np.sqrt(terms) + 1
    scales = 10 ** rng.uniform(-0.7, 0.7, rows if rng.random() < 0.7 else 1) / spread
    scale = max(float(chain.quant[0]) * 10 ** rng.uniform(-2, 0), 1e-6)
    bias = rng.integers(-100, 101, rows) * int(spread // 20)
    if not biased and rng.random() < 0.2:
        bias = None
    return bias, scales.astype(np.float32), quant(rng, scale)
