"""Integer graph -> integer QONNX: the same layers as nodes that the QONNX executor runs.

``metadata_props["hwgen.graph"]`` carries what ONNX has no place for: proven bounds, scales, the
host's encoder (the graph in JSON, without its layers).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from hwgen.graph.ir import (
    Add,
    ArgMax,
    Concat,
    Dense,
    Depthwise,
    Graph,
    Layer,
    MaxPool,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
    inputs,
)
from hwgen.graph.serialize import dumps
from hwgen.streamline.ops import DOMAIN

METADATA_KEY = "hwgen.graph"
_QONNX = "qonnx.custom_op.general"
_LAYOUTS = ("NC", "NWC", "NHWC")  # by rank of the space


def integer_qonnx(graph: Graph) -> ModelProto:
    """Return the graph as an ONNX model of integer-valued tensors."""
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []
    inner = [_value_info(t) for t in graph.tensors[1:-1]]
    for layer in graph.layers:
        x, y = graph.tensor(layer.x), graph.tensor(layer.y)
        if isinstance(layer, Dense | XnorDense) and x.space != y.space:
            flat = f"{layer.name}_flat"
            constants.append(numpy_helper.from_array(np.array([1, x.values]), f"{flat}_shape"))
            nodes.append(
                helper.make_node("Reshape", [x.name, f"{flat}_shape"], [flat], name=f"{flat}ten")
            )
            inner.append(helper.make_tensor_value_info(flat, TensorProto.FLOAT, [1, x.values]))
            layer = replace(layer, x=flat)
        node, tensors = _node(layer, x, y)
        nodes.append(node)
        constants += tensors
    ends = [_value_info(graph.tensor(n)) for n in (graph.input, graph.output)]
    onnx_graph = helper.make_graph(
        nodes, graph.name, ends[:1], ends[1:], initializer=constants, value_info=inner
    )
    opsets = [
        helper.make_opsetid("", 13),
        helper.make_opsetid(_QONNX, 1),
        helper.make_opsetid(DOMAIN, 1),
    ]
    model = helper.make_model(onnx_graph, opset_imports=opsets, producer_name="hwgen", ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: dumps(replace(graph, layers=()))})
    wrapper = ModelWrapper(model)
    for tensor in graph.tensors:
        wrapper.set_tensor_datatype(tensor.name, _datatype(tensor))
    return wrapper.model


def _node(layer: Layer, x: Tensor, y: Tensor) -> tuple[NodeProto, list[TensorProto]]:
    def node(
        op: str, constants: dict[str, np.ndarray], domain: str = "", **attributes: Any
    ) -> tuple[NodeProto, list[TensorProto]]:
        names = [f"{layer.name}_{role}" for role in constants]
        made = helper.make_node(
            op, [*inputs(layer), *names], [layer.y], name=layer.name, domain=domain, **attributes
        )
        pairs = zip(names, constants.values(), strict=True)
        return made, [numpy_helper.from_array(array, name) for name, array in pairs]

    match layer:
        case Window():
            before, after = zip(*layer.pads, strict=True)
            return node("Window", {}, DOMAIN, kernel=layer.kernel, stride=layer.stride,
                        dilation=layer.dilation, pads=before + after, pad=layer.pad)  # fmt: skip
        case Depthwise():
            return node("Depthwise", {"weight": layer.weights.astype(np.float32)}, DOMAIN)
        case MaxPool():
            return node("MaxOfTaps", {}, DOMAIN, taps=layer.taps)
        case Table():
            return node("Table", {"table": layer.table}, DOMAIN, lo=x.lo)
        case Dense():
            return node("MatMul", {"weight": layer.weights.T.astype(np.float32)})
        case XnorDense():
            return node(
                "XnorPopcountMatMul", {"weight": layer.weights.T.astype(np.float32)}, _QONNX
            )
        case Threshold():
            thresholds = {"thresholds": layer.thresholds.astype(np.float64)}
            return node("MultiThreshold", thresholds, _QONNX, out_scale=1.0,
                        out_bias=float(layer.base), out_dtype=_datatype(y).name,
                        data_layout=_LAYOUTS[len(y.space)])  # fmt: skip
        case Requant():
            constants = {"multiplier": layer.multiplier, "bias": layer.bias}
            return node("Requant", constants, DOMAIN, shift=layer.shift, lo=layer.lo, hi=layer.hi,
                        rounding=str(layer.rounding), overflow=str(layer.overflow))  # fmt: skip
        case ArgMax():
            return node("ArgMax", {}, axis=1, keepdims=1)
        case Add():
            gains = dict(zip(("gain_a", "gain_b"), layer.gains, strict=True))
            return node("WeightedAdd", {}, DOMAIN, **gains)
        case Concat():
            return node("ChannelConcat", {}, DOMAIN)
        case Upsample():
            apart = layer.fill is not None
            return node("PixelUpsample", {}, DOMAIN, factor=layer.factor, space=layer.space,
                        apart=int(apart), fill=layer.fill if apart else 0)  # fmt: skip
        case _:
            assert_never(layer)


def _value_info(t: Tensor) -> TensorProto:
    return helper.make_tensor_value_info(t.name, TensorProto.FLOAT, [1, *t.space, t.size])


def _datatype(t: Tensor) -> DataType:
    if t.type.bits == 1 and not t.type.signed:
        return DataType["BINARY"]
    return DataType[f"{'INT' if t.type.signed else 'UINT'}{t.type.bits}"]
