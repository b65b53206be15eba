"""Integer QONNX through hls4ml comes back as the graph it was written from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from hwgen.errors import ModelError
from hwgen.graph import ir
from hwgen.graph.execute import trace
from hwgen.graph.serialize import dumps
from hwgen.hls4ml_backend import to_graph
from hwgen.streamline.write import integer_qonnx


@pytest.mark.parametrize("name", ["wide", "binary", "modes"])
def test_returns_the_graph_that_was_written(name, request):
    graph = request.getfixturevalue(name)
    unfolded = [dataclasses.replace(e, fold=ir.Fold()) if isinstance(e, ir.Dense) else e
                for e in graph.layers]  # fmt: skip
    expected = dataclasses.replace(graph, layers=tuple(unfolded))
    assert dumps(to_graph(integer_qonnx(graph))) == dumps(expected)


def test_the_executor_rounds_and_overflows_alike(modes):
    model = ModelWrapper(integer_qonnx(modes))
    for row in np.random.default_rng(0).integers(-128, 128, (40, 3)):
        found = execute_onnx(model, {"codes": row[None].astype(np.float32)}, True)
        for name, codes in trace(modes, row[None]).items():
            np.testing.assert_array_equal(found[name], codes, err_msg=name)


def test_keeps_thresholds_above_float32(wide):
    steps = to_graph(integer_qonnx(wide)).layers[1].thresholds
    assert (1 << 24) + 1 in steps
    assert (1 << 24) + 3 in steps


def test_marks_odd_weights(wide):
    layers = to_graph(integer_qonnx(wide)).products()
    assert [layer.odd for layer in layers] == [False, True, False, False]


def test_spreads_one_row_of_thresholds_over_the_channels(binary):
    model = integer_qonnx(binary)
    steps = next(w for w in model.graph.initializer if w.name == "act1_thresholds")
    steps.CopyFrom(numpy_helper.from_array(np.array([[7.0]]), steps.name))
    expected = dataclasses.replace(binary.layers[1], thresholds=np.full((16, 1), 7))
    np.testing.assert_array_equal(to_graph(model).layers[1].thresholds, expected.thresholds)


def test_rejects_fractional_weights(binary):
    model = integer_qonnx(binary)
    weights = next(w for w in model.graph.initializer if w.name == "fc2_weight")
    weights.CopyFrom(numpy_helper.from_array(np.full((16, 3), 0.5, np.float32), weights.name))
    with pytest.raises(ModelError, match=r"^fc2, weights: 0\.5 is not an integer; .*streamliner"):
        to_graph(model)


def test_rejects_a_model_that_was_not_streamlined(binary):
    model = integer_qonnx(binary)
    del model.metadata_props[:]
    with pytest.raises(ModelError, match=r"no hwgen\.graph metadata"):
        to_graph(model)
