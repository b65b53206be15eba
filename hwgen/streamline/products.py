"""The ops that reduce - MatMul, Gemm, Conv, pooling - as rows of weights on windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.windows import blind_taps, paired, same_pads, sight, slid
from hwgen.num.elementwise import Segment, Step
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.layout import Layout
from hwgen.streamline.read import Constant, Source

SPATIAL_OPS = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean")
PRODUCT_OPS = ("MatMul", "Gemm", *SPATIAL_OPS)
_CHANNELS_LAST = "qonnx.custom_op.channels_last"
_RANKS = (1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """What a convolution slides over the image; see ``hwgen.graph.ir.Window``."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    @property
    def is_pointwise(self) -> bool:
        """Whether every pixel is its own window."""
        return prod(self.size) == prod(self.stride) == 1 and not np.any(self.pads)


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Weights that multiply each window of the data; in the order of the graph's frame."""

    weight: Constant  # (in, out); depthwise: (taps, channels)
    kernel: Kernel | None  # None: all values of a frame at once
    depthwise: bool
    bias: Segment  # what the node itself does after the sum
    layout: Layout  # of the node's output
    maximum: bool = False  # the largest of each window; the weights are 1


def product(node: NodeProto, data: Layout, source: Source) -> Product:
    """Return the weights of an accumulating node that reads ``data``."""
    if node.op_type in ("MatMul", "Gemm"):
        return _matrix(node, data, source)
    return _convolution(node, data, source) if node.op_type == "Conv" else _pool(node, data, source)


def is_channels_last(node: NodeProto) -> bool:
    """Return whether a spatial node wants channels last; the standard's ops have them first."""
    return node.domain == _CHANNELS_LAST


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
    if node.op_type == "Conv":
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
    weight = source.constants.get(node.input[1])
    if weight is None or node.input[0] in source.constants:
        raise UnsupportedOp(
            f"{node.name}: Conv needs data and a constant kernel; its kernel {node.input[1]!r} is "
            "computed at run time. Export the model in eval mode."
        )
    _check_image(node, data)
    if is_channels_last(node):
        weight = _each(weight, lambda part: np.moveaxis(part, -1, 1))
    channels_out, group_in, *size = weight.value.shape
    kernel = _kernel(node, data, tuple(size))
    group = int(attributes_of(node).get("group", 1))
    if group < 1 or data.size != group_in * group or channels_out % group:
        raise ModelError(
            f"{node.name}: {data.size} input channels in {group} groups do not fit a kernel of "
            f"shape {list(weight.value.shape)}; export the model again."
        )
    layout = _image_after(node, data, kernel, channels_out)
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
    _check_pads(node, pads, kernel, space)
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
    _check_image(node, data)
    given = attributes_of(node)
    maximum = node.op_type == "MaxPool"
    if node.op_type in ("AveragePool", "MaxPool"):
        kernel = _kernel(node, data, tuple(given["kernel_shape"]))
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
    layout = _image_after(node, data, kernel, data.size)
    _check_pads(node, kernel.pads, kernel, data.space)
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
    out = _slid(data, kernel)
    for (n, k, s, d, (before, _)), m in zip(axes, out, strict=True):
        if not sight(n, m, k, s, d, before).any(axis=0).all():
            raise UnsupportedOp(
                f"{node.name}: {node.op_type} with kernel {list(kernel.size)}, dilations "
                f"{list(kernel.dilation)} and pads {list(kernel.pads)} has a window that holds "
                "only padding, whose maximum is no number; use less padding."
            )


# ---- images -------------------------------------------------------------------------------------
def _check_image(node: NodeProto, data: Layout) -> None:
    rank = len(data.space)
    if not rank and node.op_type == "ReduceMean":
        raise UnsupportedOp(
            f"{node.name}: ReduceMean of a vector {list(data.shape)}, as in a layer norm; hwgen "
            "takes means over the positions of an image. Train with batch norm, whose constants "
            "fold into the next quantizer."
        )
    if rank not in _RANKS:
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} on data of shape {list(data.shape)}; hwgen slides "
            "kernels over sequences (1, C, L) and images (1, C, H, W). Feed the data in one of "
            "these shapes."
        )
    if node.op_type == "ReduceMean":
        return
    expected = Layout.image(data.size, data.space, not is_channels_last(node)).order
    if not np.array_equal(data.order, expected):
        raise UnsupportedOp(
            f"{node.name}: {node.op_type} on data of shape {list(data.shape)} whose channels were "
            "moved or regrouped by the reshapes before it; feed the model images in their own "
            "shape."
        )


def _kernel(node: NodeProto, data: Layout, size: tuple[int, ...]) -> Kernel:
    given = attributes_of(node)
    rank = len(data.space)
    ones = (1,) * rank
    stride = tuple(given.get("strides", ones))
    dilation = tuple(given.get("dilations", ones))
    if not len(size) == len(stride) == len(dilation) == rank or min(*size, *stride, *dilation) < 1:
        raise ModelError(
            f"{node.name}: a kernel of {list(size)} with strides {list(stride)} and dilations "
            f"{list(dilation)} on data of {rank} axes, each at least 1; export the model again."
        )
    pads = _pads(node, data, size, stride, dilation)
    return Kernel(size, stride, dilation, pads)


def _pads(
    node: NodeProto, data: Layout, size: tuple[int, ...], stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    given = attributes_of(node)
    rank = len(data.space)
    auto = given.get("auto_pad", b"NOTSET").decode()
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        upper = map(same_pads, data.space, size, stride, dilation)
        return tuple(p if auto == "SAME_UPPER" else p[::-1] for p in upper)
    flat = [0] * 2 * rank if auto == "VALID" else list(given.get("pads", [0] * 2 * rank))
    if auto not in ("NOTSET", "VALID") or len(flat) != 2 * rank:
        raise ModelError(
            f"{node.name}: auto_pad {auto!r} with pads {flat} on data of {rank} axes is no padding "
            "of ONNX; export the model again."
        )
    if min(flat) < 0:
        raise UnsupportedOp(f"{node.name}: negative padding {flat}; crop the data before.")
    return paired(flat)


def _image_after(node: NodeProto, data: Layout, kernel: Kernel, channels: int) -> Layout:
    space = _slid(data, kernel)
    if min(space) < 1:
        raise _misfit(node, kernel, data.space)
    return Layout.image(channels, space, not is_channels_last(node))


def _slid(data: Layout, kernel: Kernel) -> tuple[int, ...]:
    return slid(data.space, kernel.size, kernel.stride, kernel.dilation, kernel.pads)


def _check_pads(
    node: NodeProto, pads: tuple[tuple[int, int], ...], kernel: Kernel, space: tuple[int, ...]
) -> None:
    """Refuse padding as wide as the image."""
    if any(max(p) >= n for p, n in zip(pads, space, strict=True)):
        raise _misfit(node, kernel, space)


def _misfit(node: NodeProto, kernel: Kernel, space: tuple[int, ...]) -> UnsupportedOp:
    return UnsupportedOp(
        f"{node.name}: a kernel of {list(kernel.size)} with pads {list(kernel.pads)} does not "
        f"fit an image of {list(space)}; use a smaller kernel or less padding."
    )
