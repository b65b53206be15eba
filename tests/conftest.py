"""Shared by all tests: the builders of models and graphs, and the fuzzer, are importable."""

import sys
from pathlib import Path

sys.path += [
    str(Path(__file__).parent / folder) for folder in ("", "streamline", "graph", "tflite")
]
