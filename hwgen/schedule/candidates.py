"""The legal foldings of one group of layers, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, gcd
from typing import TypeAlias

from hwgen.errors import FoldError
from hwgen.graph.ir import Fold, Graph, Head, Order, Product, inputs
from hwgen.schedule.work import (
    Group,
    extent,
    head_cycles,
    is_per_channel,
    multiplications,
    window_cycles,
)

Asked: TypeAlias = int | tuple[int, int]  # a reuse factor, or SIMD and PE

MAX_MULTIPLIERS = 16_384  # of one layer; more take hours to compile, and no part has the room
MAX_PE = 1000  # hw_threshold names its memory images by lanes of three digits


def candidates(
    group: Group, graph: Graph, target: int, asked: Asked | None, index: int
) -> list[Fold]:
    """Return the foldings of a group with a head that meet ``target``, or what is ``asked``.

    asked  a reuse factor, or SIMD and PE, of this very layer
    At the first product nothing is buffered.
    """
    layer = _head(group)
    order = Order.ROW if index % 2 == 0 else Order.COLUMN
    chosen = _chosen(group, graph, target, asked)
    waits = index > 0 and group.window is None and isinstance(layer, Product)
    fan_in = extent(layer, graph)[1] if isinstance(layer, Product) else 0
    return [Fold(s, p, order, fan_in // s if waits else 0) for s, p in chosen]


def _chosen(group: Group, graph: Graph, target: int, asked: Asked | None) -> list[tuple[int, int]]:
    """Return SIMD and PE of the candidates."""
    layer, pairs = _head(group), _pairs(group, graph)
    work = {pair: head_cycles(layer, graph, *pair) for pair in pairs}
    if isinstance(asked, tuple):
        _check_multipliers(layer, graph, work.get(asked, target))
        if asked not in work:
            raise _not_legal(group, asked, pairs)
        return [asked]
    pixels, reuse = graph.tensor(layer.y).pixels, asked
    _check_multipliers(layer, graph, target if reuse is None else reuse * pixels)
    if reuse is None:
        chosen = [pair for pair in pairs if max(work[pair], _feed(group, graph, pair)) <= target]
    else:
        chosen = [pair for pair in pairs if work[pair] == reuse * pixels]
    if not chosen:
        raise _no_fold(group, graph, target, reuse, {n // pixels for n in work.values()})
    return chosen


def _not_legal(group: Group, asked: tuple[int, int], pairs: Sequence[tuple[int, int]]) -> FoldError:
    simds, pes = sorted({s for s, _ in pairs}), sorted({p for _, p in pairs})
    alike = " and both are equal" if all(s == p for s, p in pairs) else ""
    return FoldError(
        f"{group.name}: SIMD {asked[0]}, PE {asked[1]} cannot be met: SIMD is one of "
        f"{', '.join(map(str, simds))} and PE one of {', '.join(map(str, pes))}{alike}; choose "
        "from these."
    )


def _pairs(group: Group, graph: Graph) -> list[tuple[int, int]]:
    """Return every legal SIMD and PE: a window hands on whole fractions of a pixel."""
    layer = _head(group)
    if not isinstance(layer, Product):
        rows = gcd(*(graph.tensor(name).size for name in inputs(layer)))
    else:
        rows, fan_in = extent(layer, graph)
    if is_per_channel(layer):
        return [(p, p) for p in _divisors(rows) if p <= MAX_PE]
    width = fan_in if group.window is None else graph.tensor(group.window.x).size
    width = gcd(width, *(graph.tensor(e.x).size for e in group.before))
    return [(s, p) for s in _divisors(width) for p in _divisors(rows) if p <= MAX_PE]


def fastest_cycles(group: Group, graph: Graph) -> int:
    """Return the least cycles per frame of a group with a head."""
    layer = _head(group)
    return min(
        max(head_cycles(layer, graph, *pair), _feed(group, graph, pair))
        for pair in _pairs(group, graph)
    )


def _feed(group: Group, graph: Graph, pair: tuple[int, int]) -> int:
    """Return the cycles per frame of what stands before and after a product in its group."""
    simd, pe = pair
    window = 0 if group.window is None else window_cycles(group.window, graph, simd)
    return max(window, graph.tensor(_head(group).y).values // pe)


def _no_fold(
    group: Group, graph: Graph, target: int, reuse: int | None, works: set[int]
) -> FoldError:
    layer = _head(group)
    if reuse is None:
        fastest = min(works) * graph.tensor(layer.y).pixels
        return FoldError(
            f"{layer.name}: no folding meets {target} cycles per frame; its fastest takes "
            f"{fastest} or waits as long for its input. Raise --target-cycles."
        )
    assert isinstance(layer, Product)
    rows, fan_in = extent(layer, graph)
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


def _check_multipliers(layer: Head, graph: Graph, frame: int) -> None:
    """Refuse a layer that needs too many multipliers to finish in ``frame`` cycles."""
    work = multiplications(layer, graph)
    if work // frame > MAX_MULTIPLIERS:
        raise FoldError(
            f"{layer.name}: {work:,} multiplications in {frame} cycles take "
            f"{work // frame:,} multipliers side by side; one layer may have "
            f"{MAX_MULTIPLIERS:,}. Raise its reuse, or the target cycles, to "
            f"{ceil(work / MAX_MULTIPLIERS)} or more."
        )


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def frames(group: Group, graph: Graph) -> Iterator[int]:
    """Yield every number of cycles per frame that a group with a head can take."""
    layer = _head(group)
    if isinstance(layer, Product):
        rows, fan_in = extent(layer, graph)
        pairs = [(s, p) for s in _divisors(fan_in) for p in _divisors(rows) if p <= MAX_PE]
    else:
        pairs = _pairs(group, graph)
    yield from (head_cycles(layer, graph, *pair) for pair in pairs)
    if group.window is not None:
        for simd in _divisors(graph.tensor(group.window.x).size):
            yield window_cycles(group.window, graph, simd)


def _head(group: Group) -> Head:
    assert group.head is not None, "a group without a head has no folding of its own"
    return group.head
