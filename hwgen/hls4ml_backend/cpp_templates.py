"""How hls4ml's Vitis backend writes our layers: a C++ config and a call for each."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from hls4ml.backends.backend import get_backend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer

from hwgen.graph.windows import plane
from hwgen.hls4ml_backend.layers import (
    ArgMax,
    ChannelConcat,
    Depthwise,
    MaxOfTaps,
    MultiThreshold,
    PixelMatMul,
    PixelUpsample,
    Requant,
    Table,
    WeightedAdd,
    Window,
    XnorPopcountMatMul,
    register_layers,
)

HEADERS = Path(__file__).parent / "templates"

_CONFIGS = {
    MultiThreshold: """struct config{index} : nnet::multi_threshold_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan = {n_out};
    static const unsigned n_levels = {n_levels};
    static const int base = {base};
    typedef {threshold_t.name} threshold_t;
}};\n""",
    Requant: """struct config{index} : nnet::requant_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan = {n_out};
    static const unsigned shift = {shift};
    static const unsigned rounding = {rounding_mode}, overflow = {overflow_mode};
    static const int lo = {lo};
    static const int hi = {hi};
    typedef {multiplier_t.name} multiplier_t;
    typedef {bias_t.name} bias_t;
    typedef {scaled_t} scaled_t;
}};\n""",
    XnorPopcountMatMul: """struct config{index} : nnet::xnor_config {{
    static const unsigned n_pixels = {n_pixels}, n_in = {n_in}, n_out = {n_out};
}};\n""",
    PixelMatMul: """struct config{index} : nnet::pixel_matmul_config {{
    static const unsigned n_pixels = {n_pixels}, n_in = {n_in}, n_out = {n_out};
    typedef {weight_t.name} weight_t;
    typedef {accum_t.name} accum_t;
}};\n""",
    Depthwise: """struct config{index} : nnet::depthwise_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan = {n_out}, n_taps = {n_in} / {n_out};
    typedef {weight_t.name} weight_t;
    typedef {accum_t.name} accum_t;
}};\n""",
    MaxOfTaps: """struct config{index} : nnet::max_of_taps_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan = {n_out}, n_taps = {n_in} / {n_out};
}};\n""",
    Window: """struct config{index} : nnet::window_config {{
    static const unsigned in_h = {in_space[0]}, in_w = {in_space[1]}, n_chan = {n_chan};
    static const unsigned out_h = {out_space[0]}, out_w = {out_space[1]};
    static const unsigned n_in = {in_values}, n_out = {out_values};
    static const unsigned kernel_h = {kernel[0]}, kernel_w = {kernel[1]};
    static const int stride_h = {stride[0]}, stride_w = {stride[1]};
    static const int dilation_h = {dilation[0]}, dilation_w = {dilation[1]};
    static const int pad_top = {before[0]}, pad_left = {before[1]};
    static const int pad = {pad};
}};\n""",
    Table: """struct config{index} : nnet::table_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan = {n_out};
    static const unsigned n_rows = {n_rows}, n_entries = {n_entries};
    static const int lo = {lo};
    typedef {table_t.name} table_t;
}};\n""",
    WeightedAdd: """struct config{index} : nnet::weighted_add_config {{
    static const unsigned n_in = {n_pixels} * {n_out};
    static const int gain_a = {gain_a}, gain_b = {gain_b};
}};\n""",
    ChannelConcat: """struct config{index} : nnet::channel_concat_config {{
    static const unsigned n_pixels = {n_pixels}, n_chan_a = {n_in}, n_chan_b = {n_out} - {n_in};
}};\n""",
    PixelUpsample: """struct config{index} : nnet::pixel_upsample_config {{
    static const unsigned in_h = {in_space[0]}, in_w = {in_space[1]}, n_chan = {n_out};
    static const unsigned out_h = {out_space[0]}, out_w = {out_space[1]};
    static const unsigned factor_h = {factor[0]}, factor_w = {factor[1]};
    static const bool apart = {apart};
    static const int fill = {fill};
}};\n""",
    ArgMax: """struct config{index} : nnet::argmax_config {{
    static const unsigned n_in = {n_in};
}};\n""",
}
_CALLS: dict[type[Layer], tuple[str, str, list[str]]] = {  # function, header, weights
    MultiThreshold: ("multi_threshold", "multi_threshold", ["threshold"]),
    Requant: ("requant", "requant", ["multiplier", "bias"]),
    XnorPopcountMatMul: ("xnor_popcount", "xnor", ["weight"]),
    PixelMatMul: ("pixel_matmul", "pixel_matmul", ["weight"]),
    Depthwise: ("depthwise", "depthwise", ["weight"]),
    MaxOfTaps: ("max_of_taps", "max_of_taps", []),
    Window: ("window", "window", []),
    Table: ("table", "table", ["table"]),
    ArgMax: ("argmax", "argmax", []),
    WeightedAdd: ("weighted_add", "branches", []),
    ChannelConcat: ("channel_concat", "branches", []),
    PixelUpsample: ("pixel_upsample", "branches", []),
}


def register_templates() -> None:
    """Teach hls4ml's Vitis backend our layers; a second call changes nothing."""
    vitis = get_backend("Vitis")
    if any(path.parent == HEADERS for path in vitis.get_custom_source().values()):
        return
    register_layers()
    for header in sorted(HEADERS.glob("*.h")):
        vitis.register_source(header)
    for layer, (function, name, weights) in _CALLS.items():
        vitis.register_template(_config(layer, _CONFIGS[layer]))
        vitis.register_template(_call(layer, function, f"nnet_utils/nnet_{name}.h", weights))


def _config(layer: type[Layer], text: str) -> type[LayerConfigTemplate]:
    class Config(LayerConfigTemplate):
        def __init__(self) -> None:
            super().__init__(layer)

        def format(self, node: Any) -> str:
            return text.format(**(self._default_config_params(node) | _sizes(node)))

    return Config


def _sizes(node: Any) -> dict[str, Any]:
    """Return what a config says of a node's shapes; sizes are of one output pixel."""
    x, y = node.get_input_variable(), node.get_output_variable()
    pixels = prod(y.shape[:-1])
    sizes: dict[str, Any] = {
        "n_pixels": pixels, "n_in": x.size() // pixels, "n_out": y.shape[-1],
    }  # fmt: skip
    if node.class_name == "Window":
        sizes |= {
            "in_space": plane(x.shape[:-1]), "out_space": plane(y.shape[:-1]),
            "n_chan": x.shape[-1], "in_values": x.size(), "out_values": y.size(),
            "before": plane(node.get_attr("pads")[: len(x.shape) - 1], 0),
        }  # fmt: skip
        sizes |= {k: plane(node.get_attr(k)) for k in ("kernel", "stride", "dilation")}
    if node.class_name == "PixelUpsample":
        sizes |= {
            "in_space": plane(x.shape[:-1]), "out_space": plane(y.shape[:-1]),
            "factor": plane(node.get_attr("factor")),
            "apart": "true" if node.get_attr("apart") else "false",
        }  # fmt: skip
    if node.class_name == "Table":
        sizes["n_rows"], sizes["n_entries"] = node.get_attr("table_data").shape
    return sizes


def _call(
    layer: type[Layer], function: str, header: str, weights: list[str]
) -> type[FunctionCallTemplate]:
    class Call(FunctionCallTemplate):
        def __init__(self) -> None:
            super().__init__(layer, include_header=[header])

        def format(self, node: Any) -> str:
            names = self._default_function_params(node)
            sources = [node.get_input_variable(name) for name in node.inputs]
            operands = [*(x.name for x in sources), names["output"]]
            operands += [node.get_weights(w).name for w in weights]
            types = [*(x.type.name for x in sources), names["output_t"], names["config"]]
            return f"nnet::{function}<{', '.join(types)}>({', '.join(operands)});"

    return Call
