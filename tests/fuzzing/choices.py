"""Who makes the structural choices of a random graph: hypothesis, or a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Chooser(Protocol):
    """Makes the structural choices."""

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number, ``hi`` included."""

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options; the first is the simplest."""


class Drawn:
    """Chooses as hypothesis draws, so that it shrinks."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number, ``hi`` included."""
        return self._draw(st.integers(lo, hi))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return self._draw(st.sampled_from(list(options)))


class Rolled:
    """Chooses by a seed: the same structure every time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number, ``hi`` included."""
        return self._random.randint(lo, hi)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return self._random.choice(list(options))
