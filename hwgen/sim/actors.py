"""The instances of a generated top as actors of the token simulation (tokens.cpp).

Each module of the RTL library is a cyclo-static actor: what a step of its loops waits for, takes
and gives is known from its parameters alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Protocol

import numpy as np

STEPS, RING, FIFO, FORK, WIDEN, NARROW = range(6)
_NEED, _EMIT = 4, 16  # bits of a step: take input 0 or 1 (1, 2), need it (4, 8), emit


class Instance(Protocol):
    """What a generated top says of an instance."""

    @property
    def module(self) -> str:
        """Module of the RTL library."""

    @property
    def name(self) -> str:
        """Name in the top."""

    @property
    def params(self) -> Mapping[str, int | str]:
        """Values by parameter name."""

    @property
    def ports(self) -> Mapping[str, str]:
        """Nets by port name."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """One instance; ``numbers`` as tokens.cpp reads them."""

    name: str
    kind: int
    sources: tuple[str, ...]  # streams
    sinks: tuple[str, ...]
    numbers: tuple[int, ...]


def actor(instance: Instance) -> Actor | None:
    """Return the actor of an instance; None: it has no streams."""
    sources, sinks = (_streams(instance, side) for side in "sm")
    if not sources:
        return None
    kind, numbers = _behaviour(instance.module, instance.params)
    return Actor(instance.name, kind, sources, sinks, tuple(int(n) for n in numbers))


def _streams(instance: Instance, side: str) -> tuple[str, ...]:
    ending = "_axis_tvalid"
    ports = [p for p in instance.ports if p.startswith(side) and p.endswith(ending)]
    return tuple(instance.ports[port].removesuffix("_tvalid") for port in sorted(ports))


def _behaviour(module: str, params: Mapping[str, int | str]) -> tuple[int, Sequence[int]]:
    p = {name: int(value) for name, value in params.items() if not isinstance(value, str)}
    match module:
        case "hw_axis_register":
            return FIFO, [2]
        case "hw_fifo":
            return FIFO, [max(p["DEPTH"], 2)]
        case "hw_fork":
            return FORK, []
        case "hw_width":
            wide, narrow = max(p["IN_LANES"], p["OUT_LANES"]), min(p["IN_LANES"], p["OUT_LANES"])
            return (WIDEN if p["OUT_LANES"] == wide else NARROW), [wide // narrow]
        case "hw_window":
            return RING, _window(p)
        case "hw_upsample" if not p["STUFF"]:
            return RING, _nearest(p)
        case "hw_upsample":
            return STEPS, _steps(1, _apart(p))
        case _:
            return STEPS, _steps(_latency(module, p), _loop(module, p))


def _steps(latency: int, words: Sequence[int]) -> list[int]:
    return [latency, len(words), *words]


def _latency(module: str, p: Mapping[str, int]) -> int:
    match module:
        case "hw_threshold":
            return ceil(log2(p["LEVELS"] + 1)) + 1
        case "hw_requant":
            return 3 if p["UNIT_M"] else 4
        case "hw_dense" | "hw_dense_col" | "hw_depthwise" | "hw_argmax":
            return 2
        case _:
            return 1


def _loop(module: str, p: Mapping[str, int]) -> list[int]:
    """Return the steps of a module, for one pixel."""
    take = 1 | _NEED
    match module:
        case "hw_dense":
            folds, groups = p["IN_N"] // p["SIMD"], p["OUT_N"] // p["PE"]
            ends = [_EMIT if sf == folds - 1 else 0 for sf in range(folds)]
            return [take | end for end in ends] + ends * (groups - 1)
        case "hw_dense_col":
            folds, groups = p["IN_N"] // p["SIMD"], p["OUT_N"] // p["PE"]
            beat = [_NEED] * (groups - 1) + [take]
            return beat * (folds - 1) + [word | _EMIT for word in beat]
        case "hw_depthwise" | "hw_maxpool":
            groups = p["CHANNELS"] // p["PE"]
            return [take] * groups * (p["TAPS"] - 1) + [take | _EMIT] * groups
        case "hw_argmax":
            return [take] * (p["N"] // p["PE"] - 1) + [take | _EMIT]
        case "hw_add":
            return [take | take << 1 | _EMIT]
        case "hw_concat":
            return [take | _EMIT] * p["BEATS0"] + [take << 1 | _EMIT] * p["BEATS1"]
        case "hw_threshold" | "hw_requant" | "hw_table":
            return [take | _EMIT]
        case _:
            raise AssertionError(f"{module} has streams, and the token simulation no actor for it")


def _apart(p: Mapping[str, int]) -> list[int]:
    """Return the steps of a frame: a pixel, or filling."""
    pixel = [
        r % p["FY"] == 0 and q % p["FX"] == 0 for r in range(p["OUT_H"]) for q in range(p["OUT_W"])
    ]
    return [(1 | _NEED if there else 0) | _EMIT for there in pixel for _ in range(p["CF"])]


def _nearest(p: Mapping[str, int]) -> list[int]:
    row = p["IN_W"] * p["CF"]
    r, q, beat = np.indices((p["OUT_H"], p["OUT_W"], p["CF"]))
    need = (r // p["FY"]) * row + (q // p["FX"]) * p["CF"] + beat + 1
    ends = np.minimum((np.arange(p["OUT_H"]) + 1) // p["FY"], p["IN_H"]) * row
    ends[-1] = p["IN_H"] * row
    return _ring(p["IN_H"] * row, 2 * row, need, ends)


def _window(p: Mapping[str, int]) -> list[int]:
    """Return whole rows as the ring counts them: those a beat needs, those free after a row."""
    row = p["IN_W"] * p["CHANNELS"] // p["SIMD"]
    out_h = (p["IN_H"] + p["PT"] + p["PB"] - p["DH"] * (p["KH"] - 1) - 1) // p["SH"] + 1
    out_w = (p["IN_W"] + p["PL"] + p["PR"] - p["DW"] * (p["KW"] - 1) - 1) // p["SW"] + 1
    shape = (out_h, out_w, p["KH"], p["KW"], p["CHANNELS"] // p["SIMD"])
    oy, ox, ky, kx, _ = np.indices(shape)
    y = oy * p["SH"] + ky * p["DH"] - p["PT"]
    x = ox * p["SW"] + kx * p["DW"] - p["PL"]
    inside = (y >= 0) & (y < p["IN_H"]) & (x >= 0) & (x < p["IN_W"])
    need = (np.where(inside, y, 0) + 1) * row
    tops = np.clip((np.arange(out_h) + 1) * p["SH"] - p["PT"], 0, p["IN_H"])
    tops[-1] = p["IN_H"]
    return _ring(p["IN_H"] * row, p["ROWS"] * row, need, tops * row)


def _ring(frame: int, capacity: int, need: np.ndarray, free: np.ndarray) -> list[int]:
    """Return the numbers of a ring.

    need  (output rows, ...) beats that each step waits for;  free  (output rows,) beats that are
    free after each row
    """
    rows = need.reshape(len(free), -1)
    before = np.concatenate([[0], free[:-1]])
    free_after = np.repeat(before[:, None], rows.shape[1], axis=1)
    free_after[:, -1] = free
    pairs = np.stack([rows, free_after], axis=-1)
    return [frame, capacity, rows.size, *pairs.ravel().tolist()]
