"""How deep the FIFOs in front of joins must be, found by token-level simulation of the top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from hwgen.emit import Design, emit_top
from hwgen.graph.ir import Graph, Join, Layer
from hwgen.schedule import initiation_interval
from hwgen.sim.tokens import TokenSimulator

_CLOSE = 1  # percent above the least depth, for half of the simulations
_LONG = 20_000  # cycles that a run may take for the sake of many frames
_LEAST = 2  # beats; what one register more than a wire holds


@dataclass(frozen=True, slots=True)
class Edge:
    """One input of a join, and the FIFO instance in front of it."""

    join: str
    other: bool
    fifo: str


def size_fifos(graph: Graph) -> Graph:
    """Return a folded graph whose joins have the least FIFOs that keep its initiation interval.

    Depths that no run needs are 2; a graph without joins stays as it is.
    raises  ToolNotFound without g++
    """
    if not any(isinstance(e, Join) for e in graph.layers):
        return graph
    graph = _with_depths(graph, lambda join, other: _LEAST)
    design = emit_top(graph, "")
    simulator, found = token_simulator(design), edges(graph, design)
    interval, most = initiation_interval(graph), max(t.values for t in graph.tensors)
    alone = simulator.run({edge.fifo: most for edge in found}, frames=1)
    # Back-pressure shows once a branch is full of frames; then small ones may be late in turns.
    frames = max(4, min(32, _LONG // interval), 2 * (alone.ends[0] // interval) + 2)
    free = simulator.run({edge.fifo: frames * most for edge in found}, frames=frames)
    # One more than the peak: a full FIFO refuses a beat even while it gives one.
    depths = {edge.fifo: max(free.peaks[edge.fifo] + 1, _LEAST) for edge in found}
    reachable = max(interval, free.ii_cycles or 0)

    def keeps(name: str, depth: int) -> bool:
        took = simulator.run({**depths, name: depth}, frames=frames).ii_cycles
        return took is not None and took <= reachable

    for name in depths:
        depths[name] = least_depth(partial(keeps, name), depths[name], _CLOSE)
    sized = {(e.join, e.other): depths[e.fifo] for e in found}
    return _with_depths(graph, lambda join, other: sized[join, other])


def least_depth(enough: Callable[[int], bool], most: int, close: int = 0) -> int:
    """Return the least depth that is ``enough``; ``most`` is known to be.

    close  at most so many percent more
    """
    if most <= _LEAST or enough(_LEAST):
        return _LEAST
    low, high = _LEAST, most
    while high - low > max(1, high * close // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def token_simulator(design: Design) -> TokenSimulator:
    """Return the token-level simulator of a design."""
    return TokenSimulator(design.instances, design.input.beats, design.output.beats)


def edges(graph: Graph, design: Design) -> list[Edge]:
    """Return the inputs of all joins that have a FIFO in front."""
    by_name = {instance.name: instance for instance in design.instances}
    writers = {i.ports.get("m_axis_tvalid"): i for i in design.instances if i.module == "hw_fifo"}
    found = []
    for layer in graph.layers:
        if isinstance(layer, Join):
            ports = by_name[f"u_{layer.name}"].ports
            for other, port in enumerate(("s0_axis_tvalid", "s1_axis_tvalid")):
                if ports[port] in writers:
                    found.append(Edge(layer.name, bool(other), writers[ports[port]].name))
    return found


def _with_depths(graph: Graph, depth: Callable[[str, bool], int]) -> Graph:
    """Return the graph with other FIFOs; ``depth`` is that of a join's first or other input."""

    def deep(layer: Layer) -> Layer:
        if not isinstance(layer, Join):
            return layer
        first, other = depth(layer.name, False), depth(layer.name, True)
        return replace(layer, fold=replace(layer.fold, fifo_depth=first, other_depth=other))

    return replace(graph, layers=tuple(map(deep, graph.layers)))
