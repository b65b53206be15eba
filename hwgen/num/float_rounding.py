"""Rounding of floats to integers, by the names that QONNX, Brevitas and fixed-point types have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

AnyFloat: TypeAlias = npt.NDArray[np.floating[Any]]
_Rounding: TypeAlias = Callable[[AnyFloat], AnyFloat]


def half_away(x: AnyFloat) -> AnyFloat:
    """Return ``x`` rounded to integers, ties away from zero, in its own float type."""
    fraction, whole = np.modf(x)  # of infinity: 0
    return np.where(np.abs(fraction) >= 0.5, whole + np.sign(x), whole)


def _half_to_zero(x: AnyFloat) -> AnyFloat:
    fraction, whole = np.modf(x)
    return np.where(np.abs(fraction) > 0.5, whole + np.sign(x), whole)


def _half_ceil(x: AnyFloat) -> AnyFloat:
    below = np.floor(x)
    return below + (x - below >= 0.5)


def _half_floor(x: AnyFloat) -> AnyFloat:
    below = np.floor(x)
    return below + (x - below > 0.5)


def _dpu(x: AnyFloat) -> AnyFloat:
    """Round half to even, but negative halves up: the hardware of Xilinx' DPU."""
    return np.where((x < 0) & (x - np.floor(x) == 0.5), np.ceil(x), np.round(x))


_QONNX: dict[str, _Rounding] = {  # as its executor computes them
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "DOWN": np.trunc,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}
_BREVITAS: dict[str, _Rounding] = {"ROUND_TO_ZERO": np.trunc, "DPU": _dpu}
_FIXED_POINT: dict[str, _Rounding] = {
    "HALF_CEIL": _half_ceil,
    "HALF_FLOOR": _half_floor,
    "HALF_AWAY": half_away,
    "HALF_TO_ZERO": _half_to_zero,
}
QONNX_MODES = (*_QONNX, *_BREVITAS)
ROUND: dict[str, _Rounding] = _QONNX | _BREVITAS | _FIXED_POINT
