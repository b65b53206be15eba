"""hls4ml's two ONNX entry points, for models that hls4ml's own parser refuses.

hls4ml parses a file before it asks the backend, and its parser stops at ops (Shape, Gather, Pow),
numeric tensor names and missing shapes that hwgen's streamliner resolves.  For ``backend="hwgen"``
the entry points therefore take a float QONNX model as one ``FloatNetwork`` layer; integer QONNX,
and every other backend, goes through hls4ml's parser unchanged.
"""

from __future__ import annotations

import functools
from typing import Any

import hls4ml.utils.config
import onnx
from onnx import ModelProto

from hwgen.errors import ModelError
from hwgen.hls4ml_backend.options import (
    BACKEND,
    DEFAULT_PRECISION,
    DEFAULT_STRATEGY,
    FOLDING,
    PRODUCT_OPS,
    folding,
)

_METADATA_KEY = "hwgen.graph"


def integer_metadata(model: ModelProto) -> str | None:
    """Return the ``hwgen.graph`` metadata, or None if the model is not integer QONNX."""
    return next((p.value for p in model.metadata_props if p.key == _METADATA_KEY), None)


def onnx_model(model: object) -> ModelProto:
    """Return the ONNX model behind what hls4ml users pass: a path, ModelProto or ModelWrapper."""
    if isinstance(model, ModelProto):
        return model
    inner = getattr(model, "model", None)
    return inner if isinstance(inner, ModelProto) else onnx.load(str(model))


def install_config() -> None:
    """Let ``hls4ml.utils.config_from_onnx_model`` serve ``backend="hwgen"``; called once."""
    stock = hls4ml.utils.config.config_from_onnx_model

    @functools.wraps(stock)
    def config_from_onnx_model(
        model: object,
        granularity: str = "name",
        backend: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        if backend is None or backend.lower() != BACKEND:
            return dict(stock(model, granularity, backend, *args, **kwargs))
        return _config(onnx_model(model), granularity.lower(), *args, **kwargs)

    for module in (hls4ml.utils, hls4ml.utils.config):
        module.config_from_onnx_model = config_from_onnx_model


def install_converter() -> None:
    """Let hls4ml's converters take float QONNX for ``backend="hwgen"``; a second call does nothing.

    Not at import: hls4ml loads its plugins before it has finished importing its converters.
    """
    import hls4ml.converters

    stock = hls4ml.converters.onnx_to_hls
    if stock.__module__ == __name__:
        return

    def onnx_to_hls(config: dict[str, Any]) -> Any:
        if config["Backend"] != BACKEND:
            return stock(config)
        model = config["OnnxModel"] = onnx_model(config["OnnxModel"])
        config[FOLDING] = folding(config["HLSConfig"], model)
        is_integer = integer_metadata(model) is not None
        return stock(config) if is_integer else _one_layer(config)

    hls4ml.converters.onnx_to_hls = onnx_to_hls


def _config(
    model: ModelProto,
    granularity: str,
    default_precision: str = DEFAULT_PRECISION,
    default_reuse_factor: int = 1,
    max_precision: str | None = None,
) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "Precision": {"default": default_precision},
        "ReuseFactor": default_reuse_factor,
        "Strategy": DEFAULT_STRATEGY,
    }
    if max_precision is not None:
        shared["Precision"]["maximum"] = max_precision
    products = [n for n in model.graph.node if n.op_type in PRODUCT_OPS and n.name]
    match granularity:
        case "model":
            return {"Model": shared}
        case "type":
            kinds = {n.op_type: {"ReuseFactor": default_reuse_factor} for n in products}
            return {"Model": shared, "LayerType": kinds}
        case "name":
            layers = {n.name: {"ReuseFactor": default_reuse_factor} for n in products}
            return {"Model": shared, "LayerName": layers}
        case other:
            raise ModelError(f'granularity "{other}": must be "model", "type" or "name".')


def _one_layer(config: dict[str, Any]) -> Any:
    from hls4ml.model import ModelGraph

    graph = config["OnnxModel"].graph
    constants = {w.name for w in graph.initializer}
    inputs = [v for v in graph.input if v.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ModelError(
            f"{graph.name}: {len(inputs)} inputs and {len(graph.output)} outputs; hwgen builds "
            "networks of one input and one output."
        )
    layers = [
        {"class_name": "InputLayer", "name": "x", "input_shape": _shape(inputs[0])},
        {"class_name": "FloatNetwork", "name": "network", "output_shape": _shape(graph.output[0])},
    ]
    return ModelGraph.from_layer_list(config, layers, ["x"], ["network"])


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """Return the shape without the batch; what the file leaves open counts as 1."""
    dims = [max(1, d.dim_value) for d in value.type.tensor_type.shape.dim[1:]]
    return dims or [1]
