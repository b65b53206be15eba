"""Elementwise nodes of the source as steps with per-channel constants."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.num.elementwise import Step
from hwgen.num.inttype import FloatArray
from hwgen.streamline.layout import Layout
from hwgen.streamline.products import attributes_of
from hwgen.streamline.quantizers import QUANT_OPS, quant_step
from hwgen.streamline.read import Source

_BINARY = ("Add", "Sub", "Mul", "Div")
_SUPPORTED = (
    "Quant, BipolarQuant, MatMul, Gemm, Conv, AveragePool, GlobalAveragePool, ReduceMean, Add, "
    "Sub, Mul, Div, Neg, BatchNormalization, Relu, Clip, Flatten, Reshape, Squeeze, Unsqueeze, "
    "Transpose, Identity, Dropout, ArgMax"
)


def elementwise(node: NodeProto, data: Layout, source: Source) -> Step:
    """Return the elementwise ``node`` that reads ``data``; raises UnsupportedOp, ModelError."""
    name = node.name
    if node.op_type in QUANT_OPS:
        names = node.input[1:]
        step = quant_step(
            node, {n: source.constants[n].value for n in names if n in source.constants}
        )
        operands = tuple(data.per_channel(name, o) for o in step.operands)
        return Step("Quant", operands, step.quant, name)
    if node.op_type == "Relu":
        return Step("Relu", source=name)
    if node.op_type == "Neg":
        return Step("Neg", source=name)
    if node.op_type == "Clip":
        return Step("Clip", _clip_bounds(node, source), source=name)
    if node.op_type == "BatchNormalization":
        return _batch_norm(node, data, source)
    if node.op_type in _BINARY:
        left = node.input[0] in source.constants
        value = data.per_channel(name, source.constant(node, node.input[0 if left else 1]))
        if left and node.op_type == "Div":
            raise UnsupportedOp(f"{name}: a constant divided by data is not affine; avoid it.")
        if node.op_type == "Div" and np.any(value == 0):
            raise ModelError(f"{name}: divides by 0; check the training of this constant.")
        kind = "RSub" if left and node.op_type == "Sub" else node.op_type
        return Step(kind, (value,), source=name)  # type: ignore[arg-type]
    raise UnsupportedOp(
        f"{name}: op {node.op_type} has no integer form here; supported: {_SUPPORTED}. Replace it "
        "in the model, or move it to the host."
    )


def _clip_bounds(node: NodeProto, source: Source) -> tuple[FloatArray, FloatArray]:
    attributes = attributes_of(node)
    bounds = [attributes.get("min", -np.inf), attributes.get("max", np.inf)]
    for i, name in enumerate(node.input[1:3]):
        if name:
            bounds[i] = source.constants[name].value
    low, high = (np.asarray(b, dtype=np.float64).reshape(()) for b in bounds)
    if low > high:
        raise ModelError(f"{node.name}: Clip to {low} .. {high}, an empty range; swap the bounds.")
    return low, high


def _batch_norm(node: NodeProto, data: Layout, source: Source) -> Step:
    axes = [1] * len(data.shape)
    axes[1 if node.domain == "" else -1] = -1
    values = tuple(
        data.per_channel(node.name, source.constant(node, n).reshape(axes)) for n in node.input[1:5]
    )
    epsilon = np.array(attributes_of(node).get("epsilon", 1e-5), dtype=np.float64)
    if np.any(values[3] + epsilon <= 0):
        raise ModelError(f"{node.name}: a variance is negative; check the training of this layer.")
    return Step("BatchNormalization", (*values, epsilon), source=node.name)
