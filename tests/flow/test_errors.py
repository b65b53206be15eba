"""Bad input: one paragraph on stderr, exit code 2, nothing half written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.cli import main
from hwgen.sim.verilator import find_verilator
from models import Chain


@pytest.fixture
def model(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    chain = Chain((8,)).quant(0.5, bits=4).dense(rng.normal(0, 1, (6, 8)), 0.3, name="fc1")
    onnx.save(chain.model(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def fails(capsys, *args, says: str) -> None:
    assert main([str(a) for a in args]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_not_an_onnx_file(tmp_path, capsys):
    (tmp_path / "x.onnx").write_text("this is not a model")
    fails(capsys, "build", tmp_path / "x.onnx", "--out", tmp_path / "b", says="x.onnx: not an ONNX")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.onnx"]


def test_reuse_that_cannot_be_met(model, tmp_path, capsys):
    fails(capsys, "build", model, "--out", tmp_path / "b", "--reuse", 5,
          says="fc1: reuse 5 cannot be met")  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.onnx"]


def test_unknown_part(model, tmp_path, capsys):
    fails(capsys, "build", model, "--out", tmp_path / "b", "--part", "xc9z999",
          says="part 'xc9z999' is not known; choose one of xc7a35t, ")  # fmt: skip


def test_unwritable_output(model, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    fails(capsys, "build", model, "--out", tmp_path / "file" / "b", says="cannot be written (")
    fails(capsys, "build", model, "--out", "/proc/nowhere/b", says="/proc/nowhere/b: cannot be")


def test_a_folder_that_is_no_build(tmp_path, capsys):
    for command in ("verify", "synth", "report"):
        fails(capsys, command, tmp_path, says="no manifest.json, so this is not a build directory")


def test_missing_verilator(model, tmp_path, capsys, monkeypatch, request):
    assert main(["build", str(model), "--out", str(tmp_path / "b")]) == 0
    capsys.readouterr()
    monkeypatch.setenv("HWGEN_VERILATOR", str(tmp_path / "no" / "verilator"))
    find_verilator.cache_clear()
    request.addfinalizer(find_verilator.cache_clear)
    fails(capsys, "verify", tmp_path / "b", "--witness", "rtl", says="install verilator")


@pytest.mark.parametrize(
    ("array", "says"),
    [(np.zeros((3, 7)), "inputs have shape [3, 7], the model takes (batch, 8)"),
     (np.full((2, 8), np.nan), "inputs hold NaN or infinite values"),
     (np.zeros((0, 8)), "give a batch of at least one such frame")],
)  # fmt: skip
def test_wrong_inputs(model, tmp_path, capsys, array, says):
    main(["build", str(model), "--out", str(tmp_path / "b")])
    capsys.readouterr()
    np.save(tmp_path / "x.npy", array)
    fails(capsys, "run", tmp_path / "b", "--input", tmp_path / "x.npy", "--output",
          tmp_path / "y.npy", says=says)  # fmt: skip
    assert not (tmp_path / "y.npy").exists()


@pytest.mark.parametrize("name", ["manifest.json", "graph.json"])
@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"is": "Foo"}'])
def test_a_damaged_build(model, tmp_path, capsys, name, content):
    main(["build", str(model), "--out", str(tmp_path / "b")])
    capsys.readouterr()
    (tmp_path / "b" / name).write_text(content)
    fails(capsys, "verify", tmp_path / "b", says=f"{name}: not what hwgen build wrote (")


def test_a_missing_memory_image(model, tmp_path, capsys):
    main(["build", str(model), "--out", str(tmp_path / "b")])
    capsys.readouterr()
    next((tmp_path / "b" / "rtl").glob("*_w.mem")).unlink()
    fails(capsys, "verify", tmp_path / "b", "--witness", "rtl", says="$readmem file not found")


def test_a_proof_that_compares_nothing(model, tmp_path, capsys):
    main(["build", str(model), "--out", str(tmp_path / "b")])
    capsys.readouterr()
    fails(capsys, "verify", tmp_path / "b", "--witness", "brevitas", says="nothing was compared")


@pytest.mark.parametrize(
    "arguments", [["--samples", "0"], ["--seed", "-1"], ["--witness", "oracle"]]
)
def test_a_wrong_option(tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tmp_path), *arguments])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_input_that_is_no_array(model, tmp_path, capsys):
    main(["build", str(model), "--out", str(tmp_path / "b")])
    capsys.readouterr()
    (tmp_path / "x.npy").write_text("1 2 3")
    fails(capsys, "run", tmp_path / "b", "--input", tmp_path / "x.npy", "--output",
          tmp_path / "y.npy", says="x.npy: not a readable .npy array")  # fmt: skip


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_the_old_one_whole(model, tmp_path, sent):
    out = tmp_path / "b"
    main(["build", str(model), "--out", str(out)])
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    script = (
        "import signal, sys, time, hwgen.flow as flow\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs ignore it
        "flow.write_rtl = lambda *a: (print('in', flush=True), time.sleep(60))\n"
        "from hwgen.cli import main\n"
        f"sys.exit(main(['build', {str(model)!r}, '--out', {str(out)!r}]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout.readline().strip() == "in"
    time.sleep(0.1)
    process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err == "hwgen: error: interrupted; nothing half written is left.\n"
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before
