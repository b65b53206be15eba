"""A chain of integer layers under construction."""

from __future__ import annotations

from math import prod

import numpy as np

from hwgen.closing import Line, cheapest, staircase
from hwgen.closing.staircase import Function
from hwgen.errors import ModelError
from hwgen.graph.ir import Layer, Table, Tensor
from hwgen.graph.names import Names
from hwgen.graph.windows import Pads
from hwgen.num.inttype import IntArray, frozen_array
from hwgen.tflite.read import Operator, Value


class Builder:
    """Layers and tensors so far; ``here`` is the tensor that the next layer reads."""

    def __init__(self, entry: Tensor) -> None:
        self.names = Names()
        self.tensors = [entry]
        self.layers: list[Layer] = []
        self.pads: Pads = ()  # of PAD, until the next window takes them

    @property
    def here(self) -> Tensor:
        """The last tensor."""
        return self.tensors[-1]

    @property
    def space(self) -> tuple[int, ...]:
        """The space of the last tensor within its padding."""
        pads = self.pads or ((0, 0),) * len(self.here.space)
        return tuple(
            n + before + after for n, (before, after) in zip(self.here.space, pads, strict=True)
        )

    def append(self, layer: Layer, y: Tensor) -> None:
        """Append ``layer``, which writes ``y``."""
        self.layers.append(layer)
        self.tensors.append(y)

    def close(self, op: Operator, f: Function, lo: IntArray, hi: IntArray, line: Line) -> None:
        """Append the cheapest layer that computes the non-decreasing ``f`` of the last tensor.

        lo, hi  (channels,) bounds of its integers
        """
        name = self.names.new(f"{op.name}_requant")
        stairs = staircase(f, lo, hi)
        y = coded(f"{name}_out", self.here, op.outputs[0], stairs.base, stairs.top)
        self.append(cheapest(name, self.here, y.name, stairs, line), y)

    def tabulate(self, op: Operator, entries: IntArray) -> None:
        """Append the function whose values at the codes lo .. hi are ``entries``, (rows, codes)."""
        name = self.names.new(op.name)
        y = coded(f"{name}_out", self.here, op.outputs[0], int(entries.min()), int(entries.max()))
        self.append(Table(name, self.here.name, y.name, frozen_array(entries)), y)


def coded(name: str, like: Tensor, value: Value, lo: int, hi: int) -> Tensor:
    """Return the tensor of the codes ``lo .. hi`` of ``value``, sized as ``like``.

    raises  ModelError  if the file gives ``value`` another size
    """
    if prod(value.shape) != like.values or value.shape[-1:] != (like.size,):
        raise ModelError(
            f"tensor {value.name!r}: shape {list(value.shape)}, but its layer gives "
            f"{[*like.space, like.size]}; the file is inconsistent. Convert the model again."
        )
    return Tensor(
        name, like.size, min(lo, 0), max(hi, 0), value.scale, value.zero_point, value.name,
        like.space,
    )  # fmt: skip


def codes_of(here: Tensor) -> IntArray:
    """Return the codes lo .. hi of a tensor."""
    return np.arange(here.lo, here.hi + 1)
