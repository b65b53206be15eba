"""TFLite files the whole way: build, witnesses, a planted fault, run, Vitis project."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from test_zoo import KWS
from tflite_models import FLOAT, Chain, interpret

from hwgen import flow
from hwgen.cli import main
from hwgen.errors import HwgenError


def network() -> Chain:
    """Every kind of layer: padding, strides, both convolutions, tables, pooling, dense."""
    rng = np.random.default_rng(0)
    chain = Chain((7, 6, 2), None, FLOAT)
    chain.op("QUANTIZE", [], (7, 6, 2), (np.float32(0.03), 12), schema.QuantizeOptionsT())
    chain.pad((1, 0), (0, 2), (0, 0))
    chain.conv(rng.integers(-127, 128, (4, 3, 3, 2)), rng.integers(-900, 900, 4),
               rng.uniform(0.002, 0.02, 4), (0.05, -128), (2, 1), padding="SAME",
               activation="RELU6")  # fmt: skip
    chain.depthwise(rng.integers(-127, 128, (2, 3, 4)), rng.integers(-900, 900, 4),
                    rng.uniform(0.002, 0.02, 4), (0.1, -7), dilation=(1, 2))  # fmt: skip
    chain.add(rng.integers(-128, 128, 4), (0.05, 3), (0.15, -20))
    chain.elementwise("LEAKY_RELU", (0.1, 5), alpha=0.2).pool((2, 2), (1, 2))
    chain.reshape(int(np.prod(chain.shape)))
    weights = rng.integers(-127, 128, (5, chain.shape[0]))
    return chain.dense(weights, rng.integers(-900, 900, 5), 0.01, (0.3, 4)).softmax()


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tflite") / "small.tflite"
    path.write_bytes(network().content())
    return path


@pytest.fixture(scope="module")
def built(file) -> Path:
    return flow.build(file, file.parent / "out", target_cycles=1000)


def test_every_witness_says_the_same(built, file):
    result = flow.verify(built, samples=60)
    names = [w["name"] for w in result["witnesses"]]
    assert names == ["tflite", "reference", "csim", "rtl", "rtl, random stalls"]
    assert (result["mismatches"], result["not_run"]) == (0, [])
    assert all(w["compared"] for w in result["witnesses"])
    manifest = json.loads((built / "manifest.json").read_text())
    assert manifest["left_to_host"] == ["SOFTMAX"]
    assert manifest["source"]["file"] == "small.tflite"
    assert result["ii_cycles"] == manifest["predicted"]["ii_cycles"]
    assert (built / "model.tflite").read_bytes() == file.read_bytes()


def test_the_interpreter_witnesses_the_quantizer_of_the_input(built, capsys):
    assert main(["verify", str(built), "--witness", "tflite", "qonnx", "--samples", "20"]) == 0
    printed = capsys.readouterr().out
    assert f"qonnx                not run: {built} has no model.onnx" in printed
    assert f"{20 * (84 + 128 + 3 * 48 + 16 + 5):>10} integers" in printed


def test_a_changed_weight_in_the_source_is_found(built, file):
    changed = bytearray(file.read_bytes())
    raw = network()
    weights = next(t for t in raw.tensors if t.name == "weights")
    start = changed.index(raw.buffers[weights.buffer].data.tobytes())
    changed[start] ^= 0x40
    (built / "model.tflite").write_bytes(changed)
    result = flow.verify(built, samples=20, witnesses=["tflite"])
    (built / "model.tflite").write_bytes(file.read_bytes())
    assert result["mismatches"] > 0
    assert result["first_mismatch"]["layer"] == "conv_2d_2_requant"


def test_run_gives_the_logits_that_the_interpreter_gives(built, file):
    x = np.random.default_rng(1).normal(0, 2, (9, 7, 6, 2)).astype(np.float32)
    codes = interpret(file.read_bytes(), x)["fully_connected_8"]
    for engine in ("rtl", "reference"):
        y = flow.run(built, x, engine)
        np.testing.assert_array_equal(y, np.float64(np.float32(0.3)) * (codes - 4.0))


def test_vitis_project(file, tmp_path):
    verdict = flow.vitis(file, tmp_path / "vitis", samples=20)
    assert (verdict.mismatches, verdict.compared > 0) == (0, True)


def test_errors_are_one_paragraph(tmp_path, capsys):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"nothing")
    assert main(["build", str(path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == (
        "hwgen: error: broken: not a TFLite file (bytes 4 to 8 are not 'TFL3'); convert the model "
        "with TFLiteConverter, full integer quantization to int8.\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not KWS.exists(), reason="needs the model zoo in ../shared")
def test_keyword_reference_in_hardware(tmp_path):
    built = flow.build(KWS, tmp_path / "kws", target_cycles=40_000)
    result = flow.verify(built, samples=3, witnesses=["tflite", "rtl"])
    assert result["mismatches"] == 0
    assert result["ii_cycles"] == 40_000


@pytest.mark.parametrize("flat", [False, True])
def test_elementwise_layers_at_the_input(flat, tmp_path):
    rng = np.random.default_rng(0)
    chain = Chain((3, 4, 3), (0.05, 3)).elementwise("LEAKY_RELU", (0.05, 3), alpha=0.2)
    if flat:
        chain.reshape(36).dense(rng.integers(-127, 128, (5, 36)), np.zeros(5, int), 0.01, (0.3, 4))
    else:
        chain.conv(rng.integers(-127, 128, (4, 2, 2, 3)), np.zeros(4, int), 0.01, (0.3, 4))
    file = tmp_path / "small.tflite"
    file.write_bytes(chain.content())
    built = flow.build(file, tmp_path / "out", target_cycles=64)
    result = flow.verify(built, samples=20, witnesses=["tflite", "rtl"])
    manifest = json.loads((built / "manifest.json").read_text())
    assert result["mismatches"] == 0
    assert result["ii_cycles"] == manifest["predicted"]["ii_cycles"]


def test_only_elementwise_layers(tmp_path):
    file = tmp_path / "small.tflite"
    file.write_bytes(Chain((4,), (0.05, 3)).elementwise("RELU", (0.05, 3)).content())
    with pytest.raises(HwgenError, match="nothing to build"):
        flow.build(file, tmp_path / "out")
