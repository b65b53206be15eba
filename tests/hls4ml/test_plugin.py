"""hwgen behind hls4ml's own entry points, on float QONNX as exporters leave it."""

from __future__ import annotations

import subprocess
import sys
import types
import warnings
from pathlib import Path

import hls4ml
import numpy as np
import pytest
from hls4ml.backends import plugin_loader
from onnx import TensorProto, helper, numpy_helper

import hwgen
from hwgen import hls4ml_plugin
from hwgen.errors import ModelError, UnsupportedOp
from hwgen.hls4ml_backend import to_graph
from hwgen.streamline.write import integer_qonnx

ZOO = Path(__file__).parents[3] / "shared/zoo"
FIRST, LAST = "/net/fc 1/MatMul", 'it\'s "fc.2"'


@pytest.fixture
def float_model():
    """Wild node names, numeric tensors, no shapes inside, a Pow: hls4ml reads none of it."""
    constants = {
        "25": np.ones((4, 3), np.float32),
        "26": np.ones((3, 2), np.float32),
        "27": np.full(1, 2.0, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["0", "25"], ["30"], name=FIRST),
        helper.make_node("Pow", ["27", "27"], ["31"], name="Pow_1"),
        helper.make_node("Mul", ["30", "31"], ["32"], name="Mul_2"),
        helper.make_node("MatMul", ["32", "26"], ["33"], name=LAST),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("0", [1, 2, 2]), ("33", [1, 2]))
    ]
    initializers = [numpy_helper.from_array(w, name) for name, w in constants.items()]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], initializers))


@pytest.fixture
def flow(monkeypatch):
    """Stand-in for ``hwgen.flow`` that doubles its inputs and keeps what it was asked."""
    asked = []

    def build_from_source(source, out, *, reuse=None, target_cycles=None, part=None):
        asked.append((source.model, out, reuse, target_cycles, part))
        return Path(out) / "written"

    def run(directory, x, engine):
        asked.append((directory, x.shape, engine))
        return 2 * x.reshape(len(x), -1)[:, :2].astype(np.float64)

    stub = types.ModuleType("hwgen.flow")
    stub.asked, stub.build_from_source, stub.run = asked, build_from_source, run
    stub.synthesise = lambda directory, part="default": {"lut": 7, "part": part}
    monkeypatch.setitem(sys.modules, "hwgen.flow", stub)
    monkeypatch.setattr(hwgen, "flow", stub, raising=False)
    return stub


def convert(model, out="out", **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return hls4ml.converters.convert_from_onnx_model(
            model, backend="hwgen", output_dir=str(out), **kwargs
        )


def config_of(model, **kwargs):
    return hls4ml.utils.config_from_onnx_model(model, backend="hwgen", **kwargs)


def test_an_ordinary_script_runs_the_rtl(float_model, flow, tmp_path):
    config = config_of(float_model, granularity="name")
    model = convert(float_model, tmp_path, hls_config=config)
    model.compile()
    x = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    y = model.predict(x)
    np.testing.assert_array_equal(y, 2 * x.reshape(3, 4)[:, :2])
    assert y.dtype == np.float32
    assert model.predict(x[:1]).shape == (2,)  # hls4ml drops the batch of one sample
    assert model.build() == {"lut": 7, "part": "default"}
    (source, out, *folding), *runs = flow.asked
    assert (source.graph, out, folding) == (float_model.graph, tmp_path, [1, None, None])
    assert runs == [(out / "written", (n, 2, 2), "rtl") for n in (1, 3, 1)]


def test_the_config_lists_the_layers_that_multiply(float_model):
    config = config_of(float_model, granularity="name", default_reuse_factor=3)
    assert config["LayerName"] == {FIRST: {"ReuseFactor": 3}, LAST: {"ReuseFactor": 3}}
    types_only = config_of(float_model, granularity="type", default_reuse_factor=3)
    assert types_only["LayerType"] == {"MatMul": {"ReuseFactor": 3}}


@pytest.mark.parametrize(
    ("hls_config", "reuse", "cycles"),
    [
        (None, 1, None),
        ({"Model": {"ReuseFactor": 6}}, 6, None),
        ({"Model": {}, "LayerName": {LAST: {"ReuseFactor": 2}}}, {FIRST: 1, LAST: 2}, None),
        ({"Model": {"ReuseFactor": 6}, "LayerType": {"MatMul": {"ReuseFactor": 4}},
          "LayerName": {LAST: {"ReuseFactor": 2}}}, {FIRST: 4, LAST: 2}, None),
        ({"Model": {"ReuseFactor": 6, "TargetCycles": 40}}, None, 40),
    ],
)  # fmt: skip
def test_reuse_factors_reach_the_build(float_model, flow, tmp_path, hls_config, reuse, cycles):
    convert(float_model, tmp_path, hls_config=hls_config).write()
    assert flow.asked[0][2:4] == (reuse, cycles)


def test_a_part_is_the_budget_and_the_target(float_model, flow, tmp_path):
    assert convert(float_model, tmp_path, part="ecp5-85k").build()["part"] == "ecp5-85k"
    assert flow.asked[0][4] == "ecp5-85k"


def test_names_the_options_it_does_not_honour(float_model):
    config = config_of(float_model, granularity="name")
    config["Model"]["Strategy"] = "Resource"
    config["LayerName"][FIRST]["Precision"] = {"result": "fixed<8,3>"}
    config["LayerName"]["Pow_1"] = {"ReuseFactor": 4}
    wrong = f"Strategy of Model, Precision of {FIRST}, ReuseFactor of Pow_1"
    expected = f"^hwgen ignores {wrong}: .*ReuseFactor, TargetCycles and part alone"
    with pytest.warns(UserWarning, match=expected):
        hls4ml.converters.convert_from_onnx_model(float_model, backend="hwgen", hls_config=config)
    with pytest.warns(UserWarning, match="hwgen ignores clock_period, io_parallel: "):
        hls4ml.converters.convert_from_onnx_model(
            float_model, backend="hwgen", clock_period=5, io_type="io_parallel"
        )


def test_hwgen_errors_reach_the_user(float_model, flow, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise UnsupportedOp("Erf_3: no integer form")

    monkeypatch.setattr(flow, "build_from_source", refuse)
    with pytest.raises(UnsupportedOp, match=r"^Erf_3: no integer form$"):
        convert(float_model, tmp_path).compile()
    float_model.graph.output.append(float_model.graph.output[0])
    with pytest.raises(ModelError, match=r"^g: 1 inputs and 2 outputs"):
        convert(float_model, tmp_path)


def test_an_integer_model_converts_to_its_own_layers(binary):
    model = convert(integer_qonnx(binary))
    kinds = [layer.class_name for layer in model.get_layers() if layer.class_name != "Constant"]
    assert kinds == ["Input", "XnorPopcountMatMul", "MultiThreshold", "MatMul"]


def test_other_backends_keep_hls4mls_parser(float_model):
    with pytest.raises(Exception, match=r"Could not find the shape|Unsupported operation"):
        hls4ml.utils.config_from_onnx_model(float_model, backend="Vitis")
    with pytest.raises(Exception, match=r"Could not find the shape|Unsupported operation"):
        hls4ml.converters.convert_from_onnx_model(float_model, backend="Vitis")


@pytest.mark.parametrize("first", ["hls4ml", "hwgen.hls4ml_backend"])
def test_hls4ml_finds_the_plugin_whichever_is_imported_first(first):
    script = f"import {first}, hls4ml; print(hls4ml.backends.get_backend('hwgen').name)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("hwgen\n", "")


def test_registers_once_and_again_without_effect(binary):
    before = dict(plugin_loader.register_backend.__globals__["backend_map"])
    plugin_loader._register_plugin_object("hwgen", hls4ml_plugin.register)
    assert plugin_loader.register_backend.__globals__["backend_map"] == before
    assert to_graph(integer_qonnx(binary)).name == "binary"


def test_a_failing_registration_shows_its_own_message(monkeypatch, capsys):
    def fail(*args):
        raise TypeError("the true reason")

    monkeypatch.setattr(hls4ml_plugin, "get_available_backends", list)
    monkeypatch.setattr(hls4ml_plugin, "register_layers", fail)
    plugin_loader._register_plugin_object("hwgen", hls4ml_plugin.register)
    assert "TypeError: the true reason" in capsys.readouterr().out


@pytest.mark.skipif(not ZOO.exists(), reason="needs the model zoo in ../shared")
@pytest.mark.parametrize("name", ["TFC_1W1A", "kwsmlp_w3a3"])
def test_converts_zoo_models_that_stock_hls4ml_does_not(name, flow, tmp_path):
    path = str(ZOO / f"{name}.onnx")
    config = config_of(path, default_reuse_factor=64)
    assert len(config["LayerName"]) == 4
    model = convert(path, tmp_path, hls_config=config)
    model.compile()
    assert flow.asked[0][2] == 64
    assert model.get_input_variables()[0].size() == {"TFC_1W1A": 784, "kwsmlp_w3a3": 490}[name]
