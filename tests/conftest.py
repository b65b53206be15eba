"""Shared by all tests: helper modules beside a test are importable."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent / "streamline")]
