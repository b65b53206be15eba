"""How hls4ml's Vitis backend writes our layers: a C++ config and a call for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.backends.backend import get_backend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer

from hwgen.hls4ml_backend.layers import (
    ArgMax,
    MultiThreshold,
    Requant,
    XnorPopcountMatMul,
    register_layers,
)

HEADERS = Path(__file__).parent / "templates"

_MULTI_THRESHOLD = """struct config{index} : nnet::multi_threshold_config {{
    static const unsigned n_in = {n_in};
    static const unsigned n_levels = {n_levels};
    static const int base = {base};
    typedef {threshold_t.name} threshold_t;
}};\n"""

_REQUANT = """struct config{index} : nnet::requant_config {{
    static const unsigned n_in = {n_in};
    static const unsigned shift = {shift};
    static const bool half_even = {half_even};
    static const int lo = {lo};
    static const int hi = {hi};
    typedef {multiplier_t.name} multiplier_t;
    typedef {bias_t.name} bias_t;
    typedef {scaled_t} scaled_t;
}};\n"""

_XNOR = """struct config{index} : nnet::xnor_config {{
    static const unsigned n_in = {n_in};
    static const unsigned n_out = {n_out};
}};\n"""

_ARGMAX = """struct config{index} : nnet::argmax_config {{
    static const unsigned n_in = {n_in};
}};\n"""


def register_templates() -> None:
    """Teach hls4ml's Vitis backend our layers; a second call changes nothing."""
    vitis = get_backend("Vitis")
    if any(path.parent == HEADERS for path in vitis.get_custom_source().values()):
        return
    register_layers()
    for header in sorted(HEADERS.glob("*.h")):
        vitis.register_source(header)
    for layer, config, function, header_name, weights in (
        (MultiThreshold, _MULTI_THRESHOLD, "multi_threshold", "multi_threshold", ["threshold"]),
        (Requant, _REQUANT, "requant", "requant", ["multiplier", "bias"]),
        (XnorPopcountMatMul, _XNOR, "xnor_popcount", "xnor", ["weight"]),
        (ArgMax, _ARGMAX, "argmax", "argmax", []),
    ):
        vitis.register_template(_config(layer, config))
        vitis.register_template(_call(layer, function, f"nnet_utils/nnet_{header_name}.h", weights))


def _config(layer: type[Layer], text: str) -> type[LayerConfigTemplate]:
    class Config(LayerConfigTemplate):
        def __init__(self) -> None:
            super().__init__(layer)

        def format(self, node: Any) -> str:
            return text.format(
                **self._default_config_params(node),
                n_in=node.get_input_variable().size(),
                n_out=node.get_output_variable().size(),
            )

    return Config


def _call(
    layer: type[Layer], function: str, header: str, weights: list[str]
) -> type[FunctionCallTemplate]:
    class Call(FunctionCallTemplate):
        def __init__(self) -> None:
            super().__init__(layer, include_header=[header])

        def format(self, node: Any) -> str:
            names = self._default_function_params(node)
            operands = [names["input"], names["output"]]
            operands += [node.get_weights(w).name for w in weights]
            types = f"{names['input_t']}, {names['output_t']}, {names['config']}"
            return f"nnet::{function}<{types}>({', '.join(operands)});"

    return Call
