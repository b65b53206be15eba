"""Geometry of sliding windows: what comes out, what hardware keeps, what a kernel never sees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.graph.ir import Window

Pads: TypeAlias = tuple[tuple[int, int], ...]  # (before, after) per axis of space


def slid(
    space: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
    pads: Pads,
) -> tuple[int, ...]:  # fmt: skip
    """Return the positions of a kernel along each axis; below 1: it does not fit."""
    axes = zip(space, kernel, stride, dilation, pads, strict=True)
    return tuple((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in axes)


def window_space(layer: Window, space: tuple[int, ...]) -> tuple[int, ...]:
    """Return the space of a window's output; an entry below 1: the kernel does not fit."""
    return slid(space, layer.kernel, layer.stride, layer.dilation, layer.pads)


def paired(pads: Sequence[int]) -> Pads:
    """Return ONNX's padding, all axes before and then all axes after, by axis."""
    half = len(pads) // 2
    return tuple(zip(pads[:half], pads[half:], strict=True))


def same_pads(length: int, taps: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding, less before than after, for ``length / stride`` positions, rounded up."""
    total = max((-(-length // stride) - 1) * stride + dilation * (taps - 1) + 1 - length, 0)
    return total // 2, total - total // 2


def plane(axes: Sequence[int], filler: int = 1) -> tuple[int, int]:
    """Return two numbers for one axis or two: a sequence is an image of width 1."""
    first, second = (*axes, filler)[:2]
    return first, second


def window_rows(layer: Window, height: int) -> int:
    """Return the input rows that a window keeps so that neither of its sides has to wait.

    One kernel's and the next frame's first; and what arrives meanwhile, where rows come in and
    windows go out evenly: padding holds the windows up, and so do rows that no window looks at.
    """
    span = layer.dilation[0] * (layer.kernel[0] - 1) + 1
    return _rows(height, span, layer.stride[0], *layer.pads[0])


@cache
def _rows(height: int, span: int, stride: int, top: int, bottom: int) -> int:
    count = (height + top + bottom - span) // stride + 1  # rows of windows
    starts = [row * stride - top for row in range(count)]
    # Time in units of which an input row takes count, and a row of windows height.
    begin = max(min(start + span, height) * count - i * height for i, start in enumerate(starts))
    kept = max(
        -(-(begin + (i + 1) * height) // count) - min(max(start, 0), height)
        for i, start in enumerate(starts)
    )
    return max(kept, span + max(stride, span - top))


def sight(
    length: int, out: int, taps: int, stride: int, dilation: int, before: int
) -> npt.NDArray[np.bool_]:
    """Return (taps, out): where along an axis each tap sees the image, at each position."""
    at = dilation * np.arange(taps)[:, None] + stride * np.arange(out) - before
    return (at >= 0) & (at < length)


def blind_taps(
    length: int, out: int, taps: int, stride: int, dilation: int, pads: tuple[int, int]
) -> tuple[int, int]:
    """Return how many taps at the head and at the tail of a kernel only ever see padding.

    length, out  of one axis of the input and of the output; a kernel without these taps, and with
                 so much less padding, gives the same output
    """
    before, after = pads
    seen = np.flatnonzero(sight(length, out, taps, stride, dilation, before).any(axis=1))
    first, last = (int(seen[0]), int(seen[-1])) if seen.size else (0, taps - 1)
    return min(first, before // dilation), min(taps - 1 - last, after // dilation)
