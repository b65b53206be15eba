"""Shared by all tests: the builders of models and graphs are importable everywhere."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent / folder) for folder in ("streamline", "graph", "tflite")]
