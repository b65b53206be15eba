"""Layers without a standard op as QONNX custom ops: the QONNX executor runs integer graphs too.

Data is channels last: (1, channels), (1, length, channels) or (1, height, width, channels).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from hwgen.graph import ir
from hwgen.graph.execute import windows
from hwgen.graph.windows import paired, window_space
from hwgen.num.rounding import Overflow, Rounding, confine, shift_round

DOMAIN = "hwgen.streamline.ops"


class _IntegerOp(CustomOp):
    """What the ops share: data in, data out."""

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a standard op of the same shape."""
        return helper.make_node("Relu", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: Any) -> None:
        """Keep the type that the model declares."""

    def verify_node(self) -> list[str]:
        """Nothing beyond the attribute types."""
        return []

    def _operands(self, context: dict[str, Any]) -> list[np.ndarray]:
        return [np.asarray(context[name]).astype(np.int64) for name in self.onnx_node.input]

    def _result(self, context: dict[str, Any], y: np.ndarray) -> None:
        context[self.onnx_node.output[0]] = y.astype(np.float32)


class Window(_IntegerOp):
    """The values under a kernel, (*kernel, channel), for each output position."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: name -> (type, required, default)."""
        names = ("kernel", "stride", "dilation", "pads")  # pads: all before, then all after
        return {name: ("ints", True, []) for name in names} | {"pad": ("i", True, 0)}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a constant of the output's shape."""
        shape = model.get_tensor_shape(self.onnx_node.input[0])
        layer = self._layer()
        space = window_space(layer, tuple(shape[1:-1]))
        return self.make_const_shape_op([shape[0], *space, prod(layer.kernel) * shape[-1]])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Gather."""
        (x,) = self._operands(context)
        self._result(context, windows(self._layer(), x))

    def _layer(self) -> ir.Window:
        kernel, stride, dilation, pads = (
            tuple(self.get_nodeattr(name)) for name in ("kernel", "stride", "dilation", "pads")
        )
        pad = self.get_nodeattr("pad")
        return ir.Window("", "", "", kernel, stride, dilation, paired(pads), pad)


class Depthwise(_IntegerOp):
    """``y[c] = sum over k of weights[c, k] * x[k, c]``; the input's channels are (tap, channel)."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: none."""
        return {}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a constant of the output's shape."""
        x, weights = (model.get_tensor_shape(name) for name in self.onnx_node.input)
        return self.make_const_shape_op([*x[:-1], weights[0]])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Compute in int64."""
        x, weights = self._operands(context)
        taps = x.reshape(*x.shape[:-1], weights.shape[1], weights.shape[0])
        self._result(context, (taps * weights.T).sum(axis=-2))


class MaxOfTaps(_IntegerOp):
    """``y[c] = max over k of x[k, c]``; the input's channels are (tap, channel)."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: name -> (type, required, default)."""
        return {"taps": ("i", True, 1)}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a constant of the output's shape."""
        shape = model.get_tensor_shape(self.onnx_node.input[0])
        return self.make_const_shape_op([*shape[:-1], shape[-1] // self.get_nodeattr("taps")])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Compare."""
        (x,) = self._operands(context)
        self._result(context, x.reshape(*x.shape[:-1], self.get_nodeattr("taps"), -1).max(axis=-2))


class Table(_IntegerOp):
    """``y[c] = table[c, x[c] - lo]``; one row serves all channels."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: name -> (type, required, default)."""
        return {"lo": ("i", True, 0)}

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Look up."""
        x, table = self._operands(context)
        rows = np.arange(x.shape[-1]) if len(table) > 1 else 0
        self._result(context, table[rows, x - self.get_nodeattr("lo")])


class Requant(_IntegerOp):
    """``y = confine(round((multiplier * x + bias) / 2**shift), lo, hi)``, per channel."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, int | str]]:
        """Return the attributes: name -> (type, required, default)."""
        return {
            "shift": ("i", True, 0),
            "rounding": ("s", True, "floor"),
            "lo": ("i", True, 0),
            "hi": ("i", True, 0),
            "overflow": ("s", False, "saturate"),
        }

    def infer_node_datatype(self, model: Any) -> None:
        """Annotate the output with the narrowest integer type."""
        lo, hi = self.get_nodeattr("lo"), self.get_nodeattr("hi")
        bits = max((-lo - 1).bit_length() + 1 if lo < 0 else 0, hi.bit_length() + (lo < 0))
        name = f"{'INT' if lo < 0 else 'UINT'}{max(bits, 1)}"
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[name])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Compute in int64."""
        x, multiplier, bias = self._operands(context)
        scaled = multiplier * x + bias
        shift, rounding = self.get_nodeattr("shift"), Rounding(self.get_nodeattr("rounding"))
        y = shift_round(scaled, shift, rounding)
        lo, hi = self.get_nodeattr("lo"), self.get_nodeattr("hi")
        self._result(context, confine(y, lo, hi, Overflow(self.get_nodeattr("overflow"))))


class WeightedAdd(_IntegerOp):
    """``y = gain_a * a + gain_b * b``."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: name -> (type, required, default)."""
        return {"gain_a": ("i", True, 1), "gain_b": ("i", True, 1)}

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Add."""
        a, b = self._operands(context)
        self._result(context, a * self.get_nodeattr("gain_a") + b * self.get_nodeattr("gain_b"))


class ChannelConcat(_IntegerOp):
    """The channels of ``a``, then those of ``b``."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: none."""
        return {}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return the standard's Concat."""
        return helper.make_node("Concat", self.onnx_node.input, self.onnx_node.output, axis=-1)

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Put in a row."""
        self._result(context, np.concatenate(self._operands(context), axis=-1))


class PixelUpsample(_IntegerOp):
    """Each pixel ``factor`` times along each axis, or once with ``fill`` between (``apart``)."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: name -> (type, required, default)."""
        sizes: dict[str, tuple[str, bool, Any]] = {
            name: ("ints", True, []) for name in ("factor", "space")
        }
        return sizes | {"apart": ("i", True, 0), "fill": ("i", True, 0)}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """Return a constant of the output's shape."""
        shape = model.get_tensor_shape(self.onnx_node.input[0])
        return self.make_const_shape_op([shape[0], *self.get_nodeattr("space"), shape[-1]])

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """Look up the pixel of each position."""
        (x,) = self._operands(context)
        space, factor = self.get_nodeattr("space"), self.get_nodeattr("factor")
        at = np.indices(space)
        pixel = tuple(axis // f for axis, f in zip(at, factor, strict=True))
        y = x[(slice(None), *pixel)]
        if self.get_nodeattr("apart"):
            between = np.any([a % f for a, f in zip(at, factor, strict=True)], axis=0)
            y[:, between] = self.get_nodeattr("fill")
        self._result(context, y)


custom_op = {
    op.__name__: op
    for op in (
        Requant, Window, Depthwise, MaxOfTaps, Table, WeightedAdd, ChannelConcat, PixelUpsample
    )
}  # fmt: skip
