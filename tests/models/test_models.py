"""The published networks: as many parameters as published, and exact through the streamliner."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from exact import assert_exact

from hwgen.export import export_qonnx
from hwgen.graph.ir import Add, Dense, XnorDense
from hwgen.schedule import cycles, initiation_interval, schedule
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import load, read
from hwgen.train import load_model
from hwgen.train.blocks import exercised, parameters
from hwgen.train.definition import load_definition, save_network

MODELS = Path(__file__).parents[2] / "models"
PUBLISHED = {  # weights and biases; with batch norms; with QKeras's counters
    "rn07": (57_582, 58_110, 58_115),
    "cnv_w1a1": (1_542_848, None, None),
    "cnv_w2a2": (1_542_848, None, None),
    "resnet8": (None, 78_666, None),
    "ad08": (21_096, 22_280, 22_285),
    "autoencoder": (None, 269_992, None),
    "kws_mlp_w3a3": (259_584, None, None),
    "ds_cnn": (None, 24_908, None),
    "mobilenet_v1_025": (None, 221_794, None),
    "conv1d": (None, 6_831, None),  # this project's own sizes
}
NORMS = torch.nn.BatchNorm1d | torch.nn.BatchNorm2d


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters(name):
    definition = load_definition(MODELS / name)
    network = definition.build()
    norms = [layer for layer in network.modules() if isinstance(layer, NORMS)]
    counted = parameters(network)
    weights = counted - 4 * sum(norm.num_features for norm in norms)
    found = weights, counted, counted + len(norms)
    assert counted == definition.parameters
    pairs = zip(found, PUBLISHED[name], strict=True)
    assert all(ours == theirs for ours, theirs in pairs if theirs is not None), found


FINN = {  # SIMD and PE as published, and the cycles per layer and frame that they give
    "cnv_w1a1": (
        ((3, 16), (32, 32), (32, 16), (32, 16), (32, 4), (32, 1), (4, 1), (8, 1), (1, 5)),
        (32_400, 28_224, 20_736, 28_800, 20_736, 18_432, 32_768, 32_768, 1_024),
    ),
    "cnv_w2a2": (
        ((3, 8), (16, 16), (16, 8), (16, 8), (8, 4), (8, 1), (2, 1), (2, 2), (1, 5)),
        (64_800, 112_896, 82_944, 115_200, 82_944, 73_728, 65_536, 65_536, 1_024),
    ),
    "kws_mlp_w3a3": (((10, 32), (8, 32), (8, 32), (8, 1)), (392, 256, 256, 384)),
}


def exported(name, folder):
    torch.manual_seed(0)
    definition = load_definition(MODELS / name)
    network = exercised(definition.build(), definition.input_shape, seed=1, batches=2)
    sample = np.zeros((1, *definition.input_shape), dtype=np.float32)
    with contextlib.redirect_stderr(io.StringIO()):
        return definition, network, export_qonnx(network, sample, folder / "model.onnx")


@pytest.mark.parametrize("name", FINN)
def test_published_foldings(tmp_path, name):
    folds, published = FINN[name]
    source = read(load(exported(name, tmp_path)[2]))
    graph = lower(source, split(source))
    products = [e for e in graph.products() if isinstance(e, Dense | XnorDense)]
    reuse = {layer.name: fold for layer, fold in zip(products, folds, strict=True)}
    folded = schedule(graph, reuse=reuse, target_cycles=max(published))
    products = [e for e in folded.products() if isinstance(e, Dense | XnorDense)]
    assert tuple(cycles(layer, folded) for layer in products) == published
    assert initiation_interval(folded) == max(published)


@pytest.mark.parametrize("name", PUBLISHED)
def test_exact(tmp_path, name):
    definition, network, path = exported(name, tmp_path)
    graph, ties = assert_exact(path, samples=8)
    assert ties < 8  # a tie takes its input out of the comparison: one at least stays
    assert any(isinstance(layer, Add) for layer in graph.layers) == (name == "resnet8")
    again = load_model(save_network(network, definition, tmp_path))
    x = 2 * torch.rand((2, *definition.input_shape)) - 1
    with torch.no_grad():
        assert torch.equal(torch.as_tensor(again(x)), torch.as_tensor(network(x)))
