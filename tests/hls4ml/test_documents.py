"""The code of docs/from_hls4ml.md runs as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from hwgen import flow

DOCUMENT = Path(__file__).parents[2] / "docs" / "from_hls4ml.md"


def test_the_code_for_pytorch_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "config_from_pytorch_model" in block]
    names: dict[str, object] = {}
    exec(code, names)
    assert np.shape(names["y"]) == (100, 4)
    assert len(np.unique(names["y"])) > 50
    result = flow.verify(tmp_path / "build" / "mine", samples=50, witnesses=("hls4ml", "rtl"))
    assert result["mismatches"] == 0
    assert not result["not_run"]
