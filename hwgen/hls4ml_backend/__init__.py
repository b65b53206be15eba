"""hls4ml as the translator: integer QONNX -> hls4ml -> integer graph, and its Vitis project."""

# First, and whole: hls4ml loads hwgen.hls4ml_plugin, which imports modules of this package.  Where
# hls4ml came first it is still half imported here, so these modules look names up when called.
import hls4ml  # noqa: F401

from hwgen.hls4ml_backend.csim import Csim, compile_csim, csim_output, csim_trace
from hwgen.hls4ml_backend.fixed.stock import run_stock
from hwgen.hls4ml_backend.lower import to_graph
from hwgen.hls4ml_backend.vitis import settle, write_vitis

__all__ = [
    "Csim",
    "compile_csim",
    "csim_output",
    "csim_trace",
    "run_stock",
    "settle",
    "to_graph",
    "write_vitis",
]
