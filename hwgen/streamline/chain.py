"""Split a QONNX graph into blocks: an accumulating op and the elementwise segment after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, helper

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.num.elementwise import Segment, Step
from hwgen.num.inttype import FloatArray
from hwgen.streamline.quantizers import QUANT_OPS, quant_step
from hwgen.streamline.read import Constant, Source

_BINARY = ("Add", "Sub", "Mul", "Div")
_SHAPE_OPS = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Transpose")
_SUPPORTED = (
    "Quant, BipolarQuant, MatMul, Gemm, Add, Sub, Mul, Div, Neg, BatchNormalization, Relu, Clip, "
    "Flatten, Reshape, Squeeze, Unsqueeze, Transpose (order kept), Identity, Dropout, ArgMax"
)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``segment(matmul(x))``; the first block of a model has no matmul (the host computes it)."""

    node: str  # name of the MatMul/Gemm node, "" for the input block
    weight: Constant | None  # (in, out)
    segment: Segment
    source: str  # float tensor after the matmul
    end: str  # float tensor after the segment


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The blocks in order, and whether an ArgMax ends the model."""

    blocks: tuple[Block, ...]
    argmax: str  # name of the ArgMax node, "" if there is none


def split(source: Source) -> Chain:
    """Return the blocks of a model.

    raises  UnsupportedOp, ModelError  naming the node, the reason and a remedy
    """
    blocks: list[Block] = []
    open_block = Block("", None, (), source.input, source.input)
    shape = (1, *source.input_shape)
    argmax = ""
    for node in _in_order(source):
        if argmax:
            raise UnsupportedOp(f"{node.name}: {node.op_type} after ArgMax; end the model there.")
        try:
            if node.op_type in ("MatMul", "Gemm"):
                blocks.append(open_block)
                weight, bias = _matrix(node, source, shape)
                open_block = Block(node.name, weight, bias, node.output[0], node.output[0])
                shape = (1, weight.value.shape[1])
            elif node.op_type in _SHAPE_OPS:
                shape = _reshaped(node, shape, source)
                open_block = _extended(open_block, (), node.output[0])
            elif node.op_type == "ArgMax":
                argmax = _argmax(node, shape)
            else:
                step = _step(node, shape, source)
                open_block = _extended(open_block, (step,), node.output[0])
        except (ValueError, LookupError) as error:
            raise ModelError(
                f"{node.name}: {node.op_type} on data of shape {list(shape)} is malformed "
                f"({error}); check the file with onnx.checker and export it again."
            ) from None
    if not blocks:
        raise ModelError(
            f"{source.name}: no MatMul or Gemm; hwgen builds fully connected networks."
        )
    return Chain((*blocks, open_block), argmax)


def _extended(block: Block, steps: Segment, end: str) -> Block:
    return Block(block.node, block.weight, block.segment + steps, block.source, end)


def _in_order(source: Source) -> list[NodeProto]:
    """Return the nodes from input to output; every tensor must have exactly one reader."""
    readers: dict[str, list[NodeProto]] = {}
    for node in source.nodes:
        for name in node.input:
            if name not in source.constants:
                readers.setdefault(name, []).append(node)
    path, here = [], source.input
    while here != source.output:
        found = readers.get(here, [])
        if len(found) != 1:
            names = ", ".join(n.name for n in found) or "nobody"
            raise UnsupportedOp(
                f"tensor {here!r} is read by {names}; hwgen builds chains, where each tensor has "
                "one reader. Remove the branch or export the chain alone."
            )
        path.append(found[0])
        here = found[0].output[0]
    return path


def _matrix(node: NodeProto, source: Source, shape: tuple[int, ...]) -> tuple[Constant, Segment]:
    """Return the weights as (in, out) and the bias of a Gemm as a segment."""
    weight = source.constants.get(node.input[1])
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if weight is None or weight.value.ndim != 2 or node.input[0] in source.constants:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} needs a data input on the left and a constant matrix on "
            "the right; write the layer as x @ W."
        )
    if attributes.get("transA", 0):
        raise UnsupportedOp(f"{node.name}: Gemm with transA; use a plain Linear layer.")
    if attributes.get("transB", 0):
        parts = (weight.value, weight.codes, weight.scale, weight.zero_point)
        weight = Constant(*(None if p is None else p.T for p in parts))  # type: ignore[arg-type]
    size = int(np.prod(shape))
    if shape[-1] != weight.value.shape[0] or size != shape[-1]:
        raise UnsupportedOp(
            f"{node.name}: input of shape {list(shape)} times weights of shape "
            f"{list(weight.value.shape)} is not one vector per frame; flatten the input before it."
        )
    alpha, beta = float(attributes.get("alpha", 1.0)), float(attributes.get("beta", 1.0))
    scaled = (Step("Mul", (np.array(alpha),), source=node.name),) if alpha != 1.0 else ()
    if len(node.input) < 3 or not node.input[2]:
        return weight, scaled
    bias = _per_channel(node, node.input[2], (1, weight.value.shape[1]), source) * beta
    return weight, (*scaled, Step("Add", (bias,), source=node.name))


def _reshaped(node: NodeProto, shape: tuple[int, ...], source: Source) -> tuple[int, ...]:
    """Return the new shape; the flat order of the elements must stay."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    size = int(np.prod(shape))
    if node.op_type == "Transpose":
        perm = attributes.get("perm", list(range(len(shape)))[::-1])
        order = np.arange(size).reshape(shape).transpose(perm)
        if np.any(order.ravel() != np.arange(size)):
            raise UnsupportedOp(
                f"{node.name}: Transpose of data {list(shape)} by {perm} changes the "
                "order of the elements; transpose the data before the model instead."
            )
        return order.shape
    if node.op_type == "Flatten":
        return (1, size)
    if node.op_type in ("Identity", "Dropout"):
        return shape
    if node.op_type == "Reshape":
        target = source.constants.get(node.input[1])
        if target is None:
            raise UnsupportedOp(f"{node.name}: Reshape to a computed shape; make it static.")
        return (
            np.empty(shape).reshape([int(d) or shape[i] for i, d in enumerate(target.value)]).shape
        )
    raw = (
        source.constants[node.input[1]].value if len(node.input) > 1 else attributes.get("axes", ())
    )
    axes = tuple(int(a) for a in np.asarray(raw).ravel())
    empty = np.empty(shape)
    return (np.squeeze(empty, axes or None) if node.op_type == "Squeeze"
            else np.expand_dims(empty, axes)).shape  # fmt: skip


def _argmax(node: NodeProto, shape: tuple[int, ...]) -> str:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if int(np.prod(shape)) != shape[-1] or attributes.get("axis", 0) % len(shape) != len(shape) - 1:
        raise UnsupportedOp(
            f"{node.name}: ArgMax over axis {attributes.get('axis', 0)} of {list(shape)}; hwgen "
            "takes the largest over all outputs. Use the last axis of one vector."
        )
    if attributes.get("select_last_index", 0):
        raise UnsupportedOp(f"{node.name}: ArgMax with select_last_index; use the first index.")
    return node.name


def _step(node: NodeProto, shape: tuple[int, ...], source: Source) -> Step:
    """Return an elementwise node as a step with per-channel constants."""
    name = node.name
    if node.op_type in QUANT_OPS:
        names = node.input[1:]
        step = quant_step(
            node, {n: source.constants[n].value for n in names if n in source.constants}
        )
        operands = tuple(_flat(node, o, shape) for o in step.operands)
        return Step("Quant", operands, step.quant, name)
    if node.op_type == "Relu":
        return Step("Relu", source=name)
    if node.op_type == "Neg":
        return Step("Neg", source=name)
    if node.op_type == "Clip":
        return Step("Clip", _clip_bounds(node, source), source=name)
    if node.op_type == "BatchNormalization":
        return _batch_norm(node, shape, source)
    if node.op_type in _BINARY:
        left = node.input[0] in source.constants
        value = _per_channel(node, node.input[0 if left else 1], shape, source)
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
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    bounds = [attributes.get("min", -np.inf), attributes.get("max", np.inf)]
    for i, name in enumerate(node.input[1:3]):
        if name:
            bounds[i] = source.constants[name].value
    low, high = (np.asarray(b, dtype=np.float64).reshape(()) for b in bounds)
    if low > high:
        raise ModelError(f"{node.name}: Clip to {low} .. {high}, an empty range; swap the bounds.")
    return low, high


def _batch_norm(node: NodeProto, shape: tuple[int, ...], source: Source) -> Step:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    channels = [1] * len(shape)
    channels[1] = -1
    values = tuple(
        _flat(node, _constant(node, n, source).reshape(channels), shape) for n in node.input[1:5]
    )
    epsilon = np.array(attributes.get("epsilon", 1e-5), dtype=np.float64)
    if np.any(values[3] + epsilon <= 0):
        raise ModelError(f"{node.name}: a variance is negative; check the training of this layer.")
    return Step("BatchNormalization", (*values, epsilon), source=node.name)


def _constant(node: NodeProto, name: str, source: Source) -> FloatArray:
    constant = source.constants.get(name)
    if constant is None:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} of two data tensors ({name!r} is not constant); hwgen "
            "builds chains. Remove the branch or export the chain alone."
        )
    if not np.all(np.isfinite(constant.value)):
        raise ModelError(
            f"{node.name}: constant {name!r} is infinite; check the training of this layer."
        )
    return np.asarray(constant.value, dtype=np.float64)


def _per_channel(node: NodeProto, name: str, shape: tuple[int, ...], source: Source) -> FloatArray:
    return _flat(node, _constant(node, name, source), shape)


def _flat(node: NodeProto, value: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return a constant that broadcasts to ``shape`` as () or (elements,) in flat order."""
    if value.size == 1:
        return value.reshape(()).astype(np.float64)
    try:
        return np.broadcast_to(value, shape).reshape(-1).astype(np.float64)
    except ValueError:
        raise UnsupportedOp(
            f"{node.name}: a constant of shape {list(value.shape)} does not broadcast to the data "
            f"{list(shape)}; check the layer's shapes."
        ) from None
