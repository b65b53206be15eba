"""QONNX quantizer nodes as integer grids: which codes exist and what real value each has."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from hwgen.errors import UnsupportedOp
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.num.float_rounding import QONNX_MODES
from hwgen.num.inttype import FloatArray
from hwgen.streamline.attributes import attributes_of

QUANT_OPS = ("Quant", "IntQuant", "BipolarQuant")
MAX_BITS = 16  # of data and weights; wider ones would leave int64 accumulators behind
MAX_CONSTANT_BITS = 32  # of a constant that is only added, such as a bias


def quant_step(node: NodeProto, operands: dict[str, FloatArray], max_bits: int = MAX_BITS) -> Step:
    """Return the quantizer ``node`` as a step; ``operands`` holds its constant inputs by name.

    A sign (``BipolarQuant``, or a signed 1-bit ``Quant``, which QONNX defines as a sign) has codes
    0 and 1: value ``s * (2 * code - 1)`` is scale ``2 s``, zero point 1/2.
    raises  UnsupportedOp  parameters that are not constant, or a grid hwgen does not know
    """
    if len(node.input) < (2 if node.op_type == "BipolarQuant" else 4):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} has {len(node.input)} inputs; QONNX gives it data, scale"
            + (" alone." if node.op_type == "BipolarQuant" else ", zero point and bit width.")
        )
    missing = [name for name in node.input[1:] if name not in operands]
    if missing:
        raise UnsupportedOp(
            f"{node.name}: quantizer parameter {missing[0]!r} is computed at run time; hardware "
            "needs it constant. Freeze the scale (export the model in eval mode)."
        )
    values = [np.asarray(operands[name], dtype=np.float64) for name in node.input[1:]]
    scale = values[0]
    if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise UnsupportedOp(
            f"{node.name}: scale {float(scale.min())} is not positive; a quantizer's step must be. "
            "Check the training of this scale."
        )
    if node.op_type == "BipolarQuant":
        return _sign(node, scale)
    attributes = attributes_of(node)
    zero_point, bits = values[1], _bits(node, values[2], max_bits)
    signed, narrow = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0))
    if not np.all(np.isfinite(zero_point)):
        raise UnsupportedOp(f"{node.name}: a zero point is not finite; check the training.")
    if bits == 1 and signed:
        if np.any(zero_point != 0):
            raise UnsupportedOp(
                f"{node.name}: a signed 1-bit Quant with zero point {zero_point.flat[0]} has no "
                "agreed meaning in QONNX; use BipolarQuant or an unsigned 1-bit Quant."
            )
        return _sign(node, scale)
    return Step(
        "Quant",
        (scale, zero_point),
        QuantSpec(
            lo=-(1 << (bits - 1)) + narrow if signed else 0,
            hi=(1 << (bits - 1)) - 1 if signed else (1 << bits) - 1 - narrow,
            rounding=_rounding(node, attributes.get("rounding_mode", b"ROUND")),
        ),
        source=node.name,
    )


def _sign(node: NodeProto, scale: FloatArray) -> Step:
    return Step(
        "Quant", (2 * scale, np.array(0.5)), QuantSpec(0, 1, bipolar=True), source=node.name
    )


def _bits(node: NodeProto, value: FloatArray, most: int) -> int:
    if value.size != 1 or not 1 <= float(value.flat[0]) <= most or value.flat[0] % 1:
        raise UnsupportedOp(
            f"{node.name}: bit width {value.ravel().tolist()[:4]} is not one whole number from 1 "
            f"to {most}; choose one in the quantizer."
        )
    return int(value.flat[0])


def _rounding(node: NodeProto, mode: object) -> str:
    text = mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)
    name = text.upper()
    if name not in QONNX_MODES:
        raise UnsupportedOp(
            f"{node.name}: rounding mode {name!r} is not one of {', '.join(QONNX_MODES)}; "
            "choose one of these in the quantizer."
        )
    return name
