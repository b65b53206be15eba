"""Brevitas' QONNX exporter, taught the mid-rise weight grid."""

import torch
from brevitas.export.onnx.qonnx.function import BrevitasQuantOp
from brevitas.export.onnx.qonnx.handler import BrevitasWeightQuantProxyHandler
from brevitas.export.onnx.qonnx.manager import QONNXManager
from brevitas.proxy import WeightQuantProxyFromInjector


class MidRiseHandler(BrevitasWeightQuantProxyHandler):
    """Writes weights on ``(q + 1/2) * step`` as a ``Quant`` node with zero point -1/2.

    One bit is the exception: the QONNX executor reads a signed 1-bit ``Quant`` as bipolar +-1 and
    ignores the zero point, so +-step/2 is written as the odd codes of a narrow 2-bit grid.
    Brevitas itself refuses a 1-bit weight with a zero point.
    """

    def validate(self, bit_width: torch.Tensor, zero_point: torch.Tensor) -> None:
        """Accept every bit width and zero point."""

    def prepare_for_export(self, module: WeightQuantProxyFromInjector) -> None:
        """Collect the arguments of the ``Quant`` node."""
        super().prepare_for_export(module)
        arguments = self.symbolic_kwargs
        if int(arguments["bit_width"]) == 1 and float(arguments["zero_point"]) == -0.5:
            self.quant_op = BrevitasQuantOp
            arguments["scale"] = arguments["scale"] / 2
            arguments["zero_point"] = torch.zeros_like(arguments["zero_point"])
            arguments["bit_width"] = torch.full_like(arguments["bit_width"], 2)
            arguments["narrow_range"] = True


class MidRiseManager(QONNXManager):
    """QONNXManager with the mid-rise handler in place of the one for weights."""

    handlers = (
        MidRiseHandler,
        *(h for h in QONNXManager.handlers if h is not BrevitasWeightQuantProxyHandler),
    )
