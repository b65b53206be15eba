"""Two branches on one integer scale: the gains of an Add."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.graph.ir import Tensor
from hwgen.num.elementwise import Segment, codes
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.blocks import Block
from hwgen.streamline.joins import Join

_MOST_GAIN = 256  # of scales with an exact ratio
_EQUAL = 2.0**-22  # ratios of float32 scales that differ by less are one ratio
_MOST_BITS = 28  # of gains that are searched
_MOST_PAIRS = 1 << 22
_BLOCK = 1 << 18  # evaluations at a time

Aligned = tuple[tuple[int, int], float]  # gains, and what one of their sum stands for


def aligned(block: Block, join: Join, xs: Sequence[Tensor], segment: Segment) -> Aligned:
    """Return gains and unit of ``signs[0] * x + signs[1] * other``.

    segment  the ops that end in a quantizer of the sum; empty: the sum itself goes on
    raises   UnsupportedOp  the scales have no small ratio, and no quantizer hides that

    With a quantizer, every pair of codes was tried: the gains give the source's codes.
    """
    scales = [_one_scale(block, x) * sign for x, sign in zip(xs, join.signs, strict=True)]
    exact = _ratio(scales[0] / scales[1])
    if exact is not None:
        return exact, scales[0] / exact[0]
    pairs = (xs[0].hi - xs[0].lo + 1) * (xs[1].hi - xs[1].lo + 1)
    if not segment or pairs > _MOST_PAIRS:
        raise UnsupportedOp(
            f"{block.node}: adds values of scale {abs(scales[0]):.6g} and {abs(scales[1]):.6g}, "
            "which no small integers bring to one scale. Quantize both branches with one shared "
            "quantizer (the same QuantIdentity in front of the addition), or the sum."
        )
    for bits in range(1, _MOST_BITS + 1):
        unit = max(map(abs, scales)) / (1 << bits)
        gains = round(scales[0] / unit), round(scales[1] / unit)
        if all(gains) and _agree(segment, xs, scales, gains, unit):
            return gains, unit
    raise UnsupportedOp(
        f"{block.node}: adds values of scale {abs(scales[0]):.6g} and {abs(scales[1]):.6g}; no "
        f"integers of up to {_MOST_BITS} bits give its codes for all pairs of inputs. Quantize "
        "both branches with one shared quantizer."
    )


def _one_scale(block: Block, x: Tensor) -> float:
    scale = np.unique(x.scale)
    if len(scale) > 1:
        raise UnsupportedOp(
            f"{block.node}: adds a branch whose channels have different scales; quantize it with "
            "one scale per tensor before the addition."
        )
    return float(scale[0])


def _ratio(ratio: float) -> tuple[int, int] | None:
    """Return small gains in the ratio of two scales, both with their signs, where there are any."""
    near = Fraction(abs(ratio)).limit_denominator(_MOST_GAIN)
    if not 0 < near <= _MOST_GAIN or abs(float(near) / abs(ratio) - 1) > _EQUAL:
        return None
    return near.numerator, near.denominator if ratio > 0 else -near.denominator


def _agree(
    segment: Segment, xs: Sequence[Tensor], scales: Sequence[float], gains: tuple[int, int],
    unit: float,
) -> bool:  # fmt: skip
    """Return whether the integer sum gives the code of the real one, for every pair of codes."""
    a, b = (np.arange(x.lo, x.hi + 1)[:, None] for x in xs)
    rows = max(1, _BLOCK // (len(b) * xs[0].size))
    return all(
        np.array_equal(
            codes(segment, _sum(block, b, xs, scales)),
            codes(segment, unit * _sum(block, b, xs, gains)),
        )
        for block in (a[at : at + rows] for at in range(0, len(a), rows))
    )


def _sum(a: IntArray, b: IntArray, xs: Sequence[Tensor], gains: Sequence[float]) -> FloatArray:
    """Return the weighted sum of all pairs of codes, (pairs, channels)."""
    parts = [gain * (q - x.zero_point) for gain, q, x in zip(gains, (a, b), xs, strict=True)]
    return np.asarray((parts[0][:, None] + parts[1][None]).reshape(-1, parts[0].shape[1]))
