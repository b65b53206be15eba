"""Integer networks for the hls4ml tests: small, but with every kind of layer and corner."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from hwgen.graph import ir
from hwgen.graph.check import check
from hwgen.graph.ranges import accumulator_bounds
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.num.inttype import frozen_array
from hwgen.num.rounding import Overflow, Rounding

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is first imported
ONE, ZERO = np.array(1.0), np.array(0.0)


def tensor(name: str, size: int, lo: int, hi: int) -> ir.Tensor:
    source = f'/net/it\'s "{name}".1'
    return ir.Tensor(name, size, min(lo, 0), max(hi, 0), ONE, ZERO, source)


def dense(name: str, x: ir.Tensor, weights: np.ndarray) -> tuple[ir.Dense, ir.Tensor]:
    low, high = accumulator_bounds(weights, x.lo, x.hi)
    y = tensor(f"{name}_out", len(weights), int(low.min()), int(high.max()))
    odd = bool(np.all(weights % 2 == 1))
    return ir.Dense(name, x.name, y.name, frozen_array(weights), odd=odd), y


def chain(name: str, tensors: list[ir.Tensor], layers: list[ir.Layer]) -> ir.Graph:
    first, last = tensors[0], tensors[-1]
    quant = Step("Quant", (ONE, ZERO), QuantSpec(first.lo, first.hi))
    graph = ir.Graph(
        name, first.name, last.name, (first.size,), (last.size,), (quant,), tuple(tensors),
        tuple(layers),
    )  # fmt: skip
    return check(graph, "the test")


@pytest.fixture(scope="session")
def wide() -> ir.Graph:
    """Signed inputs, accumulators above 2**24, 255 thresholds, both requantizers, odd weights."""
    rng = np.random.default_rng(1)
    x = tensor("codes", 12, -(1 << 15), (1 << 15) - 1)
    fc1, a = dense("fc1", x, rng.integers(-(1 << 14), 1 << 14, (9, 12)))
    assert a.hi > 1 << 24
    steps = rng.integers(a.lo, a.hi, (9, 255))
    steps[0, :2] = (1 << 24) + 1, (1 << 24) + 3  # not float32
    t1 = tensor("t1", 9, -128, 127)
    act1 = ir.Threshold("act1", a.name, "t1", frozen_array(np.sort(steps, axis=1)), -128)
    fc2, b = dense("fc2", t1, 2 * rng.integers(-4, 4, (6, 9)) + 1)
    q2 = tensor("q2", 6, -8, 7)
    act2 = ir.Requant(
        "act2", b.name, "q2", frozen_array(rng.integers(-9, 9, 6)),
        frozen_array(rng.integers(-500, 500, 6)), 9, Rounding.HALF_EVEN, -8, 7,
    )  # fmt: skip
    fc3, c = dense("fc3", q2, rng.integers(-2, 3, (5, 6)))
    q3 = tensor("q3", 5, 0, 7)
    act3 = ir.Requant(
        "act3", c.name, "q3", frozen_array([3, 5, 7, 9, -4]), frozen_array([1, 0, -3, 40, 8]), 3,
        Rounding.FLOOR, 0, 7,
    )  # fmt: skip
    fc4, d = dense("fc4", q3, rng.integers(-2, 2, (4, 5)))
    top = tensor("top", 1, 0, 3)
    fc1 = dataclasses.replace(fc1, fold=ir.Fold(simd=4, pe=3))  # hls4ml: ReuseFactor 9
    layers = [fc1, act1, fc2, act2, fc3, act3, fc4, ir.ArgMax("best", d.name, "top")]
    return chain("wide", [x, a, t1, b, q2, c, q3, d, top], layers)


@pytest.fixture(scope="session")
def binary() -> ir.Graph:
    """One-bit inputs: xnor, sign, and a plain product of bits; an output of accumulators."""
    rng = np.random.default_rng(2)
    x = tensor("codes", 32, 0, 1)
    p = tensor("popcount", 16, 0, 32)
    fc1 = ir.XnorDense("fc1", "codes", "popcount", frozen_array(rng.integers(0, 2, (16, 32))))
    s = tensor("sign", 16, 0, 1)
    steps = rng.integers(10, 22, (16, 1))
    steps[:2, 0] = -70, 90  # always and never reached: no popcount is near
    act1 = ir.Threshold("act1", "popcount", "sign", frozen_array(steps), 0)
    fc2, a = dense("fc2", s, rng.integers(-2, 2, (3, 16)))
    return chain("binary", [x, p, s, a], [fc1, act1, fc2])


@pytest.fixture(scope="session")
def modes() -> ir.Graph:
    """Requantizers with every rounding and every overflow, ties and overflows in plenty."""
    rng = np.random.default_rng(3)
    values = [tensor("codes", 3, -128, 127)]
    layers: list[ir.Layer] = []
    pairs = zip(Rounding, [*Overflow, Overflow.WRAP, Overflow.ZERO], strict=True)
    for i, (rounding, overflow) in enumerate(pairs):
        fc, a = dense(f"fc{i}", values[-1], rng.integers(-6, 7, (3, 3)))
        lo, hi = (-8, 7) if overflow is Overflow.WRAP else (-6, 7)
        y = tensor(f"q{i}", 3, lo, hi)
        m, b = (frozen_array(v) for v in (rng.integers(1, 4, 3), rng.integers(-4, 5, 3)))
        cast = ir.Requant(f"cast{i}", a.name, y.name, m, b, 3, rounding, lo, hi, overflow)
        values, layers = [*values, a, y], [*layers, fc, cast]
    return chain("modes", values, layers)
