"""Activations that curve, through thresholds where they are monotone and through tables if not."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import onnx
import pytest
from exact import assert_exact, assert_integer_onnx_exact, saved

from hwgen.errors import UnsupportedOp
from hwgen.graph.ir import Dense, Table, Threshold
from hwgen.num.elementwise import Step
from hwgen.streamline import streamline
from hwgen.streamline.float32 import Interval, float32_bounds
from models import Chain

RNG = np.random.default_rng(20)
FIRST, LAST = RNG.normal(0, 1, (5, 8)), RNG.normal(0, 1, (3, 5))


def opened(scale=0.3):
    return Chain((8,)).quant(0.1, bits=6).dense(FIRST, scale)


def closed(chain, **quantizer):
    return chain.quant(**{"scale": 0.11, "bits": 5, **quantizer}).dense(LAST, 0.3)


def kinds(graph):
    return [type(layer) for layer in graph.layers]


@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR", "CEIL", "UP", "HALF_UP", "ROUND_TO_ZERO"])
@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Softplus", "Elu", "LeakyRelu", "HardSigmoid"])
def test_monotone_curves_are_thresholds(tmp_path, op, rounding):
    graph, _ = assert_exact(saved(closed(opened().add(op), rounding=rounding), tmp_path))
    assert kinds(graph)[:2] == [Dense, Threshold]


@pytest.mark.parametrize("zero_point", [0, 7])
@pytest.mark.parametrize("op", ["Mish", "HardSwish", "Erf"])
def test_gates(tmp_path, op, zero_point):
    path = saved(closed(opened().add(op), zero=zero_point, signed=0), tmp_path)
    model = onnx.load(path)
    model.opset_import[0].version = 18  # Mish
    onnx.save(model, path)
    graph, _ = assert_exact(path)
    assert_integer_onnx_exact(graph, 5)


def gelu_of_two_factors(chain):
    x = chain.here
    erf = chain.add("Div", chain.constant(np.sqrt(2))).add("Erf").add("Add", chain.constant(1.0))
    return erf.add("Mul", x, first=False).add("Mul", chain.constant(0.5))


def swish(chain):
    x = chain.here
    return chain.add("Sigmoid").add("Mul", x)


def parabola(chain):
    return chain.add("Pow", chain.constant(2.0))


def shrinkage(chain):
    x = chain.here
    return chain.add("Tanh").add("Sub", x, first=False)


@pytest.mark.parametrize("curve", [gelu_of_two_factors, swish, parabola, shrinkage])
@pytest.mark.parametrize("scale", [0.05, 0.3])
def test_curves_that_turn_are_tables(tmp_path, curve, scale):
    graph, _ = assert_exact(saved(closed(curve(opened(scale)), scale=0.03), tmp_path))
    assert kinds(graph)[:3] == [Dense, Threshold, Table]
    assert_integer_onnx_exact(graph, 5)


def test_slopes_of_both_signs(tmp_path):
    slope = np.linspace(-0.5, 0.5, 5)
    chain = opened()
    chain = closed(chain.add("PRelu", chain.constant(slope)))
    graph, _ = assert_exact(saved(chain, tmp_path))
    assert kinds(graph)[:3] == [Dense, Threshold, Table]
    chain = opened()
    chain = closed(chain.add("PRelu", chain.constant(np.abs(slope))))
    assert kinds(assert_exact(saved(chain, tmp_path))[0])[:2] == [Dense, Threshold]


def test_a_curve_of_codes_is_a_table_alone(tmp_path):
    chain = swish(opened().quant(0.13, bits=6))
    graph, _ = assert_exact(saved(closed(chain, scale=0.03), tmp_path))
    layers = graph.layers
    assert isinstance(layers[2], Table)
    assert layers[2].table.shape == (1, graph.tensor(layers[2].x).hi * 2 + 2)


def test_a_curve_that_reaches_behind_a_quantizer(tmp_path):
    chain = opened()
    x = chain.here
    chain.quant(0.13, bits=3).add("Sigmoid").add("Mul", x)
    graph, _ = assert_exact(saved(closed(chain), tmp_path))
    assert kinds(graph)[:3] == [Dense, Threshold, Table]


def test_a_falling_layer_in_front_of_a_table(tmp_path):
    chain = swish(opened().add("Neg").quant(0.13, bits=6))
    assert_exact(saved(closed(chain, scale=0.03), tmp_path))


def test_curves_in_front_of_the_first_quantizer_are_the_hosts(tmp_path):
    chain = Chain((8,)).add("Tanh").quant(0.1, bits=6).add("Relu").quant(0.2, bits=3, signed=0)
    graph, _ = assert_exact(saved(closed(chain.dense(FIRST, 0.3)), tmp_path))
    assert len(graph.encoder) == 4


def test_too_wide_a_range_is_refused_and_the_remedy_works(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("hwgen.streamline.lower"), "MOST_VALUES", 1000)
    with pytest.raises(UnsupportedOp, match=r"^Mul_5: its function neither rises nor falls thro"):
        streamline(closed(swish(opened())).model())
    assert_exact(saved(closed(swish(opened().quant(0.13, bits=6)), scale=0.03), tmp_path))


def test_bounds_of_a_function_that_turns_inside_them_have_its_turning_point():
    turning = (Step("PRelu", (np.array(-1.0),)),)
    bounds = float32_bounds(turning, Interval(np.array([-1e-3]), np.array([2e-3])))
    assert bounds.holds(np.array([0.0])).all()
    assert bounds.holds(np.array([2e-3])).all()
    assert not bounds.holds(np.array([3e-3])).any()


def test_what_no_step_can_be():
    power = opened()
    with pytest.raises(UnsupportedOp, match="p: Pow other than the square or cube of data"):
        streamline(closed(power.add("Pow", power.constant(2.5), name="p")).model())
    chain = opened()
    x = chain.here
    with pytest.raises(UnsupportedOp, match="d: division by data; hwgen divides by constants only"):
        streamline(closed(chain.add("Softplus").add("Div", x, name="d")).model())
