"""int8 TFLite models -> the integer graph, with the arithmetic of TFLite's reference kernels."""

from __future__ import annotations

from hwgen.graph.check import check
from hwgen.graph.ir import Graph
from hwgen.tflite.chain import split
from hwgen.tflite.lower import lower
from hwgen.tflite.read import load, read

__all__ = ["left_to_host", "load", "read", "to_graph"]


def to_graph(content: bytes, name: str) -> Graph:
    """Return the integer graph that computes the same codes as a TFLite file called ``name``.

    It ends before a final SOFTMAX or DEQUANTIZE, which the host computes.

    raises  ModelError, UnsupportedOp  naming the node, the reason and a remedy
    """
    network = read(content, name)
    return check(lower(network, split(network)), "tflite")


def left_to_host(content: bytes, name: str) -> list[str]:
    """Return the kinds of the ops at the end of a file that are not in its integer graph."""
    return [op.kind for op in split(read(content, name)).host]
