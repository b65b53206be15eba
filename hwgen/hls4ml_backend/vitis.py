"""Integer graph -> a Vitis HLS project, written by hls4ml's own Vitis backend.

Every type comes from the ranges proved in the graph, so nothing rounds, wraps or saturates, and
hls4ml is left nothing to infer.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

import hls4ml
import numpy as np

from hwgen.graph import ir
from hwgen.graph.serialize import dumps
from hwgen.hls4ml_backend.cpp_templates import HEADERS, register_templates
from hwgen.num.inttype import IntArray, IntType
from hwgen.num.rounding import Overflow, Rounding

PROJECT = "network"  # name of the top function and of its files


@dataclass(frozen=True, slots=True)
class _CppLayer:
    """One layer as hls4ml wants it: class, attributes, and a type for each array."""

    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)
    types: dict[str, IntType] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def write_vitis(graph: ir.Graph, out: Path, part: str = "xc7a100tcsg324-1") -> Any:
    """Return hls4ml's model of ``graph``, its Vitis project written to ``out``.

    ``compile()`` and ``predict(codes)`` of the result run the C simulation with g++; its layers
    are named by ``cpp_name`` and traced.  The same graph always gives the same files: hls4ml's
    random stamp gives way to ``content_hash``.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        model = _model(graph, out, part)
        model.config.config["Stamp"] = content_hash(graph, out)
        model.config.backend.writer.write_hls(model)
    return model


def settle(project: Path, home: Path) -> None:
    """Ready a project that was written and checked in ``project`` to be moved to ``home``.

    Its compiled library, which reads its weights by absolute path, goes; its config names ``home``.
    """
    for library in project.glob("firmware/*.so"):
        library.unlink()
    config = project / "hls4ml_config.yml"
    config.write_text(config.read_text().replace(str(project), str(home.resolve())))


def content_hash(graph: ir.Graph, out: Path) -> str:
    """Return a hash of the graph, the tools and the place: the library reads its weights there."""
    ours = sorted([*HEADERS.glob("*.h"), *HEADERS.parent.glob("*.py")])
    parts = [dumps(graph), hls4ml.__version__, str(out.resolve())]
    parts += [path.read_text() for path in ours]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def cpp_name(index: int, name: str) -> str:
    """Return the hls4ml name of the layer at ``index``.

    hls4ml looks types up by ``<layer>_<array>`` without case: the number keeps two layers apart.
    """
    return f"n{index}_{name}"


def _model(graph: ir.Graph, out: Path, part: str) -> Any:
    register_templates()
    x = graph.tensor(graph.input)
    layers = [("x", x, _CppLayer("InputLayer", {"input_shape": [*x.space, x.size]}))]
    writers = {graph.input: "x"}
    for i, layer in enumerate(graph.layers):
        spec = _cpp_layer(layer, graph.tensor(layer.x), graph.tensor(layer.y))
        spec.attributes["inputs"] = [writers[name] for name in ir.inputs(layer)]
        writers[layer.y] = cpp_name(i, layer.name)
        layers.append((writers[layer.y], graph.tensor(layer.y), spec))
    config = hls4ml.utils.config.create_config(
        output_dir=str(out), project_name=PROJECT, backend="Vitis", part=part, io_type="io_parallel"
    )
    config["TraceOutput"] = True
    config["HLSConfig"] = {
        "Model": {"Precision": "auto", "ReuseFactor": 1, "Strategy": "Resource"},
        "LayerName": {name: _options(y, spec) for name, y, spec in layers},
    }
    nodes = [{"class_name": s.kind, "name": name, **s.attributes} for name, _, s in layers]
    return hls4ml.model.ModelGraph.from_layer_list(config, nodes, ["x"], [nodes[-1]["name"]])


def _options(y: ir.Tensor, spec: _CppLayer) -> dict[str, Any]:
    types = {"result": y.type, **spec.types}
    precision = {role: ap_type(t) for role, t in types.items()}
    return {"Precision": precision, "Trace": spec.kind != "InputLayer", **spec.options}


def _cpp_layer(layer: ir.Layer, x: ir.Tensor, y: ir.Tensor) -> _CppLayer:
    match layer:
        case ir.Window():
            before, after = zip(*layer.pads, strict=True)
            attributes = {
                "kernel": list(layer.kernel), "stride": list(layer.stride),
                "dilation": list(layer.dilation), "pads": [*before, *after], "pad": layer.pad,
                "space": list(y.space),
            }  # fmt: skip
            return _CppLayer("Window", attributes)
        case ir.Depthwise():
            types = {"weight": _weight_type(layer.weights), "accum": y.type}
            return _CppLayer("Depthwise", {"weight_data": layer.weights}, types)
        case ir.MaxPool():
            return _CppLayer("MaxOfTaps", {"taps": layer.taps})
        case ir.Table():
            attributes = {"table_data": layer.table, "lo": x.lo}
            return _CppLayer("Table", attributes, {"table": _signed_type(layer.table)})
        case ir.Dense() if x.space:
            attributes = {"weight_data": layer.weights, "space": list(y.space)}
            types = {"weight": _weight_type(layer.weights), "accum": y.type}
            return _CppLayer("PixelMatMul", attributes, types)
        case ir.Dense():
            attributes = {
                "weight_data": layer.weights.T, "bias_data": None, "n_in": x.size, "n_out": y.size,
            }  # fmt: skip
            reuse = layer.weights.size // (layer.fold.simd * layer.fold.pe)
            types = {"weight": _weight_type(layer.weights), "accum": y.type}
            return _CppLayer("Dense", attributes, types, {"ReuseFactor": reuse})
        case ir.XnorDense():
            types = {"weight": IntType(1, signed=False)}
            attributes = {"weight_data": layer.weights, "space": list(y.space)}
            return _CppLayer("XnorPopcountMatMul", attributes, types)
        case ir.Threshold():
            attributes = {
                "threshold_data": layer.thresholds, "base": layer.base,
                "n_levels": layer.thresholds.shape[1],
            }  # fmt: skip
            return _CppLayer("MultiThreshold", attributes, {"threshold": _threshold_type(layer, x)})
        case ir.Requant():
            return _requant(layer, x)
        case ir.ArgMax():
            return _CppLayer("ArgMax")
        case ir.Add():
            gains = dict(zip(("gain_a", "gain_b"), layer.gains, strict=True))
            return _CppLayer("WeightedAdd", gains)
        case ir.Concat():
            return _CppLayer("ChannelConcat")
        case ir.Upsample():
            return _CppLayer("PixelUpsample", _upsample(layer))
        case _:
            assert_never(layer)


def _upsample(layer: ir.Upsample) -> dict[str, Any]:
    fill = {"apart": 0, "fill": 0} if layer.fill is None else {"apart": 1, "fill": layer.fill}
    return {"factor": list(layer.factor), "space": list(layer.space), **fill}


def _requant(layer: ir.Requant, x: ir.Tensor) -> _CppLayer:
    attributes = {
        "multiplier_data": layer.multiplier, "bias_data": layer.bias, "shift": layer.shift,
        "rounding": str(layer.rounding), "lo": layer.compared[0], "hi": layer.compared[1],
        "overflow": str(layer.overflow), "rounding_mode": list(Rounding).index(layer.rounding),
        "overflow_mode": list(Overflow).index(layer.overflow),
        "scaled_t": ap_type(_scaled_type(layer, x)),
    }  # fmt: skip
    types = {"multiplier": _signed_type(layer.multiplier), "bias": _signed_type(layer.bias)}
    return _CppLayer("Requant", attributes, types)


def _scaled_type(layer: ir.Requant, x: ir.Tensor) -> IntType:
    """Return the type of ``multiplier * x + bias`` before, while and after it is rounded."""
    ends = np.stack([layer.multiplier * x.lo, layer.multiplier * x.hi]) + layer.bias
    half = (1 << layer.shift) // 2
    return _signed(min(int(ends.min()), layer.lo), max(int(ends.max()) + half, layer.hi, 2 * half))


def _threshold_type(layer: ir.Threshold, x: ir.Tensor) -> IntType:
    """Return a type for thresholds and inputs alike: C++ compares them as they are."""
    return _signed(min(int(layer.thresholds.min()), x.lo), max(int(layer.thresholds.max()), x.hi))


def _weight_type(weights: IntArray) -> IntType:
    """Return the type of the weights; hls4ml takes two signed bits to mean -1, 0, 1."""
    t = _signed_type(weights)
    return IntType(3, signed=True) if t.bits <= 2 and int(weights.min()) == -2 else t


def _signed_type(values: IntArray) -> IntType:
    return _signed(int(values.min()), int(values.max()))


def _signed(lo: int, hi: int) -> IntType:
    return IntType.of_range(min(lo, -1), max(hi, 1))


def ap_type(t: IntType) -> str:
    """Return the C++ name of an integer type."""
    return f"ap_{'' if t.signed else 'u'}int<{t.bits}>"
