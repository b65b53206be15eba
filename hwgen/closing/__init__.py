"""Close an accumulator: the cheapest exact hardware form of an integer function."""

from hwgen.closing.affine import Line
from hwgen.closing.choose import cheapest
from hwgen.closing.staircase import Function, Staircase, staircase
from hwgen.closing.tables import MOST_VALUES, evaluations, pieces, tabulated

__all__ = [
    "MOST_VALUES",
    "Function",
    "Line",
    "Staircase",
    "cheapest",
    "evaluations",
    "pieces",
    "staircase",
    "tabulated",
]
