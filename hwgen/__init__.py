"""hwgen: quantized PyTorch models to proved FPGA dataflow accelerators, with no vendor tool."""

__version__ = "0.1.0"
