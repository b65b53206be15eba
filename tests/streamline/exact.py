"""Comparison of an integer graph with the QONNX executor, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from hwgen.graph.execute import decode, encode, trace
from hwgen.graph.ir import Graph
from hwgen.graph.stimulus import random_inputs
from hwgen.qonnx_executor import execute_qonnx
from hwgen.streamline.blocks import split
from hwgen.streamline.float32 import Float32
from hwgen.streamline.lower import lower
from hwgen.streamline.observe import activation_codes, quantized_tensors
from hwgen.streamline.read import load, read
from hwgen.streamline.write import integer_qonnx
from models import Chain


def assert_exact(path: Path, samples: int = 200, seed: int = 0):
    """Compare every quantized activation and the output; returns the graph and the tie count."""
    source = read(load(path))
    graph = lower(source, split(source))
    x = random_inputs(graph, samples, seed)
    wanted = [t.source for t in quantized_tensors(graph)] + [source.output]
    values = execute_qonnx(path, x, wanted)
    ours, theirs = trace(graph, encode(graph, x)), activation_codes(graph, values)
    valid, ties = np.ones(samples, dtype=bool), 0
    for name, got in theirs.items():
        differs = (ours[name] != got) & valid[:, None]
        if differs.any() and name != graph.input:
            allowed = Float32(path, graph).closed_codes(name, ours)
            tied = differs & allowed.holds(got) & allowed.holds(ours[name])
            ties += int(tied.sum())
            valid &= ~tied.any(axis=1)
            differs &= ~tied
        assert not differs.any(), f"{name}: {np.argwhere(differs)[:3]}"
    y = decode(graph, ours[graph.output]).reshape(samples, -1)
    np.testing.assert_allclose(y[valid], values[source.output][valid], rtol=1e-4, atol=1e-4)
    return graph, ties


def assert_integer_onnx_exact(graph: Graph, samples: int):
    """Run the integer QONNX of a graph in the QONNX executor, one sample at a time."""
    model = ModelWrapper(integer_qonnx(graph))
    x = encode(graph, random_inputs(graph, samples, seed=1))
    ours, entry = trace(graph, x), graph.tensor(graph.input)
    for i, row in enumerate(x):
        shaped = row.reshape(1, *entry.space, entry.size).astype(np.float32)
        values = execute_onnx(model, {graph.input: shaped}, return_full_exec_context=True)
        for name, expected in ours.items():
            np.testing.assert_array_equal(values[name].ravel(), expected[i], err_msg=name)


def saved(chain: Chain, tmp_path: Path, rank: int = 0) -> Path:
    """Write the chain; ``rank``: of an output whose shape the executor infers."""
    path = tmp_path / "model.onnx"
    onnx.save(chain.model([None] * rank if rank else None), path)
    return path
