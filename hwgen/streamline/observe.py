"""The quantized tensors of the source model: its float values as the graph's codes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hwgen.graph.execute import channels_last
from hwgen.graph.ir import Graph, Requant, Table, Tensor, Threshold
from hwgen.num.inttype import IntArray


def quantized_tensors(graph: Graph) -> list[Tensor]:
    """Return the tensors that exist in the source model as a quantizer's output."""
    names = [graph.input]
    names += [e.y for e in graph.layers if isinstance(e, Threshold | Requant | Table)]
    return [t for t in map(graph.tensor, names) if t.source]


def activation_codes(
    graph: Graph, values: Mapping[str, npt.NDArray[np.float32]]
) -> dict[str, IntArray]:
    """Return the integer codes of every quantized tensor, by tensor name.

    values  (batch, ...) float values by the name in the source model
    """
    return {t.name: codes_of(t, values[t.source]) for t in quantized_tensors(graph)}


def codes_of(tensor: Tensor, values: npt.NDArray[np.float32]) -> IntArray:
    """Return the codes (batch, values) that stand for a source's values (batch, ...)."""
    v = channels_last(tensor, values).astype(np.float64)
    codes = np.rint(v / tensor.scale + tensor.zero_point).astype(np.int64)
    return codes.reshape(len(v), -1)
