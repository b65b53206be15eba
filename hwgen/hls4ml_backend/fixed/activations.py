"""hls4ml's activation functions on integer codes, as ``nnet_activation.h`` has them."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.hls4ml_backend.fixed.chain import FixedChain
from hwgen.hls4ml_backend.fixed.type import FixedType, fixed_type, weight_codes
from hwgen.num.inttype import IntArray

_RELU_MAX = {"relu6": 6, "relu1": 1}
_PARAMETRIZED = ("leakyrelu", "leaky_relu", "thresholdedrelu")  # a ReLU where the parameter is 0


def activation(chain: FixedChain, node: Any) -> None:
    """Append the activation ``node`` and the cast to its result type."""
    name = "unary_lut" if node.class_name == "UnaryLUT" else node.get_attr("activation").lower()
    result = fixed_type(node.get_output_variable().type.precision, f"{node.name}, result")
    if name in _RELU_MAX:
        chain.flush()
        if np.any(chain.fraction < 0):
            raise UnsupportedOp(f"{node.name}: {name} of codes of several units; use relu.")
        chain.clamp(np.array(0), _RELU_MAX[name] << chain.fraction)
        chain.cast(result)
    elif name == "linear":
        chain.cast(result)
    elif name == "relu" or (name in _PARAMETRIZED and not _parameter(node)[0]):
        chain.clamp(np.array(0))
        chain.cast(result)
    elif name in _REALS:
        chain.flush()
        f, monotone = _sampled(node, chain.fraction, result)
        chain.apply(f, result.fraction, monotone)
    elif name in _FUNCTIONS:
        chain.flush()
        f = _FUNCTIONS[name](node, chain.fraction, result)
        chain.apply(f, result.fraction)
    else:
        known = ", ".join(["linear", "relu", *_RELU_MAX, *_REALS, *_FUNCTIONS])
        raise UnsupportedOp(f"{node.name}: hwgen has no {name} of hls4ml; it has {known}.")


def _parameter(node: Any) -> tuple[IntArray, FixedType]:
    t = fixed_type(node.get_attr("param_t").precision, f"{node.name}, parameter")
    if "threshold" in node.get_attr("activation").lower() and not t.signed:
        x = fixed_type(node.get_input_variable().type.precision, f"{node.name}, input")
        if x.signed:
            raise UnsupportedOp(
                f"{node.name}: hls4ml's C++ compares {x} with a threshold of type {t} as unsigned "
                'numbers, so negative values pass. Write the layer as Activation("relu").'
            )
    return t.codes(np.array(node.get_attr("activ_param"))), t


_Codes = Callable[[IntArray], IntArray]


def _leaky_relu(node: Any, fraction: IntArray, result: FixedType) -> _Codes:
    alpha, t = _parameter(node)
    return _two_slopes(alpha, t, fraction, result)


def _prelu(node: Any, fraction: IntArray, result: FixedType) -> _Codes:
    alpha, t = weight_codes(node.weights["param"], f"{node.name}, slopes")
    if alpha.size != node.get_attr("n_in"):
        raise UnsupportedOp(
            f"{node.name}: {alpha.size} slopes for {node.get_attr('n_in')} values; hls4ml reads "
            "one slope per value. Use LeakyReLU, or PReLU on vectors."
        )
    slopes = alpha.reshape(-1, len(fraction))
    if np.any(slopes != slopes[0]):
        raise UnsupportedOp(
            f"{node.name}: slopes that differ from pixel to pixel; hwgen has one per channel. Use "
            "LeakyReLU."
        )
    return _two_slopes(slopes[0], t, fraction, result)


def _two_slopes(alpha: IntArray, t: FixedType, fraction: IntArray, result: FixedType) -> _Codes:
    def f(x: IntArray) -> IntArray:
        below = result.convert(alpha * x, fraction + t.fraction)
        return np.where(x > 0, result.convert(x, fraction), below)

    return f


def _thresholded_relu(node: Any, fraction: IntArray, result: FixedType) -> _Codes:
    theta, t = _parameter(node)

    def f(x: IntArray) -> IntArray:
        above = x * 2.0**-fraction > theta * 2.0**-t.fraction
        return np.where(above, result.convert(x, fraction), 0)

    return f


def _hard_sigmoid(node: Any, fraction: IntArray, result: FixedType) -> _Codes:
    if node.get_attr("slope_t") is None:
        raise UnsupportedOp(
            f"{node.name}: hls4ml gave {node.get_attr('activation')} no slope, so its C++ does not "
            "compile; use hard_sigmoid."
        )
    slope, shift = (
        (t.codes(np.array(node.get_attr(name))), t)
        for name in ("slope", "shift")
        for t in [fixed_type(node.get_attr(f"{name}_t").precision, f"{node.name}, {name}")]
    )
    tanh = node.get_attr("activation").lower() == "hard_tanh"

    def f(x: IntArray) -> IntArray:
        fine = np.maximum(fraction + slope[1].fraction, shift[1].fraction)
        y = (slope[0] * x) << (fine - fraction - slope[1].fraction)
        y = np.clip(y + (shift[0] << (fine - shift[1].fraction)), 0, 1 << fine)
        return result.convert(2 * y - (1 << fine) if tanh else y, fine)

    return f


def _sampled(node: Any, fraction: IntArray, result: FixedType) -> tuple[_Codes, bool]:
    """Return a function that hls4ml samples in a table, and whether it does not decrease."""
    reach, real = _REALS[node.get_attr("activation").lower()]
    entries = int(node.get_attr("table_size"))
    t = fixed_type(node.get_attr("table_t").precision, f"{node.name}, table")
    points = np.arange(entries) - float(np.float32(entries)) / 2.0
    points = (2 * reach * points / float(np.float32(entries))).astype(np.float32)
    values = result.convert(t.codes(np.array([real(float(p)) for p in points])), t.fraction)

    def f(x: IntArray) -> IntArray:
        within = np.minimum(np.abs(x), int(reach) << fraction)
        whole = np.sign(x) * (within * entries // (int(2 * reach) << fraction))
        return values[np.clip(whole + entries // 2, 0, entries - 1)]

    return f, bool(np.all(np.diff(values) >= 0))


def _sigmoid(x: float) -> float:
    return float(np.float32(1.0 / float(np.float32(1) + np.float32(_expf(-x)))))


def _unary_lut(node: Any, fraction: IntArray, result: FixedType) -> _Codes:
    table, t = weight_codes(node.weights["table"], f"{node.name}, table")
    entry = fixed_type(node.get_input_variable().type.precision, f"{node.name}, input")
    if len(table) < 1 << entry.width:
        raise UnsupportedOp(
            f"{node.name}: a table of {len(table)} entries for the {1 << entry.width} codes of "
            f"{entry}; hls4ml's C++ reads beyond it."
        )
    values = result.convert(table, t.fraction)
    mask = (1 << entry.width) - 1

    def f(x: IntArray) -> IntArray:
        return values[(x << (entry.fraction - fraction)) & mask]

    return f


_MATH = ctypes.CDLL(ctypes.util.find_library("m"))  # what the C++ calls, to the last bit
_expf, _tanhf = _MATH.expf, _MATH.tanhf
for _float_function in (_expf, _tanhf):
    _float_function.restype, _float_function.argtypes = ctypes.c_float, [ctypes.c_float]

_REALS: dict[str, tuple[float, Callable[[float], float]]] = {  # sampled on -reach .. reach
    "sigmoid": (8.0, _sigmoid),
    "tanh": (4.0, _tanhf),
}
_FUNCTIONS: dict[str, Callable[[Any, IntArray, FixedType], _Codes]] = {
    "leakyrelu": _leaky_relu,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "thresholdedrelu": _thresholded_relu,
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": _hard_sigmoid,
    "unary_lut": _unary_lut,
}
