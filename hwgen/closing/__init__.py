"""Close an accumulator: the cheapest exact hardware form of an integer function."""

from hwgen.closing.affine import Line
from hwgen.closing.choose import cheapest
from hwgen.closing.staircase import Function, Staircase, staircase

__all__ = ["Function", "Line", "Staircase", "cheapest", "staircase"]
