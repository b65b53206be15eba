"""Convolutional networks that others trained, in RTL, integer for integer."""

import json
from pathlib import Path

import pytest

from hwgen import flow

ZOO = Path(__file__).parents[3] / "shared/zoo"

pytestmark = pytest.mark.skipif(not ZOO.is_dir(), reason="needs the model zoo in ../shared")


@pytest.mark.parametrize(
    ("name", "cycles", "samples", "yardstick"),
    [
        ("kws_ref_model_int8.tflite", 40_000, 5, "tflite"),
        ("separable_conv_model_ch_last.onnx", 2_400_000, 1, "qonnx"),  # 512 x 512 pixels
    ],
)
def test_exact_in_rtl_at_the_promised_rate(name, cycles, samples, yardstick, tmp_path):
    out = flow.build(ZOO / name, tmp_path / "out", target_cycles=cycles)
    result = flow.verify(out, samples=samples, witnesses=[yardstick, "reference", "rtl"])
    names = [w["name"] for w in result["witnesses"]]
    assert names == [yardstick, "reference", "rtl", "rtl, random stalls"]
    assert result["mismatches"] == 0
    assert all(w["compared"] > 0 for w in result["witnesses"])
    promised = json.loads((out / "manifest.json").read_text())["predicted"]["ii_cycles"]
    assert promised <= cycles
    assert samples == 1 or result["ii_cycles"] == promised
