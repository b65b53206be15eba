"""The requantizer as a QONNX custom op, so that the QONNX executor runs integer graphs too."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from hwgen.num.rounding import Rounding, shift_round

DOMAIN = "hwgen.streamline.ops"


class Requant(CustomOp):
    """``y = clamp(round((multiplier * x + bias) / 2**shift), lo, hi)``, per channel."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, int | str]]:
        """Return the attributes: name -> (type, required, default)."""
        return {
            "shift": ("i", True, 0),
            "rounding": ("s", True, "floor"),
            "lo": ("i", True, 0),
            "hi": ("i", True, 0),
        }

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a standard op of the same shape."""
        return helper.make_node("Relu", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: Any) -> None:
        """Annotate the output with the narrowest integer type."""
        lo, hi = self.get_nodeattr("lo"), self.get_nodeattr("hi")
        bits = max((-lo - 1).bit_length() + 1 if lo < 0 else 0, hi.bit_length() + (lo < 0))
        name = f"{'INT' if lo < 0 else 'UINT'}{max(bits, 1)}"
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[name])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Compute in int64."""
        x, multiplier, bias = (np.asarray(context[n]) for n in self.onnx_node.input)
        scaled = multiplier.astype(np.int64) * x.astype(np.int64) + bias.astype(np.int64)
        shift, rounding = self.get_nodeattr("shift"), Rounding(self.get_nodeattr("rounding"))
        y = shift_round(scaled, shift, rounding)
        y = np.clip(y, self.get_nodeattr("lo"), self.get_nodeattr("hi"))
        context[self.onnx_node.output[0]] = y.astype(np.float32)

    def verify_node(self) -> list[str]:
        """Nothing beyond the attribute types."""
        return []


custom_op = {"Requant": Requant}
