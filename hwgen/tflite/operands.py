"""What a TFLite op asks of its operands: types, scales, constants, shapes."""

from __future__ import annotations

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.num.inttype import IntArray
from hwgen.tflite.arithmetic import ACTIVATIONS, Multiplier, activation_range
from hwgen.tflite.read import Operator, Value


def int8(op: Operator, value: Value) -> Value:
    """Return ``value`` if it is int8 with one scale; raises UnsupportedOp if not."""
    if value.dtype != "int8" or not value.quantized or value.scale.ndim:
        kind = "int8 without a single scale" if value.dtype == "int8" else value.dtype
        raise UnsupportedOp(
            f"{op.name}: tensor {value.name!r} is {kind}; hwgen reads int8 activations with a "
            "scale per tensor. Convert with full integer quantization (TFLITE_BUILTINS_INT8)."
        )
    return value


def space_of(value: Value) -> tuple[int, ...]:
    """Return the axes between batch and channels."""
    return value.shape[1:-1]


def require_image(op: Operator, x: Value, space: tuple[int, ...], size: int) -> None:
    """Raise UnsupportedOp unless ``x`` is an image (1, *space, size), as the layer before gives."""
    if x.shape != (1, *space, size) or len(x.shape) != 4:
        raise UnsupportedOp(
            f"{op.name}: its input {list(x.shape)} is a reshaped {[1, *space, size]}; hwgen reads "
            "images in the order in which the layer before writes them. Move the reshape to the "
            "input or the output of the network."
        )


def clamp(op: Operator, y: Value) -> tuple[int, int]:
    """Return the codes that the fused activation clamps the output ``y`` to."""
    activation = op.options.get("FusedActivationFunction", "NONE")
    if activation not in ACTIVATIONS:
        raise UnsupportedOp(
            f"{op.name}: fused activation {activation}; hwgen reads {', '.join(ACTIVATIONS)}."
        )
    return activation_range(activation, float(y.scale), int(y.zero_point))


def data(op: Operator) -> Value:
    """Return the operand that comes from the layer before; the chain has one."""
    return next(v for v in op.inputs if v is not None and v.data is None)


def constant(op: Operator, index: int) -> Value:
    """Return the constant operand number ``index``; raises UnsupportedOp if it is none."""
    value = op.inputs[index] if index < len(op.inputs) else None
    if value is None or value.data is None:
        raise UnsupportedOp(
            f"{op.name}: operand {index} is not a constant; hwgen keeps weights in the hardware. "
            "Convert a model with frozen weights."
        )
    return value


def kernel_weights(op: Operator, axis: int) -> IntArray:
    """Return the weights in their own shape; output channels, and their scales, along ``axis``."""
    w = constant(op, 1)
    assert w.data is not None
    if w.dtype != "int8" or not w.quantized:
        raise UnsupportedOp(f"{op.name}: {w.dtype} weights; hwgen reads quantized int8 weights.")
    if np.any(w.zero_point):
        raise UnsupportedOp(
            f"{op.name}: weights with a zero point other than 0; TFLite's int8 kernels take "
            "symmetric weights. Quantize the model again."
        )
    if w.scale.ndim and w.axis != axis:
        raise UnsupportedOp(f"{op.name}: weight scales along axis {w.axis}, not {axis}.")
    return w.data.astype(np.int64)


def bias(op: Operator, rows: int) -> IntArray:
    """Return the bias (rows,), zeros where there is none."""
    if len(op.inputs) < 3 or op.inputs[2] is None:
        return np.zeros(rows, dtype=np.int64)
    value = constant(op, 2)
    assert value.data is not None
    if value.dtype != "int32" or value.shape != (rows,):
        raise UnsupportedOp(
            f"{op.name}: a bias of {value.dtype} {list(value.shape)}; int8 layers have int32 "
            f"[{rows}]."
        )
    return value.data.astype(np.int64)


def require_int32(op: Operator, lo: IntArray, hi: IntArray, by: Multiplier) -> None:
    """Raise UnsupportedOp unless TFLite can multiply lo .. hi within int32."""
    if np.any(np.maximum(-lo, hi) >= np.ldexp(2.0**31, -np.maximum(by.shift, 0))):
        raise UnsupportedOp(
            f"{op.name}: its integers ({int(lo.min())} .. {int(hi.max())}, times up to "
            f"2**{int(by.shift.max())}) can leave int32, where TFLite's result is undefined. Check "
            "the scales and the bias; quantize the model again."
        )
