"""Where each element of a source tensor lies in the graph's frame, through any reshaping."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.num.inttype import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A source tensor as a view of one frame of the graph: (*space, size), channels last."""

    order: IntArray  # of the source tensor's shape, batch included: its elements' flat positions
    size: int  # channels
    space: tuple[int, ...] = ()

    @classmethod
    def vector(cls, shape: tuple[int, ...]) -> Layout:
        """Return the layout of data in its own order, (1, ...), without space."""
        size = prod(shape)
        return cls(np.arange(size).reshape(shape), size)

    @classmethod
    def image(cls, size: int, space: tuple[int, ...], channels_first: bool) -> Layout:
        """Return the layout of (1, size, *space) or (1, *space, size)."""
        order = np.arange(prod(space) * size).reshape(1, *space, size)
        return cls(np.moveaxis(order, -1, 1) if channels_first else order, size, space)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the source tensor, batch of 1 included."""
        return self.order.shape

    @property
    def is_straight(self) -> bool:
        """Whether the source's flat order is the frame's."""
        return np.array_equal(self.order.ravel(), np.arange(self.order.size))

    @property
    def channels_first(self) -> bool | None:
        """Whether the source's flat order has channels first; None: neither first nor last."""
        if self.is_straight:
            return False
        image = Layout.image(self.size, self.space, channels_first=True).order.ravel()
        return True if np.array_equal(self.order.ravel(), image) else None

    def with_order(self, order: IntArray) -> Layout:
        """Return the same frame seen through another source tensor."""
        return Layout(order, self.size, self.space)

    def per_channel(self, node: str, value: FloatArray) -> FloatArray:
        """Return a constant that broadcasts to the source tensor as () or (size,).

        raises  UnsupportedOp  it does not broadcast, or differs between positions in space
        """
        if value.size == 1:
            return value.reshape(()).astype(np.float64)
        try:
            spread = np.broadcast_to(value, self.shape)
        except ValueError:
            raise UnsupportedOp(
                f"{node}: a constant of shape {list(value.shape)} does not broadcast to the data "
                f"{list(self.shape)}; check the layer's shapes."
            ) from None
        flat = np.empty(self.order.size)
        flat[self.order.ravel()] = spread.ravel()
        pixels = flat.reshape(-1, self.size)
        if np.any(pixels != pixels[0]):
            raise UnsupportedOp(
                f"{node}: its constant of shape {list(value.shape)} differs between the positions "
                f"of {list(self.space)}; hwgen applies one constant per channel. Use a scalar or a "
                "value per channel."
            )
        return pixels[0]
