"""Ops that people bring and hwgen has no integer form for: what to do about each."""

from __future__ import annotations

from collections.abc import Iterable

from onnx import NodeProto

from hwgen.errors import UnsupportedOp

_QCDQ = (
    "This is a QCDQ export; export the same model as QONNX, with brevitas.export.export_qonnx, "
    "which keeps every bit width and rounding."
)
_RECURRENT = (
    "hwgen builds feed-forward networks; unroll the layer over time or leave it to the host."
)
_NORM = (
    "It needs statistics of each frame; train with batch norm, whose constants fold into the next "
    "quantizer."
)
_FOREIGN = {"QuantizeLinear": _QCDQ, "DequantizeLinear": _QCDQ, "QuantLSTMCell": _RECURRENT}
_REMEDIES = {
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "RNN": _RECURRENT,
    "LayerNormalization": _NORM,
    "InstanceNormalization": _NORM,
    "GroupNormalization": _NORM,
    "Softmax": "End the model before it: the largest output stays the largest.",
    "Trunc": "Pool with AvgPool2d and put a quantizer (QuantIdentity) after it.",
}


def refuse_foreign(nodes: Iterable[NodeProto]) -> None:
    """Raise UnsupportedOp for a node of another kind of file, which QONNX tools do not read."""
    for node in nodes:
        if node.op_type in _FOREIGN:
            raise no_integer_form(node, "")


def no_integer_form(node: NodeProto, supported: str) -> UnsupportedOp:
    """Return the error of an op that hwgen does not know.

    supported  the ops that it knows, for those without a remedy of their own
    """
    remedy = {**_FOREIGN, **_REMEDIES}.get(node.op_type) or (
        f"Replace it in the model, or move it to the host; supported: {supported}."
    )
    return UnsupportedOp(f"{node.name}: op {node.op_type} has no integer form here. {remedy}")
