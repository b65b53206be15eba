"""Attributes of ONNX nodes."""

from __future__ import annotations

from typing import Any

from onnx import NodeProto, helper


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of a node as Python values."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
