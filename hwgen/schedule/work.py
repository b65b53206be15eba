"""How many cycles each layer takes per frame at its folding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd, prod

from hwgen.errors import ModelError
from hwgen.graph.ir import (
    ArgMax,
    Dense,
    Depthwise,
    Folded,
    Graph,
    Head,
    Join,
    Layer,
    MaxPool,
    Product,
    Upsample,
    Window,
    XnorDense,
    inputs,
)


@dataclass(frozen=True, slots=True)
class Group:
    """A head, the window that feeds it, and the elementwise layers that follow it.

    Without a head: elementwise layers that start where several layers read one tensor.
    ``before``: elementwise layers in front of the first head of a graph.
    """

    window: Window | None
    head: Head | None
    after: tuple[Layer, ...] = ()
    before: tuple[Layer, ...] = ()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers, in order."""
        middle = (self.window, self.head)
        return (*self.before, *(e for e in middle if e is not None), *self.after)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the tensors that the group reads."""
        return inputs(self.layers[0])

    @property
    def y(self) -> str:
        """Name of the tensor that it writes for others."""
        return self.layers[-1].y

    @property
    def name(self) -> str:
        """Name of its head."""
        return (self.head or self.layers[0]).name


def groups(graph: Graph) -> list[Group]:
    """Return the layers of a graph, head by head."""
    found: list[Group] = []
    pending = Group(None, None)  # what the next head will own
    for layer in graph.layers:
        if isinstance(layer, Window):
            pending = replace(pending, window=layer)
            continue
        if isinstance(layer, Head):
            found.append(replace(pending, head=layer))
            pending = Group(None, None)
            continue
        own = next((i for i, g in enumerate(found) if g.y == layer.x), None)
        if len(graph.readers(layer.x)) > 1:
            found.append(Group(None, None, (layer,)))
        elif own is None:
            pending = replace(pending, before=(*pending.before, layer))
        else:
            found[own] = replace(found[own], after=(*found[own].after, layer))
    if not any(g.head for g in found):
        raise ModelError(
            f"{graph.name}: its layers only map each value to another; there is nothing to build. "
            "Add a product (dense, convolution, pooling), or leave them to the host."
        )
    return found


def head_cycles(layer: Head, graph: Graph, simd: int, pe: int) -> int:
    """Return the cycles per frame of a head at ``simd x pe``."""
    y = graph.tensor(layer.y)
    if isinstance(layer, Upsample | Join):
        return y.values // pe
    _, fan_in = extent(layer, graph)
    beats = fan_in if is_per_channel(layer) else fan_in // simd
    return y.pixels * beats * (y.size // pe)


def extent(layer: Product, graph: Graph) -> tuple[int, int]:
    """Return the outputs of one pixel, and the values that each is made of."""
    if isinstance(layer, MaxPool):
        return graph.tensor(layer.y).size, layer.taps
    rows, fan_in = layer.weights.shape
    return rows, fan_in


def is_per_channel(layer: Head) -> bool:
    """Return whether each output looks at its own channel only: as many lanes in as out."""
    return not isinstance(layer, Dense | XnorDense)


def multiplications(layer: Head | None, graph: Graph) -> int:
    """Return the multiplications per frame."""
    if not isinstance(layer, Dense | XnorDense | Depthwise):
        return 0
    return layer.weights.size * graph.tensor(layer.y).pixels


def window_cycles(layer: Window, graph: Graph, simd: int) -> int:
    """Return the cycles per frame of a window: the beats of its output, or of its input."""
    x, y = graph.tensor(layer.x), graph.tensor(layer.y)
    return max(x.values, y.pixels * prod(layer.kernel) * x.size) // simd


def cycles(layer: Layer, graph: Graph, lanes: int = 1) -> int:
    """Return the cycles per frame of any layer; one without a fold works on ``lanes`` values."""
    if isinstance(layer, Window):
        return window_cycles(layer, graph, layer.fold.simd)
    if isinstance(layer, Head):
        return head_cycles(layer, graph, layer.fold.simd, layer.fold.pe)
    return graph.tensor(layer.x).values // lanes


def joint_cycles(graph: Graph, tensor: str, lanes: int, simd: int) -> int:
    """Return the cycles per frame of a stream of ``lanes`` that is read ``simd`` wide."""
    return graph.tensor(tensor).values // gcd(lanes, simd)


def stream_lanes(graph: Graph) -> dict[str, int]:
    """Return the values per beat of every tensor, as its writer hands it on."""
    lanes = {graph.input: graph.entry_lanes}
    for layer in graph.layers:
        if isinstance(layer, Window):
            lanes[layer.y] = layer.fold.simd
        elif isinstance(layer, Head):
            lanes[layer.y] = layer.fold.pe
        else:
            lanes[layer.y] = 1 if isinstance(layer, ArgMax) else lanes[layer.x]
    return lanes


def read_lanes(layer: Layer, lanes: int) -> int:
    """Return the values per beat that a layer wants of a stream of ``lanes``."""
    return layer.fold.simd if isinstance(layer, Folded) else lanes


def initiation_interval(graph: Graph) -> int:
    """Return the cycles between frames: the slowest layer or width converter."""
    return max(_all_cycles(graph))


def _all_cycles(graph: Graph) -> Iterator[int]:
    lanes = stream_lanes(graph)
    for layer in graph.layers:
        yield cycles(layer, graph, lanes[layer.x])
        for tensor in inputs(layer):
            yield joint_cycles(graph, tensor, lanes[tensor], read_lanes(layer, lanes[tensor]))
