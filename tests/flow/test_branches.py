"""Graphs with branches, the whole way: exact, on time, FIFOs no deeper than needed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from fuzzing.agreement import emitted

from hwgen import flow
from hwgen.emit import emit_top
from hwgen.errors import FoldError
from hwgen.fifos import edges, least_depth, token_simulator
from hwgen.graph.execute import encode, trace
from hwgen.graph.ir import Add, Graph, Join
from hwgen.graph.stimulus import random_inputs
from hwgen.sim.failure import SimulationFailed
from hwgen.witnesses import open_build, rtl_outputs, simulate
from models import Chain

STALLS = 20
TOKEN_STALLS = 1000
HEARD = {"qonnx", "reference", "csim", "rtl", "rtl, random stalls"}


def weights(rng, *shape):
    return rng.normal(0, 0.5, shape)


def convolution(chain: Chain, rng, out: int, here: int, kernel: int = 3) -> Chain:
    pads = [kernel // 2] * 4
    return chain.conv(weights(rng, out, here, kernel, kernel), 0.1, bits=4, pads=pads)


def residual() -> Chain:
    """Two skips, one around the other; the inner one is quantized again."""
    rng = np.random.default_rng(3)
    chain = convolution(Chain((2, 6, 5)).quant(0.1, bits=6), rng, 4, 2).add("Relu")
    outer = chain.quant(0.3, bits=4, signed=0).here
    inner = convolution(chain, rng, 4, 4).quant(0.2, bits=6).here
    convolution(chain, rng, 4, 4).quant(0.2, bits=6).add("Add", inner).add("Relu")
    chain.quant(0.3, bits=6, signed=0)
    convolution(chain, rng, 4, 4).quant(0.3, bits=6).add("Add", outer).add("Relu")
    chain.quant(0.5, bits=4, signed=0).add("Flatten", axis=1)
    return chain.dense(weights(rng, 3, 120), 0.1)


def unet() -> Chain:
    """Down, up by repetition and by a transposed convolution, and the channels in a row."""
    rng = np.random.default_rng(4)
    chain = convolution(Chain((1, 6, 4)).quant(0.1, bits=5), rng, 3, 1).add("Relu")
    wide = chain.quant(0.2, bits=4, signed=0).here
    chain.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    convolution(chain, rng, 2, 3).add("Relu").quant(0.2, bits=4, signed=0)
    factor = chain.constant([1, 1, 2, 2])
    chain.add("Resize", "", factor, mode="nearest", nearest_mode="floor",
              coordinate_transformation_mode="asymmetric")  # fmt: skip
    chain.add("Concat", wide, axis=1)
    kernel = chain.constant(rng.integers(-3, 4, (5, 2, 3, 3)))
    chain.add("ConvTranspose", kernel, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    return chain.add("Relu").quant(3.0, bits=4, signed=0)


NETWORKS = {"residual": (residual, [1, 3]), "unet": (unet, [1, 2, 11, 7])}


@pytest.fixture(scope="module", params=NETWORKS)
def built(request, tmp_path_factory) -> Path:
    make, shape = NETWORKS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    onnx.save(make().model(shape), folder / "net.onnx")
    return flow.build(folder / "net.onnx", folder / "build")


def test_exact_at_the_predicted_interval(built):
    result = flow.verify(built, samples=12)
    assert result["mismatches"] == 0, result["first_mismatch"]
    build = open_build(built)
    assert {w["name"] for w in result["witnesses"]} >= HEARD
    assert all(w["compared"] for w in result["witnesses"])
    assert result["ii_cycles"] == build.manifest["predicted"]["ii_cycles"]
    tokens = token_simulator(emit_top(build.graph, "")).run({})
    assert tokens.ii_cycles == result["ii_cycles"]
    assert tokens.ends[0] == result["latency_cycles"]


def test_frames_that_would_be_late_in_turns(tmp_path):
    rng = np.random.default_rng(0)
    chain = Chain((6,)).quant(0.25, bits=5).dense(weights(rng, 6, 6), 0.1)
    one = chain.quant(0.3).here
    chain.dense(weights(rng, 6, 6), 0.1).quant(0.7).add("Concat", one, axis=1)
    onnx.save(chain.model([1, 12]), tmp_path / "net.onnx")
    build = open_build(flow.build(tmp_path / "net.onnx", tmp_path / "build", target_cycles=6))
    codes = encode(build.graph, random_inputs(build.graph, 40, seed=0))
    assert simulate(build, codes).ii_cycles == build.manifest["predicted"]["ii_cycles"] == 6


def test_no_stall_hangs_it(built):
    build = open_build(built)
    codes = encode(build.graph, random_inputs(build.graph, 3, seed=1))
    expected = trace(build.graph, codes)[build.graph.output]
    for seed in range(STALLS):
        result = simulate(build, codes, idle=0.5, backpressure=0.5, seed=seed)
        assert np.array_equal(rtl_outputs(build, result), expected), seed
    tokens = token_simulator(emit_top(build.graph, ""))
    for seed in range(TOKEN_STALLS):
        run = tokens.run({}, frames=2, idle=0.4, backpressure=0.4, seed=seed, patience=2000)
        assert run.deadlock is None, seed


@pytest.fixture(scope="module")
def skip(tmp_path_factory) -> Graph:
    folder = tmp_path_factory.mktemp("skip")
    onnx.save(residual().model([1, 3]), folder / "net.onnx")
    return open_build(flow.build(folder / "net.onnx", folder / "build")).graph


def deep(graph: Graph, join: str, depth: int) -> Graph:
    """Return the graph with another FIFO in front of the other input of ``join``."""
    layers = [
        replace(e, fold=replace(e.fold, other_depth=depth)) if e.name == join else e
        for e in graph.layers
    ]
    return replace(graph, layers=tuple(layers))


def rtl_interval(graph: Graph, cache: Path) -> float:
    codes = encode(graph, random_inputs(graph, 8, seed=2))
    with emitted(graph, cache) as build:
        return simulate(build, codes, patience_cycles=20_000).ii_cycles


def test_depths_are_the_least_that_keep_the_interval_and_less_deadlocks(skip, tmp_path):
    join = next(e for e in skip.layers if isinstance(e, Add) and e.fold.other_depth > 20)
    depth = join.fold.other_depth
    tokens = token_simulator(emit_top(skip, ""))
    fifo = next(e.fifo for e in edges(skip, emit_top(skip, "")) if e.join == join.name and e.other)
    wanted = tokens.run({}).ii_cycles
    assert rtl_interval(skip, tmp_path) == wanted
    less = deep(skip, join.name, depth - max(1, depth // 10))
    assert tokens.run({fifo: depth - max(1, depth // 10)}).ii_cycles != wanted
    assert rtl_interval(less, tmp_path) > wanted

    def flows(beats: int) -> bool:
        return tokens.run({fifo: beats}, frames=2, patience=20_000).deadlock is None

    least = least_depth(flows, depth)
    assert fifo in tokens.run({fifo: least - 1}, frames=2, patience=20_000).full
    assert rtl_interval(deep(skip, join.name, least), tmp_path) >= wanted
    with pytest.raises(SimulationFailed) as failed:
        rtl_interval(deep(skip, join.name, least - 1), tmp_path)
    assert f"FIFO {fifo} ({least - 1} beats) is full. It needs more depth" in str(failed.value)


def test_of_two_skips_the_one_that_is_too_short_is_named(skip, tmp_path):
    """The inner one holds up both, and fills the outer one, which comes last."""
    inner, outer = (e for e in skip.layers if isinstance(e, Add))
    fifos = {e.join: e.fifo for e in edges(skip, emit_top(skip, "")) if e.other}
    tokens = token_simulator(emit_top(skip, ""))

    def flows(beats: int) -> bool:
        return tokens.run({fifos[inner.name]: beats}, patience=2_000).deadlock is None

    short = least_depth(flows, inner.fold.other_depth) - 1
    full = tokens.run({fifos[inner.name]: short}, patience=2_000).full
    assert {fifos[inner.name], fifos[outer.name]} <= set(full)
    with pytest.raises(SimulationFailed) as failed:
        rtl_interval(deep(skip, inner.name, short), tmp_path)
    assert failed.value.instance == fifos[inner.name]
    assert (
        f"u_{inner.name} joins two branches and waits for one of them, which the other holds up: "
        f"FIFO {fifos[inner.name]} ({short} beats) is full. It needs more depth; "
        f"{fifos[outer.name]} ({outer.fold.other_depth} beats) is full as well."
    ) in str(failed.value)


def test_folding_file(tmp_path):
    onnx.save(residual().model([1, 3]), tmp_path / "net.onnx")
    file = tmp_path / "folding.json"
    build = partial(flow.build, tmp_path / "net.onnx", tmp_path / "out")
    names = [e.name for e in open_build(build()).graph.products()]
    last = names[-1]
    file.write_text(f'{{"{last}": {{"SIMD": 4, "PE": 3}}}}')
    graph = open_build(build(reuse=flow.load_folding(file))).graph
    fold = list(graph.products())[-1].fold
    assert (fold.simd, fold.pe) == (4, 3)
    assert any(isinstance(e, Join) for e in graph.layers)
    file.write_text(f'{{"{last}": {{"SIMD": 7, "PE": 3}}}}')
    with pytest.raises(FoldError, match=f"{last}: SIMD 7, PE 3 cannot be met: SIMD is one of 1, 2"):
        build(reuse=flow.load_folding(file))
    file.write_text('{"nobody": {"SIMD": 1, "PE": 1}}')
    with pytest.raises(FoldError, match="the folding names nobody, but the layers are"):
        build(reuse=flow.load_folding(file))


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{", '{"fc": 3}', '{"fc": {"SIMD": 2}}', '{"fc": {"SIMD": "x", "PE": 1}}',
     '{"fc": {"SIMD": 2.5, "PE": 1}}', '{"fc": {"SIMD": Infinity, "PE": 1}}', "[" * 100_000],
)  # fmt: skip
def test_other_files_are_no_foldings(tmp_path, text):
    file = tmp_path / "folding.json"
    file.write_text(text)
    with pytest.raises(FoldError, match=f'^{file}: not a folding .*; write JSON like {{"layer"'):
        flow.load_folding(file)


def test_a_folding_that_is_not_there(tmp_path):
    with pytest.raises(FoldError, match="not a folding"):
        flow.load_folding(tmp_path / "none.json")
