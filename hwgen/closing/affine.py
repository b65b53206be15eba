"""Multiply-add-shift form of a staircase: ``(M_c * a + B_c) >> n``, exact or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.closing.staircase import Staircase
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.num.rounding import Rounding, shift_round

_MAX_SHIFT = 40
_MAX_MULTIPLIER_BITS = 31

_SPARSE = 64
_OPEN = np.int64(1) << 61


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``clamp(round((multiplier * a + bias) / 2**shift), base, top)``."""

    multiplier: IntArray  # (channels,)
    bias: IntArray
    shift: int
    rounding: Rounding


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """``slope * a + offset`` per channel, in output codes: the function without its clamps."""

    slope: FloatArray  # (channels,)
    offset: FloatArray


def fit(stairs: Staircase, line: Line) -> Affine | None:
    """Return the form with the fewest multiplier bits that equals ``stairs`` everywhere, or None.

    Equality is proved on the whole range: both functions are monotone, so it suffices that they
    agree on both sides of every step.
    """
    if stairs.steps.shape[1] == 0:
        return None
    reach = float(max(np.abs(stairs.lo).max(), np.abs(stairs.hi).max()) + 1)
    many = stairs.steps.shape[1] > 4 * _SPARSE  # most shifts fail on a few levels already
    for shift in range(_MAX_SHIFT + 1):
        largest = np.abs(line.slope).max() * (1 << shift)
        if largest >= 1 << _MAX_MULTIPLIER_BITS or largest * reach >= _OPEN:
            return None
        hopeless = many and _floor(line, shift, stairs, every=_SPARSE) is None
        floor = None if hopeless else _floor(line, shift, stairs)
        for candidate in (floor, _half_even(line, shift)):
            if candidate is not None and _equal(candidate, stairs):
                return candidate
    return None


def _floor(line: Line, shift: int, stairs: Staircase, every: int = 1) -> Affine | None:
    """Return multipliers and biases for which floor rounding puts steps where they belong.

    every  look at each step, or only at one of so many

    The width of the bias interval is a concave function of the multiplier, so Newton's steps from
    the line's slope reach the nearest multiplier with an interval that is not empty, or turn back
    where there is none.
    """
    multiplier = np.rint(line.slope * (1 << shift)).astype(np.int64)
    way = np.zeros_like(multiplier)
    while True:
        least, most, gain = _bias_interval(multiplier, shift, stairs, every)
        lacking = least > most
        if not lacking.any():
            break
        turns = way * gain < 0
        if np.any(lacking & (turns | (gain == 0))):
            return None
        way = np.where(lacking, np.sign(gain), way)
        step = -((most - least) // np.maximum(np.abs(gain), 1)) * np.sign(gain)
        multiplier = np.where(lacking, multiplier + step, multiplier)
    return Affine(multiplier, _middle(least, most), shift, Rounding.FLOOR)


def _bias_interval(
    multiplier: IntArray, shift: int, stairs: Staircase, every: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the least and the largest bias per channel, and how the interval grows.

    least > most where there is none; the third: what it gains if the multiplier is one larger.
    """
    column = multiplier[:, None]
    steps = stairs.steps[:, ::every]
    level = np.arange(stairs.base + 1, stairs.top + 1, every)[None, :] << shift
    reachable = steps <= stairs.hi[:, None]
    avoidable = steps > stairs.lo[:, None]
    least = np.where(reachable, level - column * steps, -_OPEN)
    most = np.where(avoidable, level - 1 - column * (steps - 1), _OPEN)
    rows, low, high = np.arange(len(least)), least.argmax(axis=1), most.argmin(axis=1)
    gain = steps[rows, low] - (steps[rows, high] - 1)
    return least[rows, low], most[rows, high], gain


def _middle(least: IntArray, most: IntArray) -> IntArray:
    """Return the middle of an interval, or its only end: all steps may be out of reach."""
    open_ended = np.where(least == -_OPEN, most, least)
    return np.where((least == -_OPEN) | (most == _OPEN), open_ended, (least + most) >> 1)


def _half_even(line: Line, shift: int) -> Affine | None:
    """Return the exact dyadic form if slope and offset are whole multiples of ``2**-shift``."""
    multiplier, bias = line.slope * (1 << shift), line.offset * (1 << shift)
    if np.any(multiplier % 1) or np.any(bias % 1) or np.abs(bias).max() >= 1 << 52:
        return None
    return Affine(multiplier.astype(np.int64), bias.astype(np.int64), shift, Rounding.HALF_EVEN)


def _equal(form: Affine, stairs: Staircase) -> bool:
    def g(a: IntArray) -> IntArray:
        scaled = form.multiplier[:, None] * a + form.bias[:, None]
        return np.clip(shift_round(scaled, form.shift, form.rounding), stairs.base, stairs.top)

    if np.any(form.multiplier < 0):
        return False
    level = np.arange(stairs.base + 1, stairs.top + 1)[None, :]
    at, below = np.minimum(stairs.steps, stairs.hi[:, None]), stairs.steps - 1
    reached = (g(at) >= level) | (stairs.steps > stairs.hi[:, None])
    unreached = (g(below) < level) | (stairs.steps <= stairs.lo[:, None])
    ends = g(stairs.hi[:, None])[:, 0] == stairs.base + np.sum(
        stairs.steps <= stairs.hi[:, None], axis=1
    )
    return bool(np.all(reached) and np.all(unreached) and np.all(ends))
