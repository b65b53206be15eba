"""What every graph must do: the witnesses of one answer, against the reference."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from fuzzing.executor import executor
from fuzzing.graphs import bounds_reached
from hwgen.emit import TOP, emit_top, stream_facts, write_rtl
from hwgen.flow import build_from_model, translate, verify
from hwgen.graph.execute import encode, trace
from hwgen.graph.ir import Graph
from hwgen.graph.serialize import dumps, loads
from hwgen.graph.stimulus import random_inputs
from hwgen.num.inttype import IntArray
from hwgen.sim.compare import Trace, compare
from hwgen.sources import QonnxSource
from hwgen.streamline import streamline
from hwgen.streamline.blocks import split
from hwgen.streamline.lower import lower
from hwgen.streamline.read import read
from hwgen.witnesses import Build, Panel, rtl_outputs, rtl_trace, simulate

_FLOAT32_WHOLE = 1 << 24  # whole numbers up to here are exact in float32


def agree(graph: Graph, codes: IntArray) -> None:
    """Require that the C++ executor computes what the reference does, and JSON keeps the graph."""
    text = dumps(graph)
    require(dumps(loads(text)) == text, "graph.json does not give the same graph back")
    require_same("C++ executor", graph, trace(graph, codes), executor().trace(graph, codes))


def agree_in_rtl(graph: Graph, codes: IntArray, stalls: int, cache: Path) -> None:
    """Require that the simulated RTL computes what the reference does, at full rate and stalled.

    stalls  seed of the stalls on both sides and of a reset in mid-frame
    cache   folder of compiled simulators; graphs of the same structure share one
    """
    reference = trace(graph, codes)
    with emitted(graph, cache) as build:
        result = simulate(build, codes, probe=True)
        found = rtl_trace(build, result) | {graph.output: rtl_outputs(build, result)}
        require_same("RTL", graph, reference, found)
        idle, backpressure = np.random.default_rng(stalls).uniform(0, 0.9, 2)
        stalled = simulate(build, codes, idle=idle, backpressure=backpressure, seed=stalls,
                           reset_at=5 + stalls % 50)  # fmt: skip
        outputs = {graph.output: rtl_outputs(build, stalled)}
        require_same(f"RTL, stalls {stalls}", graph, reference, outputs)


@contextmanager
def emitted(graph: Graph, cache: Path) -> Iterator[Build]:
    """Yield a build directory of ``graph`` with what a simulation needs."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sim").symlink_to(cache.resolve())
        design = emit_top(graph, "")
        write_rtl(design, Path(folder, "rtl"))
        yield Build(Path(folder), graph, {"streams": stream_facts(design), "top": TOP})


def agree_with_source(model: ModelProto, exact: bool, seed: int, samples: int = 24) -> int:
    """Require that the integer graph of a QONNX model computes what the QONNX executor does.

    exact    every float32 operation of the model is exact, so not even a tie may differ
    seed     of the inputs
    returns  the number of proved float32 ties
    raises   HwgenError  the model is refused
    """
    source = read(model)
    graph = lower(source, split(source))
    codes = encode(graph, random_inputs(graph, samples, seed))
    agree(graph, np.concatenate([codes, *bounds_reached(graph)]))
    translated = translate(QonnxSource(model))
    require(dumps(translated) == dumps(graph), "hls4ml does not give the same graph back")
    with tempfile.TemporaryDirectory() as folder:
        build = Build(Path(folder), graph, {})
        onnx.save(model, build.source)
        panel = Panel(build, random_inputs(graph, samples, seed))
        _agree_as_integer_qonnx(model, graph, panel)
        (verdict,) = panel.hear(("qonnx",))
    require(verdict.mismatches == 0, f"QONNX executor: {verdict.first}")
    require(not exact or verdict.ties == 0, f"{verdict.ties} ties of a model exact in float32")
    return verdict.ties


def agree_in_whole(model: ModelProto, folder: Path, samples: int = 50) -> None:
    """Require that ``hwgen build`` and ``hwgen verify`` find no mismatch, all witnesses heard."""
    built = build_from_model(model, folder / "out", target_cycles=16)
    result = verify(built, samples=samples)
    require(result["mismatches"] == 0, f"hwgen verify: {result['first_mismatch']}")


def _agree_as_integer_qonnx(model: ModelProto, graph: Graph, panel: Panel) -> None:
    if max(max(-t.lo, t.hi) for t in graph.tensors) > _FLOAT32_WHOLE:
        return
    integer = ModelWrapper(streamline(model))
    frame = panel.codes[-1:]
    shape = integer.get_tensor_shape(graph.input)
    found = execute_onnx(integer, {graph.input: frame.astype(np.float32).reshape(shape)})
    answer = {graph.output: found[graph.output].reshape(1, -1).astype(np.int64)}
    require_same("integer QONNX", graph, {k: v[-1:] for k, v in panel.reference.items()}, answer)


def require_same(witness: str, graph: Graph, reference: Trace, found: Trace) -> None:
    """Raise AssertionError with the first integer that differs."""
    verdict = compare(witness, graph, reference, found, 0.0)
    require(verdict.mismatches == 0, f"{witness}: {verdict.first}")


def require(holds: bool, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``holds``."""
    if not holds:
        raise AssertionError(message)
