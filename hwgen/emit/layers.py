"""Each layer as one instance of the RTL library and the memory images it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from hwgen.emit.stream import Stream, clocked, connect
from hwgen.emit.sv import Instance, Value
from hwgen.graph.ir import (
    Add,
    ArgMax,
    Dense,
    Depthwise,
    Graph,
    Join,
    Layer,
    MaxPool,
    Order,
    Requant,
    Table,
    Tensor,
    Threshold,
    Upsample,
    Window,
    XnorDense,
)
from hwgen.graph.windows import plane, window_rows
from hwgen.num.inttype import IntArray, IntType
from hwgen.num.pack import (
    dense_weight_lines,
    depthwise_weight_lines,
    requant_lines,
    table_files,
    threshold_files,
)
from hwgen.num.rounding import Overflow, Rounding

_TWOS_COMPLEMENT, _ODD, _XNOR = 0, 1, 2  # ARITH of hw_dot


@dataclass(frozen=True, slots=True)
class Emitted:
    """An instance, the stream it writes, and its memory images by file name."""

    instance: Instance
    stream: Stream
    memories: dict[str, list[str]]


def emit_layer(layer: Layer, sources: Sequence[Stream], graph: Graph) -> Emitted:
    """Return the hardware of ``layer``, which reads ``sources``."""
    source, x, y = sources[0], graph.tensor(layer.x), graph.tensor(layer.y)
    if isinstance(layer, Join):
        return _join(layer, sources, graph)

    def made(
        module: str, lanes: int, params: dict[str, Value], memories: dict[str, list[str]]
    ) -> Emitted:
        sink = Stream(y.name, y.type, lanes, y.values // lanes)
        instance = Instance(module, f"u_{layer.name}", params, clocked(source, sink))
        return Emitted(instance, sink, memories)

    x_params: dict[str, Value] = {"X_W": x.type.bits, "X_SIGNED": int(x.type.signed)}
    match layer:
        case Window():
            return _window(layer, x, x_params, y, made)
        case Dense() | XnorDense():
            return _matvec(layer, x_params, y, made)
        case Depthwise():
            return _depthwise(layer, x_params, y, made)
        case MaxPool():
            sizes = {"CHANNELS": y.size, "TAPS": layer.taps, "PE": layer.fold.pe}
            return made("hw_maxpool", layer.fold.pe, {**sizes, **x_params}, {})
        case Table():
            return _table(layer, source.lanes, x, x_params, y, made)
        case Threshold():
            return _threshold(layer, source.lanes, x, x_params, y, made)
        case Requant():
            return _requant(layer, source.lanes, x_params, y, made)
        case Upsample():
            return made("hw_upsample", layer.fold.pe, _upsample(layer, x, x_params, y), {})
        case ArgMax():
            params = {"N": x.size, "PE": source.lanes, **x_params, "Y_W": y.type.bits}
            return made("hw_argmax", 1, params, {})
        case _:
            assert_never(layer)


def _join(layer: Join, sources: Sequence[Stream], graph: Graph) -> Emitted:
    a, b, y = (graph.tensor(name) for name in (layer.x, layer.other, layer.y))
    pe = layer.fold.pe
    params: dict[str, Value] = {"PE": pe}
    for n, t in enumerate((a, b)):
        params |= {f"X{n}_W": t.type.bits, f"X{n}_SIGNED": int(t.type.signed)}
    params["Y_W"] = y.type.bits
    if isinstance(layer, Add):
        module, own = "hw_add", dict(zip(("G0", "G1"), layer.gains, strict=True))
    else:
        module, own = "hw_concat", {"BEATS0": a.size // pe, "BEATS1": b.size // pe}
    sink = Stream(y.name, y.type, pe, y.values // pe)
    ports = {"clk": "clk", "rst": "rst", **connect("s0_axis", sources[0])}
    ports |= connect("s1_axis", sources[1]) | connect("m_axis", sink)
    return Emitted(Instance(module, f"u_{layer.name}", {**params, **own}, ports), sink, {})


def _upsample(
    layer: Upsample, x: Tensor, x_params: dict[str, Value], y: Tensor
) -> dict[str, Value]:
    (in_h, in_w), (out_h, out_w), (fy, fx) = map(plane, (x.space, y.space, layer.factor))
    return {
        "IN_H": in_h, "IN_W": in_w, "FY": fy, "FX": fx, "OUT_H": out_h, "OUT_W": out_w,
        "CF": x.size // layer.fold.pe, "PE": layer.fold.pe, **x_params, "Y_W": y.type.bits,
        "STUFF": int(layer.fill is not None), "FILL": layer.fill or 0,
    }  # fmt: skip


_Made = Callable[[str, int, dict[str, Value], dict[str, list[str]]], Emitted]


def _window(
    layer: Window, x: Tensor, x_params: dict[str, Value], y: Tensor, made: _Made
) -> Emitted:
    in_h, in_w = plane(x.space)
    (kh, kw), (sh, sw), (dh, dw) = map(plane, (layer.kernel, layer.stride, layer.dilation))
    (top, bottom), (left, right) = (*layer.pads, (0, 0))[:2]
    params: dict[str, Value] = {
        "IN_H": in_h, "IN_W": in_w, "CHANNELS": x.size, "SIMD": layer.fold.simd, **x_params,
        "Y_W": y.type.bits, "PAD": layer.pad, "KH": kh, "KW": kw, "SH": sh, "SW": sw, "DH": dh,
        "DW": dw, "PT": top, "PB": bottom, "PL": left, "PR": right,
        "ROWS": window_rows(layer, in_h),
    }  # fmt: skip
    return made("hw_window", layer.fold.simd, params, {})


def _depthwise(layer: Depthwise, x_params: dict[str, Value], y: Tensor, made: _Made) -> Emitted:
    channels, taps = layer.weights.shape
    w_bits, file, pe = layer.stored_type.bits, f"{layer.name}_w.mem", layer.fold.pe
    params: dict[str, Value] = {
        "CHANNELS": channels, "TAPS": taps, "PE": pe, **x_params, "W_W": w_bits,
        "ACC_W": y.type.bits, "Y_SIGNED": int(y.type.signed), "W_FILE": file,
    }  # fmt: skip
    lines = depthwise_weight_lines(layer.weights, pe, w_bits)
    return made("hw_depthwise", pe, params, {file: lines})


def _table(
    layer: Table, pe: int, x: Tensor, x_params: dict[str, Value], y: Tensor, made: _Made
) -> Emitted:
    rows, entries = layer.table.shape
    prefix = f"{layer.name}_t"
    params: dict[str, Value] = {
        "CHANNELS": x.size, "PE": pe, **x_params, "Y_W": y.type.bits, "LO": x.lo,
        "INDEX_W": max((entries - 1).bit_length(), 1), "SHARED": int(rows == 1), "T_FILE": prefix,
    }  # fmt: skip
    return made("hw_table", pe, params, table_files(prefix, layer.table, pe, y.type.bits))


def _matvec(
    layer: Dense | XnorDense, x_params: dict[str, Value], y: Tensor, made: _Made
) -> Emitted:
    out_n, in_n = layer.weights.shape
    fold = layer.fold
    w_bits = layer.stored_type.bits
    if isinstance(layer, XnorDense):
        codes, arith = layer.weights, _XNOR
    else:
        codes, arith = layer.stored, _ODD if layer.odd else _TWOS_COMPLEMENT
    file = f"{layer.name}_w.mem"
    params: dict[str, Value] = {
        "IN_N": in_n, "OUT_N": out_n, "SIMD": fold.simd, "PE": fold.pe, **x_params,
        "W_W": w_bits, "ARITH": arith, "ACC_W": y.type.bits, "Y_SIGNED": int(y.type.signed),
        "W_FILE": file,
    }  # fmt: skip
    module = "hw_dense" if fold.order is Order.ROW else "hw_dense_col"
    lines = dense_weight_lines(codes, fold.simd, fold.pe, w_bits, str(fold.order))
    return made(module, fold.pe, params, {file: lines})


def _threshold(
    layer: Threshold, pe: int, x: Tensor, x_params: dict[str, Value], y: Tensor, made: _Made
) -> Emitted:
    """Pad to ``2**n - 1`` levels with a value beyond the accumulator: never reached."""
    channels, levels = layer.thresholds.shape
    padded = (1 << max(levels.bit_length(), 1)) - 1
    never = np.full((channels, padded - levels), x.hi + 1, dtype=np.int64)
    thresholds = np.concatenate([layer.thresholds, never], axis=1)
    t_bits = IntType.of_range(min(x.lo, 0), x.hi + 1).bits
    prefix = f"{layer.name}_t"
    params: dict[str, Value] = {
        "CHANNELS": channels, "PE": pe, **x_params, "Y_W": y.type.bits, "LEVELS": padded,
        "T_W": t_bits, "BASE": layer.base, "T_FILE": prefix,
    }  # fmt: skip
    return made("hw_threshold", pe, params, threshold_files(prefix, thresholds, pe, t_bits))


def _requant(
    layer: Requant, pe: int, x_params: dict[str, Value], y: Tensor, made: _Made
) -> Emitted:
    unit = bool(np.all(layer.multiplier == 1))
    m_bits, b_bits = _signed_bits(layer.multiplier), _signed_bits(layer.bias)
    file = f"{layer.name}_p.mem"
    params: dict[str, Value] = {
        "CHANNELS": len(layer.multiplier), "PE": pe, **x_params, "Y_W": y.type.bits,
        "M_W": m_bits, "B_W": b_bits, "SHIFT": layer.shift, "UNIT_M": int(unit),
        "ROUNDING": list(Rounding).index(layer.rounding),
        "OVERFLOW": list(Overflow).index(layer.overflow), "LO": layer.compared[0],
        "HI": layer.compared[1], "P_FILE": file,
    }  # fmt: skip
    lines = requant_lines(layer.multiplier, layer.bias, pe, m_bits, b_bits)
    return made("hw_requant", pe, params, {file: lines})


def _signed_bits(values: IntArray) -> int:
    return IntType.of_range(min(int(values.min()), -1), int(values.max())).bits
