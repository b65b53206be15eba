"""Choose SIMD and PE of every layer: an exact solver over all legal foldings of a chain.

A layer of ``out x in`` at ``simd x pe`` takes ``(in / simd) * (out / pe)`` cycles per frame.  The
chain's initiation interval is the largest of these and of the width converters between layers, so
layers are independent but for the width of the stream between them: dynamic programming over the
PE of the previous layer finds the least total cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, gcd

from hwgen.errors import FoldError
from hwgen.graph.ir import Dense, Fold, Graph, Layer, MatVec, Order, XnorDense
from hwgen.parts import Part
from hwgen.schedule.cost import Cost, layer_cost, matvec_cost, width_cost

DEFAULT_CYCLES = 1024
MAX_MULTIPLIERS = 16_384  # of one layer; more take hours to compile, and no part has the room
MAX_PE = 1000  # hw_threshold names its memory images by lanes of three digits
_FILL = 0.7  # share of a part's LUTs that an estimate may take; routing needs the rest


def schedule(
    graph: Graph,
    *,
    reuse: int | Mapping[str, int] | None = None,
    target_cycles: int | None = None,
    part: Part | None = None,
) -> Graph:
    """Return the graph with every layer folded, orders alternated and FIFO depths set.

    reuse          multiplications that share one multiplier, of every layer or by layer name;
                   layers that a mapping leaves out meet ``target_cycles``
    target_cycles  largest initiation interval, cycles
    part           budget; alone, it asks for the fastest folding that fits
    raises         FoldError
    """
    fixed = dict(reuse) if isinstance(reuse, Mapping) else {}
    if isinstance(reuse, int):
        fixed = {layer.name: reuse for layer in graph.matvecs()}
    if part is not None and reuse is None and target_cycles is None:
        return _fastest(graph, part)
    folded = _solve(graph, target_cycles or DEFAULT_CYCLES, fixed)
    if part is not None:
        _check_budget(folded, part)
    return folded


def cycles(layer: MatVec) -> int:
    """Return the cycles that a layer takes per frame."""
    out_n, in_n = layer.weights.shape
    return (in_n // layer.fold.simd) * (out_n // layer.fold.pe)


def initiation_interval(graph: Graph) -> int:
    """Return the cycles between frames: the slowest layer or width converter."""
    layers = list(graph.matvecs())
    joints = (
        after.weights.shape[1] // _joint(before.fold.pe, after.fold.simd)
        for before, after in pairwise(layers)
    )
    return max(*(cycles(layer) for layer in layers), *joints, 1)


def total_cost(graph: Graph) -> Cost:
    """Return the estimated resources of a folded graph."""
    total, lanes = Cost(), 1
    for layer in graph.layers:
        if isinstance(layer, Dense | XnorDense):
            total += width_cost(graph.tensor(layer.x).type.bits, lanes, layer.fold.simd)
            lanes = layer.fold.pe
        total += layer_cost(layer, graph, lanes)
    return total


def _solve(graph: Graph, target: int, reuse: Mapping[str, int]) -> Graph:
    """Return the cheapest folding; ``best`` maps the PE of a layer to (cost, folds so far)."""
    best: dict[int, tuple[float, tuple[Fold, ...]]] = {0: (0.0, ())}
    for i, (layer, after) in enumerate(_groups(graph)):
        x, y = graph.tensor(layer.x), graph.tensor(layer.y)
        order = Order.ROW if i % 2 == 0 else Order.COLUMN
        found: dict[int, tuple[float, tuple[Fold, ...]]] = {}
        for simd, pe in _candidates(layer, target, reuse.get(layer.name)):
            fold = Fold(simd, pe, order, 0 if i == 0 else layer.weights.shape[1] // simd)
            own = matvec_cost(layer, fold, x, y).scalar
            own += sum(layer_cost(e, graph, pe).scalar for e in after)
            limit = max(target, reuse.get(layer.name, 0))
            for before, (cost, folds) in best.items():
                if i and layer.weights.shape[1] // _joint(before, simd) > limit:
                    continue
                joint = width_cost(x.type.bits, before, simd).scalar if i else 0.0
                total = cost + own + joint
                if pe not in found or total < found[pe][0]:
                    found[pe] = (total, (*folds, fold))
        if not found:
            raise FoldError(
                f"{layer.name}: no folding meets {target} cycles with the width of the stream from "
                "the layer before; raise --target-cycles."
            )
        best = found
    chosen = iter(min(best.values(), key=lambda entry: entry[0])[1])
    layers = tuple(
        replace(e, fold=next(chosen)) if isinstance(e, Dense | XnorDense) else e
        for e in graph.layers
    )
    return replace(graph, layers=layers)


def _groups(graph: Graph) -> list[tuple[MatVec, list[Layer]]]:
    """Return each matvec with the elementwise layers that follow it."""
    groups: list[tuple[MatVec, list[Layer]]] = []
    for layer in graph.layers:
        if isinstance(layer, Dense | XnorDense):
            groups.append((layer, []))
        else:
            groups[-1][1].append(layer)
    return groups


def _candidates(layer: MatVec, target: int, reuse: int | None) -> list[tuple[int, int]]:
    out_n, in_n = layer.weights.shape
    pairs = [(s, p) for s in _divisors(in_n) for p in _divisors(out_n) if p <= MAX_PE]
    work = {pair: (in_n // pair[0]) * (out_n // pair[1]) for pair in pairs}
    _check_multipliers(layer, target if reuse is None else reuse)
    if reuse is None:
        return _undominated([pair for pair in pairs if work[pair] <= target])
    found = [pair for pair in pairs if work[pair] == reuse]
    if not found:
        near = sorted(set(work.values()), key=lambda n: (abs(n - reuse), n))[:4]
        raise FoldError(
            f"{layer.name}: reuse {reuse} cannot be met: {in_n} inputs x {out_n} outputs fold into "
            f"(inputs / SIMD) * (outputs / PE) cycles with whole SIMD and PE; the nearest legal "
            f"values are {', '.join(map(str, sorted(near)))}."
        )
    return found


def _check_multipliers(layer: MatVec, frame: int) -> None:
    """Refuse a layer that needs too many multipliers to finish in ``frame`` cycles."""
    need = layer.weights.size // frame
    if need > MAX_MULTIPLIERS:
        raise FoldError(
            f"{layer.name}: {layer.weights.size:,} weights in {frame} cycles take "
            f"{need:,} multipliers side by side; one layer may have {MAX_MULTIPLIERS:,}. Raise its "
            f"reuse, or the target cycles, to {ceil(layer.weights.size / MAX_MULTIPLIERS)} or more."
        )


def _undominated(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pairs of which neither SIMD nor PE could be smaller alone."""
    smallest_pe: dict[int, int] = {}
    smallest_simd: dict[int, int] = {}
    for simd, pe in pairs:
        smallest_pe[simd] = min(pe, smallest_pe.get(simd, pe))
        smallest_simd[pe] = min(simd, smallest_simd.get(pe, simd))
    return sorted({*smallest_pe.items(), *((simd, pe) for pe, simd in smallest_simd.items())})


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _joint(lanes_in: int, lanes_out: int) -> int:
    """Return the narrowest width on the way from one stream width to another."""
    return gcd(lanes_in, lanes_out)


def _fastest(graph: Graph, part: Part) -> Graph:
    """Return the folding with the smallest initiation interval that fits the part."""
    least = max(ceil(layer.weights.size / MAX_MULTIPLIERS) for layer in graph.matvecs())
    targets = sorted(
        {
            frame
            for layer in graph.matvecs()
            for s in _divisors(layer.weights.shape[1])
            for p in _divisors(layer.weights.shape[0])
            if p <= MAX_PE
            if (frame := (layer.weights.shape[1] // s) * (layer.weights.shape[0] // p)) >= least
        }
    )
    low, high = 0, len(targets) - 1
    while low < high:
        middle = (low + high) // 2
        if _fits(_solve(graph, targets[middle], {}), part):
            high = middle
        else:
            low = middle + 1
    folded = _solve(graph, targets[low], {})
    _check_budget(folded, part)
    return folded


def _fits(graph: Graph, part: Part) -> bool:
    return not _over(graph, part)


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
