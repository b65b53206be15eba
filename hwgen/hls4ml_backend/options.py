"""What hwgen makes of an hls4ml config: reuse factors and cycle targets; the rest it names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto

PRODUCT_OPS = ("MatMul", "Gemm", "Conv")  # the nodes that have a ReuseFactor
DEFAULT_PRECISION = "fixed<16,6>"  # hls4ml writes both into every config, asked or not
DEFAULT_STRATEGY = "Latency"
_HONOURED = ("ReuseFactor", "TargetCycles")
_QUIET = {
    "Precision": (DEFAULT_PRECISION, {"default": DEFAULT_PRECISION}),
    "Strategy": (DEFAULT_STRATEGY, DEFAULT_STRATEGY.lower()),
    "BramFactor": (1_000_000_000,),
    "TraceOutput": (False,),
    "Trace": (False,),
}


@dataclass(frozen=True, slots=True)
class Folding:
    """How parallel the hardware is to be: by ReuseFactor (per layer or for all) or by cycles."""

    reuse: dict[str, int] | int | None
    target_cycles: int | None = None


def folding(config: dict[str, Any], model: ModelProto) -> Folding:
    """Return the folding that an ``HLSConfig`` dictionary asks for, and warn of what else it asks.

    A layer's own ReuseFactor goes before its type's, its type's before the model's, as in hls4ml.
    """
    shared = config.get("Model") or {}
    warn_ignored(_ignored(config))
    if "TargetCycles" in shared:
        return Folding(reuse=None, target_cycles=int(shared["TargetCycles"]))
    default = int(shared.get("ReuseFactor", 1))
    types = config.get("LayerType") or {}
    names = config.get("LayerName") or {}
    reuse = {
        n.name: int(types.get(n.op_type, {}).get("ReuseFactor", default))
        for n in model.graph.node
        if n.op_type in PRODUCT_OPS and n.name
    }
    others = {n.name for n in model.graph.node} - reuse.keys()
    reuse |= {
        name: int(layer["ReuseFactor"])
        for name, layer in names.items()
        if "ReuseFactor" in layer and name not in others
    }
    return Folding(reuse=default if set(reuse.values()) <= {default} else reuse)


def warn_ignored(names: list[str]) -> None:
    """Warn, in one line, of options that have no effect; silent if there are none."""
    if names:
        warnings.warn(
            f"hwgen ignores {', '.join(names)}: the model's integers fix every width; only "
            f"{' and '.join(_HONOURED)} apply.",
            stacklevel=2,
        )


def _ignored(config: dict[str, Any]) -> list[str]:
    layers = {**(config.get("LayerType") or {}), **(config.get("LayerName") or {})}
    return [
        f"{key} of {where}"
        for where, options in {"Model": config.get("Model") or {}, **layers}.items()
        for key, value in options.items()
        if key not in _HONOURED and not _is_default(key, value)
    ]


def _is_default(key: str, value: object) -> bool:
    if value in _QUIET.get(key, ()):
        return True
    return isinstance(value, dict) and set(value.values()) <= {"auto"}
