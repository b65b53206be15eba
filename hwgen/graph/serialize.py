"""Graph <-> JSON text, arrays inline: one file holds all that the hardware is made from."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from hwgen.graph import ir
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.num.rounding import Overflow, Rounding

_CLASSES = {
    cls.__name__: cls
    for cls in (ir.Window, ir.Dense, ir.XnorDense, ir.Depthwise, ir.MaxPool, ir.Threshold,
                ir.Requant, ir.Table, ir.ArgMax, ir.Upsample, ir.Add, ir.Concat, ir.Graph,
                ir.Tensor, ir.Fold, Step, QuantSpec)
}  # fmt: skip
_ENUMS = {cls.__name__: cls for cls in (ir.Order, Rounding, Overflow)}


def dumps(graph: ir.Graph) -> str:
    """Return ``graph`` as JSON text; the same graph always gives the same text."""
    return json.dumps(_plain(graph), separators=(",", ":"))


def loads(text: str) -> ir.Graph:
    """Return the graph that ``dumps`` wrote."""
    graph = _object(json.loads(text))
    assert isinstance(graph, ir.Graph)
    return graph


def _plain(value: Any) -> Any:
    if type(value).__name__ in _ENUMS:
        return {"enum": type(value).__name__, "value": str(value)}
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **fields}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _object(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_object(v) for v in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = np.array(value["array"], dtype=value["dtype"])
        array.flags.writeable = False
        return array
    if "enum" in value:
        return _ENUMS[value["enum"]](value["value"])
    fields = {k: _object(v) for k, v in value.items() if k != "is"}
    return _CLASSES[value["is"]](**fields)
