"""Constant expressions of exporters: which are evaluated, and how large their result may be."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from onnx import NodeProto

from hwgen.errors import UnsupportedOp
from hwgen.limits import check_shape
from hwgen.num.inttype import FloatArray
from hwgen.streamline.attributes import attributes_of

_BROADCAST = (
    "Add", "And", "BitShift", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub", "Sum", "Where", "Xor",
)  # fmt: skip
_NOT_LARGER = (  # than the first input
    "Abs", "Cast", "Ceil", "Clip", "Constant", "Erf", "Exp", "Flatten", "Floor", "HardSigmoid",
    "Identity", "IsNaN", "LeakyRelu", "Log", "Neg", "NonZero", "Not", "Reciprocal", "ReduceL1",
    "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
    "ReduceSumSquare", "Relu", "Reshape", "Round", "Shape", "Sigmoid", "Sign", "Size", "Slice",
    "Softmax", "Softplus", "Split", "Sqrt", "Squeeze", "Tanh", "Transpose", "Trunc", "Unsqueeze",
)  # fmt: skip


def check_foldable(node: NodeProto, inputs: list[FloatArray]) -> None:
    """Raise unless ``node`` is evaluated at build time and its result is not too large.

    raises  UnsupportedOp, ModelError;  ValueError, LookupError  the operands do not fit together
    """
    where = f"{node.name}: the constant expression {node.op_type}"
    if node.op_type in _NOT_LARGER:
        return
    if node.op_type in _BROADCAST:
        shape: tuple[int, ...] = np.broadcast_shapes(*(x.shape for x in inputs))
    elif node.op_type in _SHAPES:
        attributes = attributes_of(node)
        shape = _SHAPES[node.op_type](inputs, attributes)
    else:
        raise UnsupportedOp(
            f"{where} is not one that hwgen evaluates; fold constants in the exporter."
        )
    check_shape(shape, where)


def _product(x: list[FloatArray], _: dict[str, object]) -> tuple[int, ...]:
    return (*x[0].shape[:-1], *x[1].shape[:-2], x[1].shape[-1])


def _gemm(x: list[FloatArray], attributes: dict[str, object]) -> tuple[int, ...]:
    rows = x[0].shape[1 if attributes.get("transA") else 0]
    return rows, x[1].shape[0 if attributes.get("transB") else 1]


def _pad(x: list[FloatArray], attributes: dict[str, object]) -> tuple[int, ...]:
    pads = np.asarray(x[1] if len(x) > 1 else attributes["pads"], dtype=object)
    before, after = pads.reshape(2, -1)
    return tuple(n + max(int(a), 0) + max(int(b), 0)
                 for n, a, b in zip(x[0].shape, before, after, strict=True))  # fmt: skip


def _gather(x: list[FloatArray], attributes: dict[str, object]) -> tuple[int, ...]:
    axis = int(attributes.get("axis", 0))  # type: ignore[call-overload]
    return (*np.delete(np.array(x[0].shape, dtype=object), axis), *x[1].shape)


_SHAPES: dict[str, Callable[[list[FloatArray], dict[str, object]], tuple[int, ...]]] = {
    "Concat": lambda x, _: (sum(part.size for part in x),),
    "ConstantOfShape": lambda x, _: tuple(map(int, x[0])),
    "Expand": lambda x, _: np.broadcast_shapes(x[0].shape, tuple(map(int, x[1]))),
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": _product,
    "Pad": _pad,
    "Range": lambda x, _: (max(0, ceil((float(x[1]) - float(x[0])) / float(x[2]))),),
    "Tile": lambda x, _: tuple(n * int(r) for n, r in zip(x[0].shape, x[1], strict=True)),
}
