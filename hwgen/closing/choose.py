"""Thresholds or multiply-add-shift, whichever needs fewer LUTs."""

from __future__ import annotations

import numpy as np

from hwgen.closing.affine import Affine, Line, fit
from hwgen.closing.staircase import Staircase
from hwgen.graph.ir import Requant, Tensor, Threshold
from hwgen.num.inttype import IntType, frozen_array

_LANES = 8  # parallelism assumed when thresholds and multipliers are compared, before folding


def cheapest(
    name: str, x: Tensor, y: str, stairs: Staircase, line: Line | None = None
) -> Threshold | Requant:
    """Return the layer ``name`` from ``x`` to the tensor ``y`` that computes ``stairs``.

    line  the straight line that the function follows between its clamps, where there is one
    """
    form = None if line is None else fit(stairs, line)
    if form is not None and _requant_luts(form, x) < _threshold_luts(stairs, x):
        return Requant(
            name, x.name, y, frozen_array(form.multiplier), frozen_array(form.bias), form.shift,
            form.rounding, stairs.base, stairs.top,
        )  # fmt: skip
    return Threshold(name, x.name, y, frozen_array(stairs.steps), stairs.base)


def _threshold_luts(stairs: Staircase, x: Tensor) -> float:
    """LUT6: a binary search compares ``bits`` times, its table has one word per step."""
    levels = stairs.steps.shape[1]
    return _LANES * levels.bit_length() * x.type.bits + x.size * levels * x.type.bits / 64


def _requant_luts(form: Affine, x: Tensor) -> float:
    """LUT6: a multiplier costs one per partial product bit; tables hold 64 bits per LUT."""
    m, b = (IntType.of_range(int(a.min()), int(a.max())).bits for a in (form.multiplier, form.bias))
    product = 0 if np.all(form.multiplier == 1) else m * x.type.bits
    return _LANES * (product + b + x.type.bits) + x.size * (m + b) / 64
