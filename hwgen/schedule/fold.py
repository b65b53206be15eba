"""Choose SIMD and PE of every layer: an exact solver over all legal foldings of a graph.

A layer of ``out x in`` at ``simd x pe`` takes ``(in / simd) * (out / pe)`` cycles per pixel.  The
graph's initiation interval is the largest of these and of the width converters between layers, so
layers are independent but for the width of the streams between them: dynamic programming over the
widths of the streams that later layers still read finds the least total cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

from hwgen.errors import FoldError
from hwgen.graph.ir import Fold, Graph, Layer, inputs
from hwgen.parts import Part
from hwgen.schedule.candidates import MAX_MULTIPLIERS, Asked, candidates, fastest_cycles, frames
from hwgen.schedule.cost import Cost, layer_cost, width_cost, window_cost
from hwgen.schedule.work import (
    Group,
    groups,
    head_cycles,
    initiation_interval,
    joint_cycles,
    multiplications,
    read_lanes,
    stream_lanes,
)

DEFAULT_CYCLES = 1024  # of a small network; of a large one what so many multipliers take
DEFAULT_MULTIPLIERS = 256
_FILL = 0.7  # share of a part's LUTs that an estimate may take; routing needs the rest


def schedule(
    graph: Graph,
    *,
    reuse: int | Mapping[str, Asked] | None = None,
    target_cycles: int | None = None,
    part: Part | None = None,
) -> Graph:
    """Return the graph with every layer folded, orders alternated and FIFO depths set.

    reuse          multiplications that share one multiplier, of every layer or by layer name, or
                   SIMD and PE of a layer; layers that a mapping leaves out meet ``target_cycles``
    target_cycles  largest initiation interval, cycles; default: see :func:`default_cycles`
    part           budget; alone, it asks for the fastest folding that fits
    raises         FoldError
    """
    fixed: dict[str, Asked] = dict(reuse) if isinstance(reuse, Mapping) else {}
    if isinstance(reuse, int):
        fixed = {layer.name: reuse for layer in graph.products()}
    if part is not None and reuse is None and target_cycles is None:
        return _fastest(graph, part)
    folded = _solve(graph, target_cycles or default_cycles(graph), fixed)
    if part is not None:
        _check_budget(folded, part)
    return folded


def default_cycles(graph: Graph) -> int:
    """Return a target that every layer can meet, with a moderate number of multipliers."""
    found = [g for g in groups(graph) if g.head is not None]
    work = sum(multiplications(g.head, graph) for g in found)
    fastest = max(fastest_cycles(g, graph) for g in found)
    return max(DEFAULT_CYCLES, work // DEFAULT_MULTIPLIERS, fastest)


def total_cost(graph: Graph) -> Cost:
    """Return the estimated resources of a folded graph."""
    total, lanes = Cost(), stream_lanes(graph)
    for layer in graph.layers:
        for name in inputs(layer):
            bits = graph.tensor(name).type.bits
            total += width_cost(bits, lanes[name], read_lanes(layer, lanes[name]))
        total += layer_cost(layer, graph, lanes[layer.x])
    return total


Lanes = tuple[tuple[str, int], ...]  # of the streams that are still to be read, by tensor
Best = dict[Lanes, tuple[float, tuple[Fold | None, ...]]]  # least cost, and the folds so far


def _solve(graph: Graph, target: int, reuse: Mapping[str, Asked]) -> Graph:
    """Return the cheapest folding."""
    units = groups(graph)
    left = Counter(name for group in units for name in group.reads)
    best = _entries(units, graph)
    for i, group in enumerate(units):
        left.subtract(group.reads)
        found: Best = {}
        for fold in _options(group, graph, target, reuse, i):
            for state, (cost, folds) in best.items():
                lanes = dict(state)
                if fold is not None and not any(folds):  # the first sets the width of the input
                    entry = lanes.setdefault(graph.input, fold.simd)
                    if entry != fold.simd:
                        continue
                joints = _joints(group, graph, lanes, fold, target)
                if joints is None:
                    continue
                lanes[group.y] = lanes[group.reads[0]] if fold is None else fold.pe
                own = _group_cost(group, graph, fold, lanes[group.y])
                key = tuple(sorted((t, n) for t, n in lanes.items() if left[t]))
                total = cost + own + joints
                if key not in found or total < found[key][0]:
                    found[key] = (total, (*folds, fold))
        if not found:
            raise FoldError(
                f"{group.name}: no folding meets {target} cycles with the width of the "
                "stream from the layer before; raise --target-cycles."
            )
        best = found
    return _folded(graph, min(best.values(), key=lambda entry: entry[0])[1])


def _entries(units: Sequence[Group], graph: Graph) -> Best:
    """Return the states at the input: its width is open unless elementwise layers come first."""
    if units[0].head is not None:
        return {(): (0.0, ())}
    size = graph.tensor(graph.input).size
    widths = [n for n in range(1, size + 1) if size % n == 0]
    return {((graph.input, n),): (0.0, ()) for n in widths}


def _options(
    group: Group, graph: Graph, target: int, reuse: Mapping[str, Asked], index: int
) -> Sequence[Fold | None]:
    """Return the foldings of a group; without a head it takes its stream as it comes."""
    if group.head is None:
        return (None,)
    return candidates(group, graph, target, reuse.get(group.name), index)


def _joints(
    group: Group, graph: Graph, lanes: Mapping[str, int], fold: Fold | None, target: int
) -> float | None:
    """Return the cost of the width converters in front of a group; None: one is too slow."""
    if fold is None or group.head is None:
        return 0.0
    slowest = max(target, head_cycles(group.head, graph, fold.simd, fold.pe))
    total = 0.0
    for name in group.reads:
        if joint_cycles(graph, name, lanes[name], fold.simd) > slowest:
            return None
        total += width_cost(graph.tensor(name).type.bits, lanes[name], fold.simd).scalar
    return total


def _group_cost(group: Group, graph: Graph, fold: Fold | None, lanes: int) -> float:
    """Return the cost of a group that hands on ``lanes`` values per beat."""
    if fold is None or group.head is None:
        return sum((layer_cost(e, graph, lanes) for e in group.layers), Cost()).scalar
    own = layer_cost(replace(group.head, fold=fold), graph, fold.simd)
    if group.window is not None:
        own += window_cost(group.window, graph, fold.simd)
    own = sum((layer_cost(e, graph, fold.simd) for e in group.before), own)
    return sum((layer_cost(e, graph, fold.pe) for e in group.after), own).scalar


def _folded(graph: Graph, folds: Sequence[Fold | None]) -> Graph:
    folded: dict[str, Layer] = {}
    for group, fold in zip(groups(graph), folds, strict=True):
        if fold is None or group.head is None:
            continue
        folded[group.head.y] = replace(group.head, fold=fold)
        if group.window is not None:
            folded[group.window.y] = replace(group.window, fold=Fold(fold.simd, fold.simd))
    return replace(graph, layers=tuple(folded.get(e.y, e) for e in graph.layers))


def _fastest(graph: Graph, part: Part) -> Graph:
    """Return the folding with the smallest initiation interval that fits the part."""
    found = [g for g in groups(graph) if g.head is not None]
    least = max(ceil(multiplications(g.head, graph) / MAX_MULTIPLIERS) for g in found)
    targets = sorted({frame for g in found for frame in frames(g, graph) if frame >= least})
    low, high = 0, len(targets) - 1
    while low < high:
        middle = (low + high) // 2
        if _fits(graph, targets[middle], part):
            high = middle
        else:
            low = middle + 1
    folded = _solve(graph, targets[low], {})
    _check_budget(folded, part)
    return folded


def _fits(graph: Graph, target: int, part: Part) -> bool:
    try:
        return not _over(_solve(graph, target, {}), part)
    except FoldError:
        return False


def _over(graph: Graph, part: Part) -> list[str]:
    cost = total_cost(graph)
    budget = {"lut": part.lut * _FILL, "ff": part.ff, "bram36": part.bram36, "dsp": part.dsp}
    return [
        f"{name} {getattr(cost, name):.0f} of {limit:.0f}"
        for name, limit in budget.items()
        if getattr(cost, name) > limit
    ]


def _check_budget(graph: Graph, part: Part) -> None:
    over = _over(graph, part)
    if over:
        raise FoldError(
            f"{graph.name}: the estimate exceeds {part.name} ({'; '.join(over)}; {_FILL:.0%} of "
            f"the LUTs may be used) at {initiation_interval(graph)} cycles per frame. Raise "
            "--target-cycles or --reuse, or choose a larger --part."
        )
