"""Elementwise nodes of the source as steps with per-channel constants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.num.elementwise import Kind, Segment, Step
from hwgen.num.inttype import FloatArray
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.layout import Layout
from hwgen.streamline.quantizers import QUANT_OPS, quant_step
from hwgen.streamline.read import Source
from hwgen.streamline.remedies import no_integer_form

_BINARY = ("Add", "Sub", "Mul", "Div")
_PLAIN = ("Relu", "Neg", "Sigmoid", "Tanh", "Erf", "Softplus")
_SUPPORTED = (
    "Quant, BipolarQuant, MatMul, Gemm, Conv, MaxPool, AveragePool, GlobalAveragePool, ReduceMean, "
    "Add, Sub, Mul, Div, Neg, BatchNormalization, Relu, Clip, LeakyRelu, PRelu, Elu, Sigmoid, "
    "Tanh, Erf, Gelu, Softplus, Mish, HardSigmoid, HardSwish, Pow, Flatten, Reshape, Squeeze, "
    "Unsqueeze, Transpose, Identity, Dropout, ArgMax"
)


def elementwise(
    node: NodeProto, data: Layout, source: Source, values: Mapping[str, int]
) -> Segment:
    """Return the elementwise ``node`` that reads ``data`` as steps.

    values  the tensors of its block that it may combine, by the number of steps before them
    raises  UnsupportedOp, ModelError
    """
    name, op, given = node.name, node.op_type, attributes_of(node)
    if op in QUANT_OPS:
        return (_quantizer(node, data, source),)
    if op in _PLAIN:
        return (Step(op, source=name),)
    if op in _BINARY:
        return (_binary(node, data, source, values),)
    match op:
        case "Clip":
            return (Step("Clip", _clip_bounds(node, source), source=name),)
        case "BatchNormalization":
            return (_batch_norm(node, data, source),)
        case "LeakyRelu":
            return (Step("PRelu", (np.array(given.get("alpha", 0.01)),), source=name),)
        case "PRelu":
            slope = data.per_channel(name, source.constant(node, node.input[1]))
            return (Step("PRelu", (slope,), source=name),)
        case "Elu":
            return (Step("Elu", (np.array(given.get("alpha", 1.0)),), source=name),)
        case "HardSigmoid":
            return hard_sigmoid(given.get("alpha", 0.2), given.get("beta", 0.5), name)
        case "Pow":
            return _power(node, source, max(values.values()))
        case "HardSwish" | "Mish" | "Gelu":
            return gated(op, given.get("approximate", b"none"), max(values.values()), name)
    raise no_integer_form(node, _SUPPORTED)


def hard_sigmoid(alpha: float, beta: float, name: str) -> Segment:
    """Return ``clip(alpha * x + beta, 0, 1)``."""
    nil, one = np.array(0.0), np.array(1.0)
    return (
        Step("Mul", (np.array(alpha),), source=name),
        Step("Add", (np.array(beta),), source=name),
        Step("Clip", (nil, one), source=name),
    )


def gated(op: str, approximate: bytes, at: int, name: str) -> Segment:
    """Return HardSwish, Mish or Gelu of the value after ``at`` steps: ``x * gate(x)``."""

    def by(kind: Kind, constant: float) -> Step:
        return Step(kind, (np.array(constant),), source=name)

    def with_x(kind: Kind) -> Step:
        return Step(kind, source=name, earlier=at)

    if op == "HardSwish":
        return (*hard_sigmoid(1 / 6, 0.5, name), with_x("Mul"))
    if op == "Mish":
        return (Step("Softplus", source=name), Step("Tanh", source=name), with_x("Mul"))
    if approximate == b"tanh":
        cube = (with_x("Mul"), with_x("Mul"), by("Mul", 0.044715), with_x("Add"))
        curve: Segment = (*cube, by("Mul", np.sqrt(2 / np.pi)), Step("Tanh", source=name))
    else:
        curve = (by("Mul", np.sqrt(0.5)), Step("Erf", source=name))
    return (*curve, by("Add", 1.0), with_x("Mul"), by("Mul", 0.5))


def _power(node: NodeProto, source: Source, at: int) -> Segment:
    exponent = source.constant(node, node.input[1])
    if node.input[0] in source.constants or exponent.size != 1 or exponent.flat[0] not in (2, 3):
        raise UnsupportedOp(
            f"{node.name}: Pow other than the square or cube of data; write it as products, or "
            "move it to the host."
        )
    return (Step("Mul", source=node.name, earlier=at),) * (int(exponent.flat[0]) - 1)


def _quantizer(node: NodeProto, data: Layout, source: Source) -> Step:
    names = node.input[1:]
    step = quant_step(node, {n: source.constants[n].value for n in names if n in source.constants})
    operands = tuple(data.per_channel(node.name, o) for o in step.operands)
    return Step("Quant", operands, step.quant, node.name)


def _binary(node: NodeProto, data: Layout, source: Source, values: Mapping[str, int]) -> Step:
    left, right = node.input
    kind = node.op_type
    if left in source.constants or right in source.constants:
        swapped = left in source.constants
        value = data.per_channel(node.name, source.constant(node, left if swapped else right))
        if kind == "Div" and np.any(value == 0) and not swapped:
            raise ModelError(f"{node.name}: divides by 0; check the training of this constant.")
        operands: tuple[FloatArray, ...] = (value,)
        earlier = None
    else:
        here = max(values.values(), default=-1)
        swapped = values.get(left) != here
        other = left if swapped else right
        operands, earlier = (), values.get(other)
        if earlier is None:
            raise source.branch(other)
    if kind == "Div" and (swapped or earlier is not None):
        raise UnsupportedOp(
            f"{node.name}: division by data; hwgen divides by constants only. Replace it in the "
            "model, or move it to the host."
        )
    kind = "RSub" if swapped and kind == "Sub" else kind
    return Step(kind, operands, source=node.name, earlier=earlier)  # type: ignore[arg-type]


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
