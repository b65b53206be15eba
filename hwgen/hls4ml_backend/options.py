"""What hwgen makes of an hls4ml config: reuse factors and cycle targets; the rest it names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto

BACKEND = "hwgen"
FOLDING = "HwgenFolding"  # where a converted model's config keeps its Folding
PRODUCT_OPS = ("MatMul", "Gemm", "Conv")  # the nodes that have a ReuseFactor
DEFAULT_PRECISION = "fixed<16,6>"  # hls4ml writes both into every config, asked or not
DEFAULT_STRATEGY = "Latency"
_DEFAULTS = {
    "Precision": (DEFAULT_PRECISION, {"default": DEFAULT_PRECISION}),
    "Strategy": (DEFAULT_STRATEGY, DEFAULT_STRATEGY.lower()),
    "BramFactor": (1_000_000_000,),
    "TraceOutput": (False,),
    "ReuseFactor": (1,),
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
    shared, types, names = (config.get(k) or {} for k in ("Model", "LayerType", "LayerName"))
    products = {n.name: n.op_type for n in model.graph.node if n.op_type in PRODUCT_OPS and n.name}
    others = {n.name for n in model.graph.node} - products.keys()
    ignored = _without_effect("Model", shared, honoured=("ReuseFactor", "TargetCycles"))
    for name, options in {**types, **names}.items():
        honoured = () if name in others else ("ReuseFactor",)
        ignored += _without_effect(name, options, honoured=honoured)
    warn_ignored(ignored)
    if "TargetCycles" in shared:
        return Folding(reuse=None, target_cycles=int(shared["TargetCycles"]))
    default = int(shared.get("ReuseFactor", 1))
    reuse = {n: int(types.get(op, {}).get("ReuseFactor", default)) for n, op in products.items()}
    own = {
        n: int(options["ReuseFactor"]) for n, options in names.items() if "ReuseFactor" in options
    }
    reuse |= {name: factor for name, factor in own.items() if name not in others}
    return Folding(reuse=default if set(reuse.values()) <= {default} else reuse)


def warn_ignored(options: list[str]) -> None:
    """Warn, in one line, of options that have no effect; silent if there are none."""
    if options:
        warnings.warn(
            f"hwgen ignores {', '.join(options)}: the model's integers fix every width, and "
            "ReuseFactor, TargetCycles and part alone fix the parallelism.",
            stacklevel=2,
        )


def _without_effect(where: str, options: dict[str, Any], *, honoured: tuple[str, ...]) -> list[str]:
    return [
        f"{key} of {where}"
        for key, value in options.items()
        if key not in honoured and not _is_default(key, value)
    ]


def _is_default(key: str, value: object) -> bool:
    if value in _DEFAULTS.get(key, ()):
        return True
    return isinstance(value, dict) and all(precision == "auto" for precision in value.values())
