"""Any QONNX network of products and activations -> integer QONNX, exactly or with a reason."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto

from hwgen.graph.check import check
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import read
from hwgen.streamline.write import METADATA_KEY, integer_qonnx

__all__ = ["METADATA_KEY", "streamline"]


def streamline(model: ModelProto | str | Path) -> ModelProto:
    """Return the integer QONNX model that computes the same codes as a QONNX model.

    raises  ModelError, UnsupportedOp  naming the node, the reason and a remedy
    """
    source = read(model)
    return integer_qonnx(check(lower(source, split(source)), "lower"))
