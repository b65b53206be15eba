"""How many cycles each layer takes per frame at its folding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, prod

from hwgen.errors import ModelError
from hwgen.graph.ir import Dense, Depthwise, Graph, Layer, MaxPool, Product, Window, XnorDense


@dataclass(frozen=True, slots=True)
class Group:
    """A product, the window that feeds it, and the elementwise layers that follow it.

    ``before``: elementwise layers in front of the first product of a graph.
    """

    window: Window | None
    product: Product
    after: tuple[Layer, ...]
    before: tuple[Layer, ...] = ()

    @property
    def x(self) -> str:
        """Name of the tensor that the group reads."""
        return self.product.x if self.window is None else self.window.x


def groups(graph: Graph) -> list[Group]:
    """Return the layers of a graph, product by product."""
    found: list[Group] = []
    window: Window | None = None
    first: tuple[Layer, ...] = ()
    for layer in graph.layers:
        match layer:
            case Window():
                window = layer
            case Dense() | XnorDense() | Depthwise() | MaxPool():
                found.append(Group(window, layer, (), first))
                window, first = None, ()
            case _ if found:
                found[-1] = replace(found[-1], after=(*found[-1].after, layer))
            case _:
                first = (*first, layer)
    if not found:
        raise ModelError(
            f"{graph.name}: its layers only map each value to another; there is nothing to build. "
            "Add a product (dense, convolution, pooling), or leave them to the host."
        )
    return found


def product_cycles(layer: Product, graph: Graph, simd: int, pe: int) -> int:
    """Return the cycles per frame of a product at ``simd x pe``."""
    y = graph.tensor(layer.y)
    _, fan_in = extent(layer, graph)
    beats = fan_in if is_per_channel(layer) else fan_in // simd
    return y.pixels * beats * (y.size // pe)


def extent(layer: Product, graph: Graph) -> tuple[int, int]:
    """Return the outputs of one pixel, and the values that each is made of."""
    if isinstance(layer, MaxPool):
        return graph.tensor(layer.y).size, layer.taps
    rows, fan_in = layer.weights.shape
    return rows, fan_in


def is_per_channel(layer: Product) -> bool:
    """Return whether each output looks at its own channel only: as many lanes in as out."""
    return isinstance(layer, Depthwise | MaxPool)


def multiplications(layer: Product, graph: Graph) -> int:
    """Return the multiplications per frame."""
    return 0 if isinstance(layer, MaxPool) else layer.weights.size * graph.tensor(layer.y).pixels


def window_cycles(layer: Window, graph: Graph, simd: int) -> int:
    """Return the cycles per frame of a window: the beats of its output, or of its input."""
    x, y = graph.tensor(layer.x), graph.tensor(layer.y)
    return max(x.values, y.pixels * prod(layer.kernel) * x.size) // simd


def cycles(layer: Layer, graph: Graph, lanes: int = 1) -> int:
    """Return the cycles per frame of any layer; one without a fold works on ``lanes`` values."""
    match layer:
        case Window():
            return window_cycles(layer, graph, layer.fold.simd)
        case Dense() | XnorDense() | Depthwise() | MaxPool():
            return product_cycles(layer, graph, layer.fold.simd, layer.fold.pe)
        case _:
            return graph.tensor(layer.x).values // lanes


def joint_cycles(group: Group, graph: Graph, lanes: int, simd: int) -> int:
    """Return the cycles per frame at the narrowest width between the group before and this one."""
    return graph.tensor(group.x).values // gcd(lanes, simd)


def initiation_interval(graph: Graph) -> int:
    """Return the cycles between frames: the slowest layer or width converter."""
    return max(_all_cycles(graph))


def _all_cycles(graph: Graph) -> Iterator[int]:
    found = groups(graph)
    for group in found:
        yield cycles(group.product, graph)
        if group.window is not None:
            yield cycles(group.window, graph)
        yield from (cycles(layer, graph, group.product.fold.simd) for layer in group.before)
        yield from (cycles(layer, graph, group.product.fold.pe) for layer in group.after)
    for before, here in pairwise(found):
        yield joint_cycles(here, graph, before.product.fold.pe, here.product.fold.simd)
