"""The QONNX file computes what Brevitas computes, on real held-out frames."""

from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from hwgen.errors import ModelError
from hwgen.export import (
    brevitas_activations,
    brevitas_outputs,
    check_against_executor,
    export_qonnx,
)
from hwgen.qonnx_executor import execute_qonnx
from hwgen.train import load_model, train_model

TINY = Path(__file__).parents[1] / "train" / "tiny"
BITS = (8, 4, 1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Per bit width: Brevitas module, QONNX path and real frames."""
    result = train_model(TINY, tmp_path_factory.mktemp("run"), profile="demo")
    models = {}
    for bits, checkpoint in result.models.items():
        module = load_model(checkpoint)
        frames = np.load(checkpoint.with_name("frames.npy"))
        path = export_qonnx(module, frames[:1], checkpoint.with_name("model.onnx"))
        models[bits] = module, path, frames
    return models


@pytest.mark.parametrize("bits", BITS)
def test_executor_and_brevitas_agree_on_every_output(exported, bits):
    module, path, frames = exported[bits]
    assert check_against_executor(module, path, frames) == 0
    (outputs,) = execute_qonnx(path, frames).values()
    assert len(np.unique(outputs)) > 500


@pytest.mark.parametrize("bits", BITS)
def test_the_check_counts_outputs_that_differ(exported, bits):
    _, path, frames = exported[bits]
    spoiled = load_model(path.with_name("model.pt"))
    with torch.no_grad():
        spoiled[-1].bias[0] += spoiled[-1].bias_quant.scale()
    assert check_against_executor(spoiled, path, frames) == len(frames)


@pytest.mark.parametrize("bits", BITS)
def test_the_graph_has_named_nodes_of_the_agreed_kinds(exported, bits):
    graph = onnx.load(exported[bits][1]).graph
    assert {node.op_type for node in graph.node} == {"Quant", "MatMul", "Mul", "Add", "Relu"}
    names = [node.name for node in graph.node]
    assert all(names)
    assert len(set(names)) == len(names)
    dims = graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 39]


@pytest.mark.parametrize(
    ("bits", "scale", "zero_point", "width"),
    [(8, 2**-7, -0.5, 8), (4, 2**-3, -0.5, 4), (1, 0.5, 0, 2)],
)
def test_weights_are_quant_nodes_on_the_mid_rise_grid(exported, bits, scale, zero_point, width):
    graph = onnx.load(exported[bits][1]).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    producer = {node.output[0]: node for node in graph.node}
    products = [node for node in graph.node if node.op_type == "MatMul"]
    assert len(products) == 3
    for product in products:
        weight, *parameters = (values[name] for name in producer[product.input[1]].input)
        assert [float(parameter) for parameter in parameters] == [scale, zero_point, width]
        assert np.all(weight * 2**bits % 2 == 1), "odd multiples of 2^-k"
        assert np.abs(weight).max() < 1


@pytest.mark.parametrize("bits", BITS)
def test_activation_codes_are_integers_in_range_in_order(exported, bits):
    module, _, frames = exported[bits]
    (first, inputs), *rest = brevitas_activations(module, frames)
    assert [first, *(name for name, _ in rest)] == ["0", "3", "6"]
    step = float(module[0].act_quant.scale())
    assert np.array_equal(np.rint(inputs / step), np.clip(np.round(frames / step), -128, 127))
    for name, values in rest:
        codes = values / float(module[int(name)].act_quant.scale())
        assert np.allclose(codes, codes.round(), atol=1e-4)
        assert (codes.round().min(), codes.round().max() <= 255) == (0, True)
    assert len(brevitas_outputs(module, frames)) == len(frames) == len(inputs)


def test_values_rebuild_the_output(exported):
    module, _, frames = exported[4]
    name, values = brevitas_activations(module, frames)[-1]
    with torch.no_grad():
        rest = module[int(name) + 1 :](torch.from_numpy(values))
    assert np.array_equal(rest.numpy(), brevitas_outputs(module, frames))


def test_stock_brevitas_layers_export_too(tmp_path):
    torch.manual_seed(1)
    module = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8), qnn.QuantLinear(6, 3, bias=True, weight_bit_width=4)
    )
    x = torch.randn(64, 6)
    module.train()(x)
    module.eval()
    path = export_qonnx(module, x[:1].numpy(), tmp_path / "stock.onnx")
    (executed,) = execute_qonnx(path, x.numpy()).values()
    difference = executed - brevitas_outputs(module, x.numpy())
    assert np.abs(difference).max() < 1e-5  # scales are no powers of two: float32 rounds


def test_a_batch_as_sample_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"shape \(2, 6\), but hardware takes one input"):
        export_qonnx(torch.nn.Identity(), np.zeros((2, 6), np.float32), tmp_path / "x.onnx")
