"""Kernels over images: TFLite's padding, and the window in front of a product."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.ir import Tensor, Window
from hwgen.graph.windows import Pads, blind_taps, same_pads
from hwgen.num.inttype import IntArray
from hwgen.tflite.builder import Builder
from hwgen.tflite.operands import constant, data, int8, require_image, space_of
from hwgen.tflite.read import Operator


def append_window(
    b: Builder, op: Operator, weights: IntArray, pad: int, crop: bool = True
) -> IntArray:
    """Append the pixels under the kernel, unless every pixel is its own window.

    weights  (any, height, width, any)
    pad      the code outside the image
    crop     cut the rows and columns of the kernel that only ever see padding
    returns  the weights that are left
    """
    x = b.here
    stride, dilation = _steps(op)
    pads = _sum_of_pads(b.pads, padding(op, weights.shape[1:3]))
    b.pads = ()
    space = space_of(op.outputs[0])
    if crop:
        weights, pads = _cropped(weights, pads, x.space, space, stride, dilation)
    kernel = weights.shape[1:3]
    if (*kernel, *stride) == (1, 1, 1, 1) and not np.any(pads):
        return weights
    if any(max(p) >= n for p, n in zip(pads, x.space, strict=True)):
        raise UnsupportedOp(
            f"{op.name}: padding {[list(p) for p in pads]} around an image of {list(x.space)}; "
            "hwgen pads less than the image is wide. Pad less, or use a smaller kernel."
        )
    name = b.names.new(f"{op.name}_window")
    y = Tensor(
        f"{name}_out", x.size * int(np.prod(kernel)), min(x.lo, pad), max(x.hi, pad), x.scale,
        x.zero_point, "", space,
    )  # fmt: skip
    b.append(Window(name, x.name, y.name, kernel, stride, dilation, pads, pad), y)
    return weights


def pad(b: Builder, op: Operator) -> None:
    """Widen the padding of the window that follows PAD."""
    x, y = int8(op, data(op)), int8(op, op.outputs[0])
    require_image(op, x, b.space, b.here.size)
    pads = constant(op, 1).data
    assert pads is not None
    if pads.shape != (4, 2) or pads.min() < 0 or pads[[0, 3]].any():
        raise UnsupportedOp(
            f"{op.name}: pads {pads.tolist()}; hwgen pads height and width, with no less than 0."
        )
    if (x.scale, x.zero_point) != (y.scale, y.zero_point):
        raise UnsupportedOp(f"{op.name}: changes the scale or zero point; quantize again.")
    b.pads = _sum_of_pads(b.pads, tuple((int(p[0]), int(p[1])) for p in pads[1:3]))
    _require_space(op, b.space)


def padding(op: Operator, kernel: tuple[int, ...]) -> Pads:
    """Return TFLite's padding (before, after) per axis; checks the shape of the output."""
    pads, space = [], []
    for n, k, stride, dilation in zip(space_of(data(op)), kernel, *_steps(op), strict=True):
        if min(stride, dilation, k) < 1:
            raise UnsupportedOp(f"{op.name}: stride, dilation and kernel must be at least 1.")
        span = dilation * (k - 1) + 1
        same = op.options["Padding"] == "SAME"
        space.append(-(-n // stride) if same else (n - span) // stride + 1)
        pads.append(same_pads(n, k, stride, dilation) if same else (0, 0))
    _require_space(op, tuple(space))
    return tuple(pads)


def _steps(op: Operator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return stride and dilation; a pool has no dilation."""
    stride = tuple(op.options[f"Stride{axis}"] for axis in "HW")
    return stride, tuple(op.options.get(f"Dilation{axis}Factor", 1) for axis in "HW")


def _cropped(
    weights: IntArray,
    pads: Pads,
    space: tuple[int, ...],
    out: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[IntArray, Pads]:
    """Return the weights and pads without taps that see only padding: they add nothing."""
    left = []
    for axis, (n, m, s, d) in enumerate(zip(space, out, stride, dilation, strict=True), 1):
        taps, (before, after) = weights.shape[axis], pads[axis - 1]
        head, tail = blind_taps(n, m, taps, s, d, (before, after))
        weights = np.take(weights, range(head, taps - tail), axis)
        left.append((before - d * head, after - d * tail))
    return weights, tuple(left)


def _sum_of_pads(outer: Pads, inner: Pads) -> Pads:
    if not outer:
        return inner
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(outer, inner, strict=True))


def _require_space(op: Operator, space: tuple[int, ...]) -> None:
    y = op.outputs[0]
    if len(y.shape) != 4 or space_of(y) != space:
        raise ModelError(
            f"{op.name}: the file gives its output the shape {list(y.shape)}, but height and width "
            f"are {list(space)} by its input; convert the model again."
        )
