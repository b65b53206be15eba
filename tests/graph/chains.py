"""Random legal integer graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from hwgen.graph.check import check
from hwgen.graph.ir import (
    Add,
    ArgMax,
    Concat,
    Dense,
    Graph,
    Layer,
    Requant,
    Tensor,
    Threshold,
    XnorDense,
)
from hwgen.graph.ranges import accumulator_bounds, sum_bounds
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.num.rounding import Rounding

_ONE = np.array(1.0)
_ZERO = np.array(0.0)


def tensor(name: str, size: int, lo: int, hi: int) -> Tensor:
    return Tensor(name, size, min(lo, 0), max(hi, 0), _ONE, _ZERO, name)


def random_graph(
    rng: np.random.Generator, sizes=(12, 8, 6, 4), kinds=("threshold", "requant"), x=(-8, 7),
    weights=(-3, 3), argmax=False, binary=False,
) -> Graph:  # fmt: skip
    """Dense layers of ``sizes``; each but the last is closed by the next of ``kinds``, in turn."""
    lo, hi = (0, 1) if binary else x
    tensors, layers = [tensor("codes", sizes[0], lo, hi)], []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        here = tensors[-1]
        if binary:
            bits = rng.integers(0, 2, (fan_out, fan_in))
            acc = tensor(f"fc{i}_out", fan_out, 0, fan_in)
            layers.append(XnorDense(f"fc{i}", here.name, acc.name, bits))
        else:
            w = rng.integers(weights[0], weights[1] + 1, (fan_out, fan_in))
            w = 2 * w + 1 if i == 1 else w
            low, high = accumulator_bounds(w, here.lo, here.hi)
            acc = tensor(f"fc{i}_out", fan_out, int(low.min()), int(high.max()))
            layers.append(Dense(f"fc{i}", here.name, acc.name, w, odd=i == 1))
        tensors.append(acc)
        if i == len(sizes) - 2:
            break
        close = _threshold if kinds[i % len(kinds)] == "threshold" or binary else _requant
        layer, y = close(rng, f"act{i}", acc, levels=1 if binary else 7)
        layers.append(layer)
        tensors.append(y)
    if argmax:
        tensors.append(tensor("class_out", 1, 0, sizes[-1] - 1))
        layers.append(ArgMax("class", tensors[-2].name, "class_out"))
    encoder = (Step("Quant", (_ONE, _ZERO), QuantSpec(lo, hi)),)
    out = tensors[-1]
    graph = Graph(
        "net", "codes", out.name, (sizes[0],), (out.size,), encoder, tuple(tensors), tuple(layers)
    )
    return check(graph, "random_graph")


def _threshold(rng, name, acc, levels):
    steps = np.sort(rng.integers(acc.lo, acc.hi + 2, (acc.size, levels)), axis=1)
    return Threshold(name, acc.name, f"{name}_out", steps, 0), tensor(
        f"{name}_out", acc.size, 0, levels
    )


def _requant(rng, name, acc, levels):
    y = tensor(f"{name}_out", acc.size, -16, 15)
    rounding = Rounding.HALF_EVEN if rng.integers(2) else Rounding.FLOOR
    m, b = rng.integers(0, 30, acc.size), rng.integers(-99, 100, acc.size)
    return Requant(name, acc.name, y.name, m, b, 6, rounding, -16, 15), y


def random_codes(rng, graph: Graph, samples: int) -> np.ndarray:
    entry = graph.tensor(graph.input)
    x = rng.integers(entry.lo, entry.hi + 1, (samples, entry.size))
    x[0], x[1] = entry.lo, entry.hi
    return x


@dataclass
class Net:
    """Grow a graph of dense layers and thresholds; each step returns its output's name."""

    size: int
    seed: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.tensor("x", self.size, -4, 3)

    def tensor(self, name: str, size: int, lo: int, hi: int) -> str:
        self.tensors[name] = tensor(name, size, lo, hi)
        return name

    def dense(self, name: str, x: str, out: int) -> str:
        about = self.tensors[x]
        weights = self.rng.integers(-3, 4, (out, about.size))
        low, high = accumulator_bounds(weights, about.lo, about.hi)
        y = self.tensor(f"{name}_out", out, int(low.min()), int(high.max()))
        self.layers.append(Dense(name, x, y, weights))
        return y

    def threshold(self, name: str, x: str) -> str:
        about = self.tensors[x]
        steps = np.sort(self.rng.integers(about.lo, about.hi + 1, (about.size, 7)), axis=1)
        y = self.tensor(f"{name}_out", about.size, 0, 7)
        self.layers.append(Threshold(name, x, y, steps, 0))
        return y

    def add(self, name: str, x: str, other: str) -> str:
        low, high = sum_bounds((1, 2), self.tensors[x], self.tensors[other])
        y = self.tensor(f"{name}_out", self.tensors[x].size, low, high)
        self.layers.append(Add(name, x, other, y, (1, 2)))
        return y

    def concat(self, name: str, x: str, other: str) -> str:
        size = self.tensors[x].size + self.tensors[other].size
        y = self.tensor(f"{name}_out", size, 0, 7)
        self.layers.append(Concat(name, x, other, y))
        return y

    def graph(self) -> Graph:
        y = self.layers[-1].y
        encoder = (Step("Quant", (_ONE, _ZERO), QuantSpec(-4, 3)),)
        shapes = (self.size,), (self.tensors[y].size,)
        tensors, layers = tuple(self.tensors.values()), tuple(self.layers)
        return check(Graph("net", "x", y, *shapes, encoder, tensors, layers), "Net")
