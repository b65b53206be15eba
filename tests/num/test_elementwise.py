"""Elementwise functions against onnxruntime, and rounding modes against the QONNX executor."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from qonnx.custom_op.general.quant import resolve_rounding_mode

from hwgen.num.elementwise import Step, direction, evaluate, rebased
from hwgen.num.float_rounding import ROUND

X = np.concatenate([np.linspace(-30, 30, 20_001), np.linspace(-1e-3, 1e-3, 101)])[:, None]
ROUNDING = 2.0**-24  # of a float32 operation on values up to 1
ATTRIBUTES = {"Elu": {"alpha": 0.7}}


def onnxruntime_says(op, x, **attributes):
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 1]) for n in "xy"]
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"], **attributes)], op, info[:1], info[1:]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": x.astype(np.float32)})[0]


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Erf", "Softplus", "Elu"])
def test_curves_within_the_roundings_that_float32_answers_are_allowed(op):
    attributes = ATTRIBUTES.get(op, {})
    step = Step(op, tuple(np.array(v) for v in attributes.values()))
    x = X.astype(np.float32)
    exact = evaluate((step,), x.astype(np.float64))
    allowed = 8 * ROUNDING * np.maximum(np.abs(exact), 1)
    assert np.all(np.abs(onnxruntime_says(op, x, **attributes) - exact) <= allowed)
    assert np.all(np.diff(exact[:20_001], axis=0) >= 0)
    assert direction((step,)) == 1


def test_a_step_may_take_up_an_earlier_value():
    gate = (Step("Sigmoid"), Step("Mul", earlier=0), Step("Sub", earlier=1))
    sigmoid = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(evaluate(gate, X), X * sigmoid - sigmoid, atol=1e-12)
    assert direction(gate) == 0
    behind = (Step("Neg"), Step("Sigmoid"), Step("Mul", earlier=1), Step("Sub", earlier=2))
    np.testing.assert_allclose(evaluate(rebased(behind, 1), -X), evaluate(behind, X))


def test_direction_per_channel():
    slopes = Step("PRelu", (np.array([0.3, 0.0, -0.1]),))
    assert direction((slopes,)).tolist() == [1, 1, 0]
    assert direction((Step("Neg"), slopes)).tolist() == [-1, -1, 0]


def test_rounding_modes_are_those_of_the_executor():
    x = np.arange(-8, 9) / 4
    for mode in ("ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"):
        np.testing.assert_array_equal(ROUND[mode](x), resolve_rounding_mode(mode)(x), err_msg=mode)
