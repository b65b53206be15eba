"""The scripts of examples/ run as they are, and hwgen proves what they build."""

import subprocess
import sys
from pathlib import Path

from hwgen import flow

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_own_model(tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "own_model.py", tmp_path / "own"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    difference = float(done.stdout.split("largest difference, hardware to PyTorch: ")[1])
    assert difference < 1e-4  # float32 scales; the integers are compared below
    assert flow.verify(tmp_path / "own" / "accelerator", samples=200)["mismatches"] == 0
