"""The order of the nodes, and where data really branches."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import NodeProto

from hwgen.streamline.joins import RESIZE_OPS
from hwgen.streamline.products import PRODUCT_OPS
from hwgen.streamline.read import Source

_APART = (*PRODUCT_OPS, *RESIZE_OPS, "Concat", "ArgMax")  # end a run of elementwise ops


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The nodes that the output depends on, each after those it reads.

    ``forks``: tensors that several blocks read.  A value that a function takes up again, as in
    ``x * sigmoid(x)``, is none: its readers are elementwise and end in one tensor.
    """

    nodes: tuple[NodeProto, ...]
    forks: frozenset[str]


def in_order(source: Source) -> Order:
    """Return the order; the nodes of a function of one value come in a row.

    raises  UnsupportedOp  the output does not depend on the input, or the model reads it
    """
    alive = _alive(source)
    reads = {id(n): {i for i in n.input if i and i not in source.constants} for n in alive}
    readers: dict[str, list[NodeProto]] = {}
    for node in alive:
        for name in reads[id(node)]:
            readers.setdefault(name, []).append(node)
    if not alive or source.output in readers:
        raise source.branch(source.output)
    nodes: list[NodeProto] = []
    known, forks = {source.input}, set()
    pending = list(alive)
    tensor = source.input
    while True:
        while len(readers.get(tensor, ())) > 1:
            run = _function(tensor, readers, reads)
            if not run:
                forks.add(tensor)
                break
            nodes += run
            known |= {n.output[0] for n in run}
            pending = [n for n in pending if all(n is not other for other in run)]
            tensor = run[-1].output[0]
        if not pending:
            return Order(tuple(nodes), frozenset(forks))
        ready = next((n for n in pending if reads[id(n)] <= known), None)
        if ready is None:
            raise source.branch(next(iter(reads[id(pending[0])] - known)))
        pending.remove(ready)
        nodes.append(ready)
        tensor = ready.output[0]
        known.add(tensor)


def _alive(source: Source) -> list[NodeProto]:
    """Return the nodes that lead to the output."""
    wanted = {source.output}
    writers = {name: node for node in source.nodes for name in node.output}
    stack = [source.output]
    while stack:
        node = writers.get(stack.pop())
        for name in node.input if node is not None else ():
            if name not in wanted:
                wanted.add(name)
                stack.append(name)
    return [n for n in source.nodes if wanted.intersection(n.output)]


def _function(
    tensor: str, readers: dict[str, list[NodeProto]], reads: dict[int, set[str]]
) -> list[NodeProto]:
    """Return the elementwise nodes that take up ``tensor`` again and again and end in one tensor.

    Empty: something else reads it too.
    """
    here, seen, run = tensor, {tensor}, []
    pending = {id(n): n for n in readers[tensor]}
    while pending:
        ready = [n for n in pending.values() if here in reads[id(n)] and reads[id(n)] <= seen]
        if not ready or ready[0].op_type in _APART:
            return []
        run.append(ready[0])
        del pending[id(ready[0])]
        here = ready[0].output[0]
        seen.add(here)
        if pending:
            pending |= {id(n): n for n in readers.get(here, ())}
    return run
