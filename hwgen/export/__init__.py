"""Stage 3, export: Brevitas model to QONNX, checked against Brevitas by the QONNX executor."""

from hwgen.export.brevitas_run import brevitas_activations, brevitas_outputs
from hwgen.export.export import check_against_executor, export_qonnx

__all__ = [
    "brevitas_activations",
    "brevitas_outputs",
    "check_against_executor",
    "export_qonnx",
]
