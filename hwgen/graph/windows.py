"""Geometry of sliding windows: what comes out, what hardware keeps, what a kernel never sees."""

from __future__ import annotations

from functools import cache

import numpy as np

from hwgen.graph.ir import Window


def window_space(layer: Window, space: tuple[int, ...]) -> tuple[int, ...]:
    """Return the space of a window's output; an entry below 1: the kernel does not fit."""
    axes = zip(space, layer.kernel, layer.stride, layer.dilation, layer.pads, strict=True)
    return tuple((n + sum(pads) - d * (k - 1) - 1) // s + 1 for n, k, s, d, pads in axes)


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


def blind_taps(
    length: int, out: int, taps: int, stride: int, dilation: int, pads: tuple[int, int]
) -> tuple[int, int]:
    """Return how many taps at the head and at the tail of a kernel only ever see padding.

    length, out  of one axis of the input and of the output; a kernel without these taps, and with
                 so much less padding, gives the same output
    """
    before, after = pads
    at = dilation * np.arange(taps)[:, None] + stride * np.arange(out) - before
    seen = np.flatnonzero(((at >= 0) & (at < length)).any(axis=1))
    first, last = (int(seen[0]), int(seen[-1])) if seen.size else (0, taps - 1)
    return min(first, before // dilation), min(taps - 1 - last, after // dilation)
