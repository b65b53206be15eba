"""Run generated RTL in Verilator."""
