"""The FPGA parts that hwgen knows, with what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwgen.errors import FoldError

PartFamily = Literal["xc7", "ecp5"]


@dataclass(frozen=True, slots=True)
class Part:
    """Budget of one FPGA.

    lut     look-up tables: LUT6 of a 7-series part, LUT4 of an ECP5
    bram36  block memory in units of 36 Kibit; an ECP5 block (EBR) of 18 Kibit counts one half
    dsp     DSP48E1 slices, or 18x18 multipliers of an ECP5
    """

    name: str
    family: PartFamily
    lut: int
    ff: int
    bram36: int
    dsp: int


# Sources: AMD DS180 (Artix-7) and DS190 (Zynq-7000) feature tables; Lattice FPGA-DS-02012,
# table 1.1, the exact LUT4 and FF counts as nextpnr-ecp5 prints them.
_ALL = (
    Part("xc7a35t", "xc7", lut=20_800, ff=41_600, bram36=50, dsp=90),
    Part("xc7a100t", "xc7", lut=63_400, ff=126_800, bram36=135, dsp=240),
    Part("xc7z020", "xc7", lut=53_200, ff=106_400, bram36=140, dsp=220),
    Part("ecp5-25k", "ecp5", lut=24_288, ff=24_288, bram36=28, dsp=28),
    Part("ecp5-45k", "ecp5", lut=43_848, ff=43_848, bram36=54, dsp=72),
    Part("ecp5-85k", "ecp5", lut=83_640, ff=83_640, bram36=104, dsp=156),
)
PARTS: dict[str, Part] = {part.name: part for part in _ALL}


def find_part(name: str) -> Part:
    """Return the part called ``name``, in any case; raises FoldError with the names there are."""
    part = PARTS.get(name.lower())
    if part is None:
        raise FoldError(f"part {name!r} is not known; choose one of {', '.join(PARTS)}.")
    return part
