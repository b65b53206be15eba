"""Is it a graph at all: what every file must satisfy before any tool looks at it.

ONNX libraries crash, hang or take all memory on some files that are not; these checks come first.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import numpy as np
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    numpy_helper,
)

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.limits import check_constants, check_nodes, check_shape

_MAX_TEXT = 256  # characters of a name or another library's words in a message
_SUBGRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
_TENSORS = (AttributeProto.TENSOR, AttributeProto.TENSORS)
_NUMBERS = frozenset(
    TensorProto.DataType.Value(name)
    for name in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "BOOL", "INT4", "INT8", "INT16", "INT32",
                 "INT64", "UINT4", "UINT8", "UINT16", "UINT32", "UINT64")
)  # fmt: skip


def validate(model: ModelProto) -> None:
    """Raise ModelError or UnsupportedOp unless ``model`` is a graph of a sensible size."""
    graph = model.graph
    _check_text(graph)
    name = printable(graph.name or "model")
    check_nodes(len(graph.node), name)
    if graph.sparse_initializer:
        raise UnsupportedOp(f"{name}: a sparse constant; store the weights as dense tensors.")
    for node in graph.node:
        _check_node(node)
    _check_order(graph, name)
    tensors = [*graph.initializer, *(t for node in graph.node for t in _attached(node))]
    check_constants(sum(_check_tensor(t) for t in tensors), name)
    check_declared(graph)


def printable(text: str) -> str:
    """Return ``text`` as it may stand in a message: short, without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_TEXT])


def check_declared(graph: GraphProto) -> None:
    """Raise ModelError if a tensor's declared or inferred shape is too large, or comes twice."""
    declared: set[str] = set()
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.name in declared:
            raise ModelError(f"tensor {info.name!r} is declared twice; export the model again.")
        declared.add(info.name)
        dims = info.type.tensor_type.shape.dim
        check_shape((max(d.dim_value, 1) for d in dims), f"tensor {info.name!r}")


def constant(tensor: TensorProto) -> np.ndarray:
    """Return the values; raises ModelError where the data do not fit the declared shape."""
    where = f"constant {tensor.name!r}"
    try:
        value = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, LookupError) as error:
        raise ModelError(
            f"{where}: its data do not fit its type and shape {list(tensor.dims)[:8]} "
            f"({printable(str(error))}); export the model again."
        ) from None
    if value.dtype.kind == "V":  # bfloat16 and small integers, which NumPy does not have
        value = value.astype(np.float32)
    if value.dtype.kind == "f" and np.isnan(value).any():
        raise ModelError(f"{where} holds NaN (not a number); check the training, export again.")
    return value


def _check_text(graph: GraphProto) -> None:
    """Raise ModelError if a name is not UTF-8: protobuf then hands out bytes."""
    infos = (*graph.input, *graph.output, *graph.value_info)
    texts = [graph.name, *(t.name for t in graph.initializer), *(i.name for i in infos)]
    texts += [d.dim_param for i in infos for d in i.type.tensor_type.shape.dim]
    for node in graph.node:
        texts += [node.name, node.op_type, node.domain, *node.input, *node.output]
        texts += [a.name for a in node.attribute]
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        raise ModelError(f"a name in the model, {wrong!r}, is not text; export the model again.")


def _check_tensor(tensor: TensorProto) -> int:
    """Return the number of elements."""
    where = f"constant {tensor.name!r}"
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ModelError(
            f"{where} is in another file; load the model with onnx.load, or save it in one file."
        )
    if tensor.data_type not in _NUMBERS:
        raise UnsupportedOp(
            f"{where} has the element type {tensor.data_type}, which is no real number; hwgen "
            "reads floats and integers."
        )
    return check_shape(tensor.dims, where)


def _check_node(node: NodeProto) -> None:
    where = printable(node.name) or f"a node {node.op_type!r}"
    if not node.op_type.isidentifier():
        raise ModelError(f"{where}: {node.op_type!r} is not the name of an op; export again.")
    if not node.output or not node.output[0]:
        raise ModelError(f"{where}: has no output; export the model again.")
    for attribute in node.attribute:
        if attribute.type == AttributeProto.UNDEFINED:
            raise ModelError(f"{where}: attribute {attribute.name!r} has no type; export again.")
        if attribute.type in _SUBGRAPHS or attribute.graphs or attribute.HasField("g"):
            raise UnsupportedOp(
                f"{where}: {node.op_type} with a graph inside; hwgen builds chains without control "
                "flow. Export the branch that is taken."
            )


def _attached(node: NodeProto) -> list[TensorProto]:
    return [t for a in node.attribute if a.type in _TENSORS for t in (a.t, *a.tensors)]


def _check_order(graph: GraphProto, name: str) -> None:
    """Raise ModelError if a tensor has two writers or none, or depends on itself."""
    known = {info.name for info in graph.input} | {t.name for t in graph.initializer}
    writer: dict[str, int] = {}
    for i, node in enumerate(graph.node):
        for output in filter(None, node.output):
            if output in known or output in writer:
                raise ModelError(f"{name}: tensor {output!r} is written twice; export again.")
            writer[output] = i
    reads: dict[int, list[int]] = {}
    for i, node in enumerate(graph.node):
        for source in filter(None, node.input):
            if source not in known and source not in writer:
                raise ModelError(
                    f"{name}: tensor {source!r} is read, but nothing writes it; export again."
                )
            if source in writer:
                reads.setdefault(i, []).append(writer[source])
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        around = ", ".join(graph.node[i].op_type for i in error.args[1][:4])
        raise ModelError(f"{name}: the graph has a cycle ({around}); export again.") from None
    for output in graph.output:
        if output.name not in writer and output.name not in known:
            raise ModelError(f"{name}: nothing writes the output {output.name!r}; export again.")
