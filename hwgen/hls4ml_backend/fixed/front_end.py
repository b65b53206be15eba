"""hls4ml's Keras and PyTorch entry points for ``backend="hwgen"``.

hls4ml converts the model for its Vitis backend: the types of every layer, and so the integers, are
those of its own C simulation.  The integer graph is made of that model.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hls4ml.utils.config

from hwgen.graph import ir
from hwgen.hls4ml_backend.fixed.graph import fixed_graph
from hwgen.hls4ml_backend.fixed.stock import pack_stock
from hwgen.hls4ml_backend.options import BACKEND, FOLDING, Folding

FIXED = "HwgenFixed"  # where a converted model's config keeps its FixedModel
_CONVERTERS = ("keras_v3_to_hls", "keras_v2_to_hls", "pytorch_to_hls")
_CONFIGS = ("config_from_keras_model", "config_from_pytorch_model")


@dataclass(frozen=True, slots=True, eq=False)
class FixedModel:
    """What a Keras or PyTorch model became: the integers, and hls4ml's own project of it."""

    graph: ir.Graph
    project: bytes


def install_fixed_configs() -> None:
    """Let hls4ml's config functions serve ``backend="hwgen"``; called once."""
    for name in _CONFIGS:
        config = _as_vitis(getattr(hls4ml.utils.config, name))
        for module in (hls4ml.utils, hls4ml.utils.config):
            setattr(module, name, config)


def install_fixed_converters() -> None:
    """Let hls4ml's converters serve ``backend="hwgen"``; a second call does nothing.

    Not at import: hls4ml loads its plugins before it has finished importing its converters.
    """
    import hls4ml.converters

    for name in _CONVERTERS:
        stock = getattr(hls4ml.converters, name)
        if stock.__module__ != __name__:
            setattr(hls4ml.converters, name, _converter(stock))


def _as_vitis(stock: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(stock)

    @functools.wraps(stock)
    def config(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        backend = given.arguments.get("backend")
        if isinstance(backend, str) and backend.lower() == BACKEND:
            given.arguments["backend"] = "Vitis"
        return stock(*given.args, **given.kwargs)

    return config


def _converter(stock: Callable[..., Any]) -> Callable[..., Any]:
    def convert(config: dict[str, Any], *args: Any) -> Any:
        return (
            _fixed(stock, config, *args) if config["Backend"] == BACKEND else stock(config, *args)
        )

    return convert


def _fixed(stock: Callable[..., Any], config: dict[str, Any], *args: Any) -> Any:
    vitis = hls4ml.backends.get_backend("Vitis")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = config | vitis.create_initial_config(io_type="io_parallel")
        theirs |= {"Backend": "Vitis", "HLSConfig": config["HLSConfig"]}
        model = stock(theirs, *args)
        fixed = FixedModel(fixed_graph(model), pack_stock(model))
    fold = _folding(model, fixed.graph, config["HLSConfig"])
    model.config.backend = hls4ml.backends.get_backend(BACKEND)
    model.config.config |= {"Backend": BACKEND, "Part": config["Part"], FIXED: fixed, FOLDING: fold}
    return model


def _folding(model: Any, graph: ir.Graph, config: dict[str, Any]) -> Folding:
    """Return the folding of the layers' reuse factors; TargetCycles goes before them.

    hwgen folds the pooling layers, which have no weights, as it likes.
    """
    if "TargetCycles" in config["Model"]:
        return Folding(reuse=None, target_cycles=int(config["Model"]["TargetCycles"]))
    nodes = [e for e in model.get_layers() if "weight" in e.weights or "Pool" in e.class_name]
    pairs = list(zip((layer.name for layer in graph.products()), nodes, strict=True))
    reuse = {name: int(e.get_attr("reuse_factor")) for name, e in pairs if "weight" in e.weights}
    shared = len(reuse) == len(pairs) and len(set(reuse.values())) == 1
    return Folding(reuse=next(iter(reuse.values())) if shared else reuse)
