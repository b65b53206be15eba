"""hls4ml as the translator: integer QONNX -> hls4ml -> integer graph, and its Vitis project."""

import hls4ml  # noqa: F401  first: it loads hwgen.hls4ml_plugin, which imports the modules below

from hwgen.hls4ml_backend.csim import Csim, compile_csim, csim_output, csim_trace
from hwgen.hls4ml_backend.lower import to_graph
from hwgen.hls4ml_backend.vitis import write_vitis

__all__ = ["Csim", "compile_csim", "csim_output", "csim_trace", "to_graph", "write_vitis"]
