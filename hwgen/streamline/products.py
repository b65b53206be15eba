"""The ops that reduce - MatMul, Gemm, Conv, pooling - as rows of weights on windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.windows import blind_taps, sight
from hwgen.num.elementwise import Segment, Step
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.kernels import (
    Kernel,
    check_image,
    check_pads,
    image_after,
    is_channels_last,
    kernel_of,
    slid_over,
)
from hwgen.streamline.layout import Layout
from hwgen.streamline.read import Constant, Source

SPATIAL_OPS = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean")
PRODUCT_OPS = ("MatMul", "Gemm", *SPATIAL_OPS)


@dataclass(frozen=True, slots=True)
class Spread:
    """Zeros between the pixels, as in a transposed convolution; see ``hwgen.graph.ir.Upsample``."""

    factor: tuple[int, ...]
    space: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Weights that multiply each window of the data; in the order of the graph's frame."""

    weight: Constant  # (in, out); depthwise: (taps, channels)
    kernel: Kernel | None  # None: all values of a frame at once
    depthwise: bool
    bias: Segment  # what the node itself does after the sum
    layout: Layout  # of the node's output
    maximum: bool = False  # the largest of each window; the weights are 1
    spread: Spread | None = None  # before the kernel slides


def product(node: NodeProto, data: Layout, source: Source) -> Product:
    """Return the weights of an accumulating node that reads ``data``."""
    if node.op_type in ("MatMul", "Gemm"):
        return _matrix(node, data, source)
    if node.op_type == "Conv":
        return _convolution(node, data, source)
    if node.op_type == "ConvTranspose":
        return _transposed(node, data, source)
    return _pool(node, data, source)


# ---- dense --------------------------------------------------------------------------------------
def _matrix(node: NodeProto, data: Layout, source: Source) -> Product:
    weight = source.constants.get(node.input[1])
    given = attributes_of(node)
    if weight is None or weight.value.ndim != 2 or node.input[0] in source.constants:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} needs a data input on the left and a constant matrix on "
            "the right; write the layer as x @ W."
        )
    if given.get("transA", 0):
        raise UnsupportedOp(f"{node.name}: Gemm with transA; use a plain Linear layer.")
    if given.get("transB", 0):
        weight = _each(weight, np.transpose)
    shape, (fan_in, fan_out) = data.shape, weight.value.shape
    per_pixel = bool(data.space) and data.channels_first is False and shape[-1] == data.size
    if shape[-1] != fan_in or not (per_pixel or data.order.size == fan_in):
        raise UnsupportedOp(
            f"{node.name}: input of shape {list(shape)} times weights of shape "
            f"{list(weight.value.shape)} is not one vector per frame; flatten the input before it."
        )
    if per_pixel and data.order.size != fan_in:
        layout = Layout.image(fan_out, data.space, channels_first=False)
        layout = layout.with_order(layout.order.reshape(*shape[:-1], fan_out))
        kernel: Kernel | None = _pointwise(len(data.space))
    else:
        place = np.argsort(data.order.ravel())
        weight = _each(weight, lambda part: part[place])
        layout, kernel = Layout.vector((*shape[:-1], fan_out)), None
    alpha, beta = float(given.get("alpha", 1.0)), float(given.get("beta", 1.0))
    steps = () if alpha == 1.0 else (Step("Mul", (np.array(alpha),), source=node.name),)
    return Product(weight, kernel, False, steps + _bias(node, layout, source, beta), layout)


def _pointwise(rank: int) -> Kernel:
    ones = (1,) * rank
    return Kernel(ones, ones, ones, ((0, 0),) * rank)


def _bias(node: NodeProto, layout: Layout, source: Source, gain: float = 1.0) -> Segment:
    if len(node.input) < 3 or not node.input[2]:
        return ()
    value = source.constant(node, node.input[2])
    if node.op_type in ("Conv", "ConvTranspose"):
        axes = [1] * len(layout.shape)
        axes[-1 if is_channels_last(node) else 1] = -1
        value = value.reshape(axes)
    return (Step("Add", (layout.per_channel(node.name, value) * gain,), source=node.name),)


def _each(constant: Constant, move: Callable[[Any], Any]) -> Constant:
    """Return the constant with every one of its arrays moved alike."""
    parts = (constant.value, constant.codes, constant.scale, constant.zero_point)
    return Constant(*(None if p is None else np.asarray(move(p)) for p in parts))  # type: ignore[arg-type]


# ---- convolution --------------------------------------------------------------------------------
def _convolution(node: NodeProto, data: Layout, source: Source) -> Product:
    weight = _constant_kernel(node, source)
    check_image(node, data)
    if is_channels_last(node):
        weight = _each(weight, lambda part: np.moveaxis(part, -1, 1))
    return _slides(node, data, source, weight, kernel_of(node, data, weight.value.shape[2:]))


def _constant_kernel(node: NodeProto, source: Source) -> Constant:
    weight = source.constants.get(node.input[1])
    if weight is None or node.input[0] in source.constants:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} needs data and a constant kernel; its kernel "
            f"{node.input[1]!r} is computed at run time. Export the model in eval mode."
        )
    return weight


def _transposed(node: NodeProto, data: Layout, source: Source) -> Product:
    """Return a transposed convolution: zeros between the pixels, then a flipped kernel."""
    weight, given = _constant_kernel(node, source), attributes_of(node)
    check_image(node, data)
    rank, group = len(data.space), int(given.get("group", 1))
    given_kernel = kernel_of(node, data, weight.value.shape[2:])
    if given.get("output_shape") is not None or given.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise UnsupportedOp(f"{node.name}: ConvTranspose with output_shape or auto_pad; give pads.")
    if group < 1 or data.size != len(weight.value) or data.size % group:
        raise ModelError(
            f"{node.name}: {data.size} input channels in {group} groups do not fit a kernel of "
            f"shape {list(weight.value.shape)}; export the model again."
        )
    extra = tuple(given.get("output_padding", (0,) * rank))
    reach = [d * (k - 1) for k, d in zip(given_kernel.size, given_kernel.dilation, strict=True)]
    pads = tuple(
        (r - before, r - after + more)
        for r, (before, after), more in zip(reach, given_kernel.pads, extra, strict=True)
    )
    if min(min(p) for p in pads) < 0:
        raise UnsupportedOp(
            f"{node.name}: ConvTranspose that crops more than its kernel adds (pads "
            f"{list(given_kernel.pads)}); crop less."
        )
    stride = given_kernel.stride
    space = tuple((n - 1) * s + 1 for n, s in zip(data.space, stride, strict=True))
    larger = Layout.image(data.size, space, not is_channels_last(node))
    kernel = Kernel(given_kernel.size, (1,) * rank, given_kernel.dilation, pads)
    flipped = _each(weight, lambda part: _flipped(part, group))
    made = _slides(node, larger, source, flipped, kernel)
    return replace(made, spread=Spread(stride, space) if prod(stride) > 1 else None)


def _flipped(part: np.ndarray, group: int) -> np.ndarray:
    """Return (in, out / group, *kernel) as (out, in / group, *kernel), mirrored in space."""
    mirrored = np.flip(part, tuple(range(2, part.ndim)))
    groups = mirrored.reshape(group, -1, *part.shape[1:])
    return groups.swapaxes(1, 2).reshape(-1, len(part) // group, *part.shape[2:])


def _slides(
    node: NodeProto, data: Layout, source: Source, weight: Constant, kernel: Kernel
) -> Product:
    """Return the product of a kernel (out, in / group, *size) with the windows of an image."""
    channels_out, group_in = weight.value.shape[:2]
    group = int(attributes_of(node).get("group", 1))
    if group < 1 or data.size != group_in * group or channels_out % group:
        raise ModelError(
            f"{node.name}: {data.size} input channels in {group} groups do not fit a kernel of "
            f"shape {list(weight.value.shape)}; export the model again."
        )
    layout = image_after(node, data, kernel, channels_out)
    weight, kernel = _cropped(node, weight, kernel, data.space, layout.space)
    depthwise = group == data.size == channels_out
    if depthwise:  # (channels, 1, *kernel) -> (taps, channels)
        flat = _each(weight, lambda part: part.reshape(channels_out, -1).T)
    else:
        whole = _ungrouped(weight, group)
        flat = _each(whole, lambda part: np.moveaxis(part, 1, -1).reshape(channels_out, -1).T)
    return Product(flat, kernel, depthwise, _bias(node, layout, source), layout)


def _cropped(
    node: NodeProto, weight: Constant, kernel: Kernel, space: tuple[int, ...], out: tuple[int, ...]
) -> tuple[Constant, Kernel]:
    """Return the kernel without taps that only see padding: they add nothing."""
    axes = zip(space, out, kernel.size, kernel.stride, kernel.dilation, kernel.pads, strict=True)
    cuts = [blind_taps(n, m, k, s, d, pads) for n, m, k, s, d, pads in axes]
    pads = tuple(
        (before - d * head, after - d * tail)
        for (before, after), d, (head, tail) in zip(kernel.pads, kernel.dilation, cuts, strict=True)
    )
    check_pads(node, pads, kernel, space)
    inner = tuple(slice(h, k - t) for k, (h, t) in zip(kernel.size, cuts, strict=True))
    size = tuple(k - h - t for k, (h, t) in zip(kernel.size, cuts, strict=True))
    left = _each(weight, lambda part: part[(slice(None), slice(None), *inner)])
    return left, replace(kernel, size=size, pads=pads)


def _ungrouped(weight: Constant, group: int) -> Constant:
    """Return the kernel over all input channels: zeros where a group does not look."""
    if group == 1:
        return weight
    out, group_in, *size = weight.value.shape

    def spread(part: np.ndarray, empty: np.ndarray) -> np.ndarray:
        whole = np.repeat(empty, group, axis=1) if empty.shape[1] == group_in else empty
        for g in range(group):
            rows = slice(g * out // group, (g + 1) * out // group)
            whole[rows, g * group_in : (g + 1) * group_in] = part[rows]
        return whole

    zeros = np.zeros((out, group_in, *size))
    if weight.codes is None:
        return Constant(spread(weight.value, zeros))
    assert weight.scale is not None
    assert weight.zero_point is not None
    return Constant(
        spread(weight.value, zeros),
        spread(weight.codes, np.array(weight.zero_point)),
        spread(weight.scale, np.array(weight.scale)),
        spread(weight.zero_point, np.array(weight.zero_point)),
    )


# ---- pooling ------------------------------------------------------------------------------------
def _pool(node: NodeProto, data: Layout, source: Source) -> Product:
    """Return pooling as a depthwise convolution of weights 1: a sum to divide, or a maximum."""
    check_image(node, data)
    given = attributes_of(node)
    maximum = node.op_type == "MaxPool"
    if node.op_type in ("AveragePool", "MaxPool"):
        kernel = kernel_of(node, data, tuple(given["kernel_shape"]))
        if given.get("ceil_mode", 0):
            raise UnsupportedOp(
                f"{node.name}: {node.op_type} with ceil_mode; pool with the floor, or pad."
            )
        if np.any(kernel.pads) and not maximum and not given.get("count_include_pad", 0):
            raise UnsupportedOp(
                f"{node.name}: AveragePool that leaves its padding out of the mean divides by a "
                "different number at the border; set count_include_pad, or pool without padding."
            )
    else:
        kernel = Kernel(data.space, (1,) * len(data.space), (1,) * len(data.space),
                        ((0, 0),) * len(data.space))  # fmt: skip
    taps = prod(kernel.size)
    ones = np.ones((taps, data.size))
    weight = Constant(ones, ones, ones, np.zeros_like(ones))
    layout = image_after(node, data, kernel, data.size)
    check_pads(node, kernel.pads, kernel, data.space)
    if node.op_type == "ReduceMean":
        layout = _reduced(node, data, source)
    if maximum:
        _check_windows(node, data, kernel)
        return Product(weight, kernel, True, (), layout, maximum)
    # A division: times a rounded 1 / taps, the mean of equal values would miss the value.
    return Product(
        weight, kernel, True, (Step("Div", (np.array(float(taps)),), source=node.name),), layout
    )


def _reduced(node: NodeProto, data: Layout, source: Source) -> Layout:
    """Return the layout after a mean over all of space and nothing else."""
    given = attributes_of(node)
    axes = given.get("axes")
    if axes is None and len(node.input) > 1:
        axes = source.constant(node, node.input[1]).astype(int)
    rank = len(data.shape)
    over = sorted({range(rank)[int(a)] for a in np.ravel(axes)}) if axes is not None else []
    kept = [a for a in range(rank) if a not in over]
    means = data.order.transpose(kept + over).reshape(prod(data.shape[a] for a in kept), -1)
    channels = means % data.size
    if not over or over[0] == 0 or len(means) != data.size or np.ptp(channels, axis=1).any():
        raise UnsupportedOp(
            f"{node.name}: ReduceMean over axes {axes} of data {list(data.shape)}; hwgen takes the "
            "mean over all positions of an image. Use global average pooling."
        )
    keep = bool(given.get("keepdims", 1))
    shape = [n if a in kept else 1 for a, n in enumerate(data.shape) if keep or a in kept]
    return Layout(channels[:, 0].reshape(shape), data.size, (1,) * len(data.space))


def _check_windows(node: NodeProto, data: Layout, kernel: Kernel) -> None:
    """Raise UnsupportedOp if a window of a maximum holds nothing but padding."""
    axes = zip(data.space, kernel.size, kernel.stride, kernel.dilation, kernel.pads, strict=True)
    out = slid_over(data, kernel)
    for (n, k, s, d, (before, _)), m in zip(axes, out, strict=True):
        if not sight(n, m, k, s, d, before).any(axis=0).all():
            raise UnsupportedOp(
                f"{node.name}: {node.op_type} with kernel {list(kernel.size)}, dilations "
                f"{list(kernel.dilation)} and pads {list(kernel.pads)} has a window that holds "
                "only padding, whose maximum is no number; use less padding."
            )
