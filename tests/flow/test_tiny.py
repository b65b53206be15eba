"""The whole way on a small network: build, five witnesses (but Brevitas), faults, run."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen import flow
from hwgen.cli import main
from hwgen.qonnx_executor import execute_qonnx
from models import Chain


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    chain = Chain((2, 8), name="tiny").add("Flatten", axis=1).quant(0.25, bits=6)
    chain.dense(rng.normal(0, 0.5, (12, 16)), rng.uniform(0.05, 0.2, (12, 1)), name="fc/one")
    chain.batch_norm(rng, 12).add("Relu").quant(0.3, bits=3, signed=0, name='act"; exec one')
    chain.dense(rng.normal(0, 0.5, (8, 12)), 0.11, name="fc two").add("Relu")
    chain.quant(0.5, bits=8, signed=0, name="act$2").dense(rng.normal(0, 1, (5, 8)), 0.1, name="fc")
    return chain.model()


@pytest.fixture(scope="module")
def built(network, tmp_path_factory) -> Path:
    return flow.build_from_model(network, tmp_path_factory.mktemp("tiny") / "out", target_cycles=24)


@pytest.fixture(scope="module")
def verified(built) -> dict:
    return flow.verify(built, samples=300)


def test_no_witness_differs(verified):
    names = [w["name"] for w in verified["witnesses"]]
    assert names == ["qonnx", "reference", "csim", "rtl", "rtl, random stalls"]
    assert verified["mismatches"] == 0
    assert all(w["compared"] > 0 for w in verified["witnesses"])


def test_the_measured_initiation_interval_is_the_predicted_one(built, verified):
    manifest = json.loads((built / "manifest.json").read_text())
    assert verified["ii_cycles"] == manifest["predicted"]["ii_cycles"] <= 24


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize("engine", ["rtl", "csim", "reference"])
def test_run_gives_real_outputs_in_the_models_shape(built, network, engine, tmp_path):
    x = np.random.default_rng(1).normal(0, 4, (20, 2, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    args = [
        "run",
        str(built),
        "--input",
        str(tmp_path / "x.npy"),
        "--output",
        str(tmp_path / "y.npy"),
    ]
    assert main([*args, "--engine", engine]) == 0
    onnx.save(network, tmp_path / "model.onnx")
    (expected,) = execute_qonnx(tmp_path / "model.onnx", x).values()
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-4, atol=1e-4)


def test_a_second_run_does_not_compile_again(built, verified):
    before = {p: p.stat().st_mtime_ns for p in (built / "sim").rglob("*")}
    flow.run(built, np.zeros((3, 2, 8)), "rtl")
    assert {p: p.stat().st_mtime_ns for p in (built / "sim").rglob("*")} == before


def flip(path: Path, line: int) -> None:
    """Flip bit 4 of one memory word."""
    lines = path.read_text().split()
    lines[line] = f"{int(lines[line], 16) ^ 16:0{len(lines[line])}x}"
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize(
    ("memory", "layer"),
    [("fc_two_w.mem", "fc_two"), ("act_exec_one_t_p000_s00.mem", "act_exec_one")],
)
def test_a_corrupted_memory_word_is_named(built, tmp_path, memory, layer):
    broken = tmp_path / "out"
    shutil.copytree(built, broken)
    flip(broken / "rtl" / memory, 0)
    first = flow.verify(broken, samples=300, witnesses=["reference", "rtl"])["first_mismatch"]
    assert (first["witness"], first["layer"], first["channel"]) == ("rtl", layer, 0)
    assert first["expected"] != first["got"]


def test_the_same_model_builds_the_same_files(network, built, tmp_path):
    again = flow.build_from_model(network, tmp_path / "again", target_cycles=24)
    for path in (built / "rtl").iterdir():
        assert path.read_text() == (again / "rtl" / path.name).read_text()
    assert (built / "graph.json").read_text() == (again / "graph.json").read_text()


def test_vitis_writes_a_checked_project_of_its_own_place(network, tmp_path):
    onnx.save(network, tmp_path / "model.onnx")
    verdict = flow.vitis(tmp_path / "model.onnx", tmp_path / "vitis", samples=100)
    assert verdict.mismatches == 0
    assert verdict.compared > 0
    written = [path for path in (tmp_path / "vitis").rglob("*") if path.is_file()]
    assert {"build_prj.tcl", "hls4ml_config.yml", "manifest.json"} <= {p.name for p in written}
    assert not [path for path in written if path.suffix == ".so"]
    assert not [path for path in written if b"/.vitis." in path.read_bytes()]  # the stage's name
