"""Kernels that slide over images: their geometry, as the node's attributes give it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from onnx import NodeProto

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.windows import paired, same_pads, slid
from hwgen.streamline.attributes import attributes_of
from hwgen.streamline.layout import Layout

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


def is_channels_last(node: NodeProto) -> bool:
    """Return whether a spatial node wants channels last; the standard's ops have them first."""
    return node.domain == _CHANNELS_LAST


def check_image(node: NodeProto, data: Layout) -> None:
    """Refuse data that no kernel slides over."""
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


def kernel_of(node: NodeProto, data: Layout, size: tuple[int, ...]) -> Kernel:
    """Return the kernel of a node, ``size`` taps per axis."""
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


def image_after(node: NodeProto, data: Layout, kernel: Kernel, channels: int) -> Layout:
    """Return the layout after a kernel; raises UnsupportedOp if it does not fit."""
    space = slid_over(data, kernel)
    if min(space) < 1:
        raise _misfit(node, kernel, data.space)
    return Layout.image(channels, space, not is_channels_last(node))


def slid_over(data: Layout, kernel: Kernel) -> tuple[int, ...]:
    """Return the positions of a kernel on the data."""
    return slid(data.space, kernel.size, kernel.stride, kernel.dilation, kernel.pads)


def check_pads(
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
