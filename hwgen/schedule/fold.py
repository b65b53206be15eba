"""Choose SIMD and PE of every layer: an exact solver over all legal foldings of a chain.

A layer of ``out x in`` at ``simd x pe`` takes ``(in / simd) * (out / pe)`` cycles per pixel.  The
chain's initiation interval is the largest of these and of the width converters between layers, so
layers are independent but for the width of the stream between them: dynamic programming over the
PE of the previous layer finds the least total cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, gcd

from hwgen.errors import FoldError
from hwgen.graph.ir import (
    Dense,
    Depthwise,
    Fold,
    Graph,
    Layer,
    MaxPool,
    Order,
    Product,
    Window,
    XnorDense,
)
from hwgen.parts import Part
from hwgen.schedule.cost import Cost, layer_cost, product_cost, width_cost, window_cost
from hwgen.schedule.work import (
    Group,
    extent,
    groups,
    initiation_interval,
    is_per_channel,
    joint_cycles,
    multiplications,
    product_cycles,
    window_cycles,
)

DEFAULT_CYCLES = 1024  # of a small network; of a large one what so many multipliers take
DEFAULT_MULTIPLIERS = 256
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
    target_cycles  largest initiation interval, cycles; default: see :func:`default_cycles`
    part           budget; alone, it asks for the fastest folding that fits
    raises         FoldError
    """
    fixed = dict(reuse) if isinstance(reuse, Mapping) else {}
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
    found = groups(graph)
    work = sum(multiplications(g.product, graph) for g in found)
    fastest = max(
        min(max(product_cycles(g.product, graph, *pair), _feed(g, graph, pair)) for pair in pairs)
        for g, pairs in ((g, _pairs(g, graph)) for g in found)
    )
    return max(DEFAULT_CYCLES, work // DEFAULT_MULTIPLIERS, fastest)


def total_cost(graph: Graph) -> Cost:
    """Return the estimated resources of a folded graph."""
    total, lanes = Cost(), graph.entry_lanes
    for layer in graph.layers:
        if isinstance(layer, Window | Product):
            total += width_cost(graph.tensor(layer.x).type.bits, lanes, layer.fold.simd)
        total += layer_cost(layer, graph, lanes)
        lanes = lanes_after(layer, lanes)
    return total


def lanes_after(layer: Layer, lanes: int) -> int:
    """Return the values per beat that leave a layer which reads ``lanes`` per beat."""
    match layer:
        case Window():
            return layer.fold.simd
        case Dense() | XnorDense() | Depthwise() | MaxPool():
            return layer.fold.pe
        case _:
            return lanes


def _solve(graph: Graph, target: int, reuse: Mapping[str, int]) -> Graph:
    """Return the cheapest folding; ``best`` maps the PE of a layer to (cost, folds so far)."""
    best: dict[int, tuple[float, tuple[Fold, ...]]] = {0: (0.0, ())}
    for i, group in enumerate(groups(graph)):
        bits = graph.tensor(group.x).type.bits
        found: dict[int, tuple[float, tuple[Fold, ...]]] = {}
        for fold in _candidates(group, graph, target, reuse.get(group.product.name), i):
            own = _group_cost(group, graph, fold)
            taken = product_cycles(group.product, graph, fold.simd, fold.pe)
            for before, (cost, folds) in best.items():
                if i and joint_cycles(group, graph, before, fold.simd) > max(target, taken):
                    continue
                joint = width_cost(bits, before, fold.simd).scalar if i else 0.0
                total = cost + own + joint
                if fold.pe not in found or total < found[fold.pe][0]:
                    found[fold.pe] = (total, (*folds, fold))
        if not found:
            raise FoldError(
                f"{group.product.name}: no folding meets {target} cycles with the width of the "
                "stream from the layer before; raise --target-cycles."
            )
        best = found
    return _folded(graph, min(best.values(), key=lambda entry: entry[0])[1])


def _group_cost(group: Group, graph: Graph, fold: Fold) -> float:
    x, y = graph.tensor(group.product.x), graph.tensor(group.product.y)
    own = product_cost(group.product, fold, x, y)
    if group.window is not None:
        own += window_cost(group.window, graph, fold.simd)
    own = sum((layer_cost(e, graph, fold.simd) for e in group.before), own)
    return sum((layer_cost(e, graph, fold.pe) for e in group.after), own).scalar


def _folded(graph: Graph, folds: Sequence[Fold]) -> Graph:
    layers: list[Layer] = []
    for group, fold in zip(groups(graph), folds, strict=True):
        layers += group.before
        if group.window is not None:
            layers.append(replace(group.window, fold=Fold(fold.simd, fold.simd)))
        layers += [replace(group.product, fold=fold), *group.after]
    return replace(graph, layers=tuple(layers))


def _candidates(
    group: Group, graph: Graph, target: int, reuse: int | None, index: int
) -> list[Fold]:
    """Return the foldings worth a look; at the first product nothing is buffered."""
    layer, pixels = group.product, graph.tensor(group.product.y).pixels
    _, fan_in = extent(layer, graph)
    _check_multipliers(layer, graph, target if reuse is None else reuse * pixels)
    order = Order.ROW if index % 2 == 0 else Order.COLUMN
    pairs = _pairs(group, graph)
    work = {pair: product_cycles(layer, graph, *pair) for pair in pairs}
    if reuse is None:
        fitting = [pair for pair in pairs if max(work[pair], _feed(group, graph, pair)) <= target]
        chosen = _undominated(fitting)
    else:
        chosen = [pair for pair in pairs if work[pair] == reuse * pixels]
    if not chosen:
        raise _no_fold(group, graph, target, reuse, {n // pixels for n in work.values()})
    waiting = group.window is None and index > 0
    return [Fold(s, p, order, fan_in // s if waiting else 0) for s, p in chosen]


def _pairs(group: Group, graph: Graph) -> list[tuple[int, int]]:
    """Return every legal SIMD and PE: a window hands on whole fractions of a pixel."""
    rows, fan_in = extent(group.product, graph)
    if is_per_channel(group.product):
        return [(p, p) for p in _divisors(rows) if p <= MAX_PE]
    width = fan_in if group.window is None else graph.tensor(group.window.x).size
    width = gcd(width, *(graph.tensor(e.x).size for e in group.before))
    return [(s, p) for s in _divisors(width) for p in _divisors(rows) if p <= MAX_PE]


def _feed(group: Group, graph: Graph, pair: tuple[int, int]) -> int:
    """Return the cycles per frame of what stands before and after a product in its group."""
    simd, pe = pair
    window = 0 if group.window is None else window_cycles(group.window, graph, simd)
    return max(window, graph.tensor(group.product.y).values // pe)


def _no_fold(
    group: Group, graph: Graph, target: int, reuse: int | None, works: set[int]
) -> FoldError:
    layer = group.product
    rows, fan_in = extent(layer, graph)
    if reuse is None:
        fastest = min(works) * graph.tensor(layer.y).pixels
        return FoldError(
            f"{layer.name}: no folding meets {target} cycles per frame; its fastest takes "
            f"{fastest} or waits as long for its input. Raise --target-cycles."
        )
    near = sorted(works, key=lambda n: (abs(n - reuse), n))[:4]
    folds = (
        f"{fan_in} taps x {rows} channels fold into taps * (channels / PE) cycles with whole PE"
        if is_per_channel(layer)
        else f"{fan_in} inputs x {rows} outputs fold into (inputs / SIMD) * (outputs / PE) cycles "
        "with whole SIMD and PE"
    )
    return FoldError(
        f"{layer.name}: reuse {reuse} cannot be met: {folds}; the nearest legal values are "
        f"{', '.join(map(str, sorted(near)))}."
    )


def _check_multipliers(layer: Product, graph: Graph, frame: int) -> None:
    """Refuse a layer that needs too many multipliers to finish in ``frame`` cycles."""
    work = multiplications(layer, graph)
    if work // frame > MAX_MULTIPLIERS:
        raise FoldError(
            f"{layer.name}: {work:,} multiplications in {frame} cycles take "
            f"{work // frame:,} multipliers side by side; one layer may have "
            f"{MAX_MULTIPLIERS:,}. Raise its reuse, or the target cycles, to "
            f"{ceil(work / MAX_MULTIPLIERS)} or more."
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


def _fastest(graph: Graph, part: Part) -> Graph:
    """Return the folding with the smallest initiation interval that fits the part."""
    found = groups(graph)
    least = max(ceil(multiplications(g.product, graph) / MAX_MULTIPLIERS) for g in found)
    targets = sorted({frame for g in found for frame in _frames(g, graph) if frame >= least})
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


def _frames(group: Group, graph: Graph) -> Iterator[int]:
    """Yield every number of cycles per frame that a group can take."""
    layer = group.product
    rows, fan_in = extent(layer, graph)
    for simd in _divisors(fan_in):
        for pe in _divisors(rows):
            if pe <= MAX_PE:
                yield product_cycles(layer, graph, simd, pe)
    if group.window is not None:
        for simd in _divisors(graph.tensor(group.window.x).size):
            yield window_cycles(group.window, graph, simd)


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
