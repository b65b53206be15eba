"""The main job by its commands: train, build, verify on held-out frames, report."""

import json
from pathlib import Path

import pytest

from hwgen.cli import main

TINY = Path(__file__).parents[1] / "train" / "tiny"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "tiny"
    command = [
        "train",
        str(TINY),
        "--profile",
        "demo",
        "--weight-bits",
        "4",
        "1",
        "--out",
        str(out),
    ]
    assert main(command) == 0
    return out


@pytest.mark.parametrize("bits", [4, 1])
def test_all_five_witnesses_agree_on_a_network_that_was_just_trained(trained, bits, capsys):
    build = trained / f"accelerator_w{bits}"
    model = trained / f"w{bits}" / "model.onnx"
    assert main(["build", str(model), "--target-cycles", "256", "--out", str(build)]) == 0
    assert main(["verify", str(build), "--samples", "200"]) == 0
    result = json.loads((build / "verify.json").read_text())
    names = [w["name"] for w in result["witnesses"]]
    assert names == ["brevitas", "qonnx", "reference", "csim", "rtl", "rtl, random stalls"]
    assert result["mismatches"] == 0
    assert result["inputs"] == "real, frames.npy"
    assert main(["report", str(build)]) == 0
    page = (build / "report.html").read_text()
    assert "0 mismatches" in page
    assert "two-stage" in page
    assert "0 mismatches" in capsys.readouterr().out
