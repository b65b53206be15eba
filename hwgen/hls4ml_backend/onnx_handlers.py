"""How hls4ml reads the nodes of integer QONNX: one handler per op that hls4ml does not know.

hls4ml calls a handler with (node, input names, input shapes, onnx graph) and wants the attributes
of one layer.  Arrays are handed over as int64, never through a quantizer.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from onnx import GraphProto, NodeProto

from hwgen.errors import ModelError
from hwgen.graph.windows import paired, slid
from hwgen.num.inttype import IntArray, frozen_array

Attributes: TypeAlias = dict[str, Any]
Names: TypeAlias = list[str]
Shapes: TypeAlias = list[list[int]]


def register_handlers() -> None:
    """Register the handlers with hls4ml; a second call changes nothing.

    Not at import: hls4ml loads its plugins before it has finished importing its converters.
    """
    from hls4ml.converters import get_supported_onnx_layers, register_onnx_layer_handler

    handlers = {
        "MultiThreshold": _multi_threshold,
        "Requant": _requant,
        "XnorPopcountMatMul": _xnor,
        "Window": _window,
        "Depthwise": _depthwise,
        "MaxOfTaps": _max_of_taps,
        "Table": _table,
        "ArgMax": _argmax,
        "WeightedAdd": _weighted_add,
        "ChannelConcat": _channel_concat,
        "PixelUpsample": _pixel_upsample,
    }
    for op in handlers.keys() - set(get_supported_onnx_layers()):
        register_onnx_layer_handler(op, handlers[op])


def integers(values: np.ndarray, where: str) -> IntArray:
    """Return ``values`` as read-only int64; raises ModelError if one is not an integer."""
    whole = frozen_array(np.asarray(values))
    wrong = np.flatnonzero(whole != values)
    if wrong.size:
        raise ModelError(
            f"{where}: {np.ravel(values)[wrong[0]]} is not an integer; integer QONNX carries no "
            "scales: run hwgen's streamliner on the model first."
        )
    return whole


def _multi_threshold(
    node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto
) -> Attributes:
    scale, base = _attribute(node, "out_scale", 1.0), _attribute(node, "out_bias", 0.0)
    if scale != 1 or base != int(base):
        raise ModelError(
            f"{node.name}: out_scale {scale}, out_bias {base}: integer QONNX needs out_scale 1 and "
            "an integer out_bias; run hwgen's streamliner on the model first."
        )
    thresholds = _parameter(node, 1, graph)
    channels = shapes[0][-1]
    thresholds = frozen_array(np.broadcast_to(thresholds, (channels, thresholds.shape[1])))
    return _layer(node, inputs, threshold_data=thresholds, base=int(base))


def _requant(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    return _layer(
        node,
        inputs,
        multiplier_data=_parameter(node, 1, graph),
        bias_data=_parameter(node, 2, graph),
        overflow=_attribute(node, "overflow", "saturate"),
        **{name: _attribute(node, name) for name in ("shift", "rounding", "lo", "hi")},
    )


def _xnor(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    weights = frozen_array(_parameter(node, 1, graph).T)
    return _layer(node, inputs, space=shapes[0][1:-1], weight_data=weights)


def _window(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    names = ("kernel", "stride", "dilation", "pads", "pad")
    given = {name: _attribute(node, name) for name in names}
    kernel, stride, dilation = (given[name] for name in names[:3])
    space = slid(shapes[0][1:-1], kernel, stride, dilation, paired(given["pads"]))
    return _layer(node, inputs, **given, space=list(space))


def _depthwise(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    return _layer(node, inputs, weight_data=_parameter(node, 1, graph))


def _max_of_taps(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    return _layer(node, inputs, taps=_attribute(node, "taps"))


def _table(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    return _layer(node, inputs, table_data=_parameter(node, 1, graph), lo=_attribute(node, "lo"))


def _argmax(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    return _layer(node, inputs)


def _weighted_add(node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto) -> Attributes:
    gains = {name: _attribute(node, name) for name in ("gain_a", "gain_b")}
    return _layer(node, inputs, **gains) | {"inputs": inputs}


def _channel_concat(
    node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto
) -> Attributes:
    return _layer(node, inputs) | {"inputs": inputs}


def _pixel_upsample(
    node: NodeProto, inputs: Names, shapes: Shapes, graph: GraphProto
) -> Attributes:
    names = ("factor", "space", "apart", "fill")
    return _layer(node, inputs, **{name: _attribute(node, name) for name in names})


def _layer(node: NodeProto, inputs: Names, **attributes: object) -> Attributes:
    return {
        "class_name": node.op_type,
        "name": node.name,
        "inputs": inputs[:1],
        "outputs": list(node.output),
        **attributes,
    }


def _parameter(node: NodeProto, index: int, graph: GraphProto) -> IntArray:
    from hls4ml.converters.onnx_to_hls import get_constant_value

    return integers(get_constant_value(graph, node.input[index]), f"{node.name}, input {index}")


def _attribute(node: NodeProto, name: str, default: object = None) -> Any:
    from hls4ml.converters.onnx_to_hls import get_onnx_attribute

    return get_onnx_attribute(node, name, default)
