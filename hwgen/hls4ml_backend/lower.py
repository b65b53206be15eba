"""Integer QONNX -> hls4ml -> the integer graph."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import hls4ml
import numpy as np
from onnx import ModelProto, TensorProto, helper

from hwgen.errors import ModelError, ToolNotFound
from hwgen.graph import ir
from hwgen.graph.check import check
from hwgen.graph.serialize import loads
from hwgen.graph.windows import paired
from hwgen.hls4ml_backend.front_end import integer_metadata
from hwgen.hls4ml_backend.onnx_handlers import integers
from hwgen.hls4ml_backend.options import BACKEND
from hwgen.num.inttype import frozen_array
from hwgen.num.rounding import Overflow, Rounding


def to_graph(model: ModelProto) -> ir.Graph:
    """Return the checked integer graph of an integer QONNX model, translated by hls4ml.

    model    from ``hwgen.streamline``; metadata ``hwgen.graph`` holds all but the layers
    raises   ModelError if the metadata is missing or a weight is not an integer
    """
    text = integer_metadata(model)
    if text is None:
        raise ModelError(
            "no hwgen.graph metadata in the model: run hwgen's streamliner on it first."
        )
    if BACKEND not in hls4ml.backends.get_available_backends():
        raise ToolNotFound("hls4ml did not find hwgen among its plugins; pip install hwgen")
    host = loads(text)
    with contextlib.redirect_stdout(io.StringIO()):
        convert = hls4ml.converters.convert_from_onnx_model
        translated = convert(_shaped(model, host), backend=BACKEND)
    return check(dataclasses.replace(host, layers=tuple(_layers(translated))), "hls4ml")


def _shaped(model: ModelProto, host: ir.Graph) -> ModelProto:
    """Return a copy in which every tensor has a shape: hls4ml infers none."""
    shaped = ModelProto()
    shaped.CopyFrom(model)
    shapes = {t.name: [1, *t.space, t.size] for t in host.tensors}
    shapes |= {
        node.output[0]: [1, host.tensor(node.input[0]).values]
        for node in model.graph.node
        if node.op_type == "Reshape"
    }
    shapes |= {w.name: list(w.dims) for w in model.graph.initializer}
    del shaped.graph.value_info[:]
    shaped.graph.value_info.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    return shaped


def _layers(translated: Any) -> Iterator[ir.Layer]:
    flattened: dict[str, str] = {}  # a product reads a whole image without being told
    for node in translated.get_layers():
        x, y = (node.inputs or [""])[0], node.outputs[0]
        if node.class_name == "Reshape":
            flattened[y] = x
        elif node.class_name not in ("Input", "Constant"):
            yield _lower(node, node.name, flattened.get(x, x), y)


def _lower(node: Any, name: str, x: str, y: str) -> ir.Layer:
    get = node.get_attr
    match node.class_name:
        case "MatMul":
            value = node.get_input_node(node.inputs[1]).get_attr("value")
            weights = frozen_array(integers(value, f"{name}, weights").T)
            return ir.Dense(name, x, y, weights, odd=bool(np.all(weights % 2 == 1)))
        case "XnorPopcountMatMul":
            return ir.XnorDense(name, x, y, get("weight_data"))
        case "MultiThreshold":
            return ir.Threshold(name, x, y, get("threshold_data"), get("base"))
        case "Requant":
            rounding = Rounding(get("rounding"))
            return ir.Requant(
                name, x, y, get("multiplier_data"), get("bias_data"), get("shift"), rounding,
                get("lo"), get("hi"), Overflow(get("overflow")),
            )  # fmt: skip
        case "Window":
            kernel, stride, dilation, pads = (
                tuple(get(name)) for name in ("kernel", "stride", "dilation", "pads")
            )
            return ir.Window(name, x, y, kernel, stride, dilation, paired(pads), get("pad"))
        case "Depthwise":
            return ir.Depthwise(name, x, y, get("weight_data"))
        case "MaxOfTaps":
            return ir.MaxPool(name, x, y, get("taps"))
        case "Table":
            return ir.Table(name, x, y, get("table_data"))
        case "ArgMax":
            return ir.ArgMax(name, x, y)
        case _:
            return _lower_branch(node, name, x, y)


def _lower_branch(node: Any, name: str, x: str, y: str) -> ir.Layer:
    get = node.get_attr
    match node.class_name:
        case "WeightedAdd":
            return ir.Add(name, x, node.inputs[1], y, (get("gain_a"), get("gain_b")))
        case "ChannelConcat":
            return ir.Concat(name, x, node.inputs[1], y)
        case "PixelUpsample":
            fill = get("fill") if get("apart") else None
            return ir.Upsample(name, x, y, tuple(get("factor")), tuple(get("space")), fill)
        case other:
            raise ModelError(f"{name}: {other} is not an op of integer QONNX.")
