"""Integer graph: the one data structure that every stage after the translation reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import TypeAlias

from hwgen.num.elementwise import Segment
from hwgen.num.inttype import FloatArray, IntArray, IntType
from hwgen.num.rounding import Overflow, Rounding


class Order(StrEnum):
    """Loop order of a folded matrix-vector product."""

    ROW = "row"  # one group of outputs at a time, the input vector is replayed
    COLUMN = "column"  # all outputs accumulate while the input streams in


@dataclass(frozen=True, slots=True)
class Fold:
    """Parallelism of one layer: ``simd`` inputs by ``pe`` outputs in each cycle."""

    simd: int = 1
    pe: int = 1
    order: Order = Order.ROW
    fifo_depth: int = 0  # beats of ``simd`` lanes buffered in front of the layer
    other_depth: int = 0  # the same, at the other input of a join


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """Integers of one frame; code ``q`` of a channel stands for ``scale * (q - zero_point)``.

    A vector has ``space`` (), a sequence (length,), an image (height, width).  Values are in the
    order (*space, channel): channels last, whatever order the source model has.
    """

    name: str
    size: int  # channels
    lo: int  # proven bounds of the codes; they contain 0
    hi: int
    scale: FloatArray  # () or (size,)
    zero_point: FloatArray  # () or (size,)
    source: str = ""  # the float tensor in the source model that these codes encode
    space: tuple[int, ...] = ()
    channels_first: bool = False  # the order of the source's tensor: (channel, *space)

    @property
    def pixels(self) -> int:
        """Positions in space; 1 for a vector."""
        return prod(self.space)

    @property
    def values(self) -> int:
        """Integers in one frame."""
        return self.pixels * self.size

    @property
    def type(self) -> IntType:
        """The narrowest integer type for ``lo..hi``."""
        return IntType.of_range(self.lo, self.hi)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """``y = weights @ x``.  ``odd``: every weight is 2c+1 and hardware stores c.

    Reads as many vectors of ``in`` values as the output has pixels: all pixels at once where the
    output is a vector, one window of a convolution at a time where it is not.
    """

    name: str
    x: str
    y: str
    weights: IntArray  # (out, in)
    odd: bool = False
    fold: Fold = field(default_factory=Fold)

    @property
    def stored(self) -> IntArray:
        """The weight codes that hardware keeps, (out, in)."""
        return (self.weights - 1) // 2 if self.odd else self.weights

    @property
    def stored_type(self) -> IntType:
        """Signed type of the stored codes."""
        return IntType.of_range(min(int(self.stored.min()), -1), int(self.stored.max()))


@dataclass(frozen=True, slots=True, eq=False)
class XnorDense:
    """Popcount of ``x xnor weights``; bit 1 stands for +1 and bit 0 for -1."""

    name: str
    x: str
    y: str
    weights: IntArray  # (out, in), 0 or 1
    fold: Fold = field(default_factory=Fold)

    @property
    def stored_type(self) -> IntType:
        """Type of the weight bits."""
        return IntType(1, signed=False)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The values under a convolution's kernel, for each output pixel: im2col.

    Output channels are in the order (*kernel, channel).  Outside the image lies the code ``pad``.
    """

    name: str
    x: str
    y: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]  # (before, after) per axis of space
    pad: int
    fold: Fold = field(default_factory=Fold)  # ``simd`` channels of one tap in each cycle


@dataclass(frozen=True, slots=True, eq=False)
class Depthwise:
    """``y[c] = sum over taps k of weights[c, k] * x[k, c]``; one kernel per channel."""

    name: str
    x: str
    y: str
    weights: IntArray  # (channels, taps)
    fold: Fold = field(default_factory=Fold)  # ``simd`` == ``pe`` channels in each cycle

    @property
    def stored_type(self) -> IntType:
        """Signed type of the weights."""
        return IntType.of_range(min(int(self.weights.min()), -1), int(self.weights.max()))


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool:
    """``y[c] = max over taps k of x[k, c]``."""

    name: str
    x: str
    y: str
    taps: int
    fold: Fold = field(default_factory=Fold)  # ``simd`` == ``pe`` channels in each cycle


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """``y[c] = base + #{k : x[c] >= thresholds[c, k]}``."""

    name: str
    x: str
    y: str
    thresholds: IntArray  # (channels, levels), ascending along axis 1
    base: int


@dataclass(frozen=True, slots=True, eq=False)
class Requant:
    """``y[c] = confine(round((multiplier[c] * x[c] + bias[c]) / 2**shift), lo, hi)``."""

    name: str
    x: str
    y: str
    multiplier: IntArray  # (channels,)
    bias: IntArray  # (channels,)
    shift: int
    rounding: Rounding
    lo: int
    hi: int
    overflow: Overflow = Overflow.SATURATE

    @property
    def compared(self) -> tuple[int, int]:
        """``lo, hi`` as hardware compares with them: not at all, 0, 0, where values wrap."""
        return (0, 0) if self.overflow is Overflow.WRAP else (self.lo, self.hi)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``y[c] = table[c, x[c] - x.lo]``: any function of a small range."""

    name: str
    x: str
    y: str
    table: IntArray  # (channels, entries), or (1, entries) for all channels


@dataclass(frozen=True, slots=True, eq=False)
class ArgMax:
    """Index of the first largest element; one output."""

    name: str
    x: str
    y: str


@dataclass(frozen=True, slots=True, eq=False)
class Upsample:
    """An image ``factor`` times as large: each pixel repeated, or apart with ``fill`` between them.

    ``space`` of the output may end up to ``factor - 1`` positions earlier along an axis.
    """

    name: str
    x: str
    y: str
    factor: tuple[int, ...]  # per axis of space
    space: tuple[int, ...]
    fill: int | None  # code between the pixels; None: nearest neighbour
    fold: Fold = field(default_factory=Fold)  # ``simd`` == ``pe`` channels in each cycle


@dataclass(frozen=True, slots=True, eq=False)
class Add:
    """``y[c] = gains[0] * x[c] + gains[1] * other[c]``: two branches on one integer scale."""

    name: str
    x: str
    other: str
    y: str
    gains: tuple[int, int]
    fold: Fold = field(default_factory=Fold)  # ``simd`` == ``pe`` channels in each cycle


@dataclass(frozen=True, slots=True, eq=False)
class Concat:
    """The channels of ``x`` and then those of ``other``, at each position in space."""

    name: str
    x: str
    other: str
    y: str
    fold: Fold = field(default_factory=Fold)  # ``simd`` == ``pe`` channels in each cycle


Product: TypeAlias = Dense | XnorDense | Depthwise | MaxPool
Join: TypeAlias = Add | Concat
Head: TypeAlias = Product | Upsample | Join  # has a folding of its own; a window has its product's
Folded: TypeAlias = Window | Head
Layer: TypeAlias = Folded | Threshold | Requant | Table | ArgMax


def inputs(layer: Layer) -> tuple[str, ...]:
    """Return the names of the tensors that a layer reads."""
    return (layer.x, layer.other) if isinstance(layer, Join) else (layer.x,)


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Layers in execution order, and what the host needs around them.

    Several layers may read a tensor; one writes it, and the last layer writes the output.
    """

    name: str
    input: str
    output: str
    input_shape: tuple[int, ...]  # of the source model, without batch
    output_shape: tuple[int, ...]
    encoder: Segment  # host: real input -> codes, ends in Quant
    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]

    def tensor(self, name: str) -> Tensor:
        """Return the tensor called ``name``."""
        return next(t for t in self.tensors if t.name == name)

    def readers(self, tensor: str) -> list[Layer]:
        """Return the layers that read ``tensor``, in order."""
        return [layer for layer in self.layers if tensor in inputs(layer)]

    @property
    def entry_lanes(self) -> int:
        """Values per beat at the input of a folded graph."""
        return next(e.fold.simd for e in self.layers if isinstance(e, Folded))

    def products(self) -> Iterator[Product]:
        """Yield the layers that reduce many values to one, in order."""
        return (e for e in self.layers if isinstance(e, Product))

    def origin(self, tensor: str) -> Layer:
        """Return the layer that a run of elementwise layers, which ends in ``tensor``, begins with.

        The product, join or enlargement behind it; the first elementwise layer where it starts
        from the input or a tensor that others read as well.
        """
        writers = {layer.y: layer for layer in self.layers}
        layer = writers[tensor]
        while isinstance(layer, Threshold | Requant | Table | ArgMax):
            if layer.x not in writers or len(self.readers(layer.x)) > 1:
                break
            layer = writers[layer.x]
        return layer
