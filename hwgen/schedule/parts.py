"""The FPGA parts, for the budget check; the table itself is ``hwgen.parts``."""

from hwgen.parts import PARTS, Part, find_part

__all__ = ["PARTS", "Part", "find_part"]
