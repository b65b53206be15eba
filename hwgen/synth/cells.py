"""What each cell of a mapped netlist takes of an FPGA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.errors import ToolFailed


@dataclass(frozen=True, slots=True)
class Resources:
    """Counted cells.

    lut     LUT1 to LUT6 that compute; inverters are absorbed into them and do not count.
            ECP5: LUT4, and two for each carry cell, which is made of them
    lutram  LUTs used as memory or shift register
    ff      flip-flops and latches
    carry   CARRY4, or CCU2C of an ECP5
    bram36  RAMB36 and halves for RAMB18, or for the 18 Kibit blocks of an ECP5
    dsp     DSP48E1, or 18x18 multipliers of an ECP5
    """

    lut: int = 0
    lutram: int = 0
    ff: int = 0
    carry: int = 0
    bram36: float = 0.0
    dsp: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut,
            self.lutram + other.lutram,
            self.ff + other.ff,
            self.carry + other.carry,
            self.bram36 + other.bram36,
            self.dsp + other.dsp,
        )

    def __mul__(self, n: int) -> Resources:
        return Resources(
            self.lut * n,
            self.lutram * n,
            self.ff * n,
            self.carry * n,
            self.bram36 * n,
            self.dsp * n,
        )


_FF = Resources(ff=1)
_COST = {
    **{f"LUT{n}": Resources(lut=1) for n in range(1, 7)},
    **{f"FD{kind}E{edge}": _FF for kind in "RSCP" for edge in ("", "_1")},
    **dict.fromkeys(("LDCE", "LDPE"), _FF),
    "CARRY4": Resources(carry=1),
    **dict.fromkeys(("SRL16E", "SRLC32E", "RAM32X1S", "RAM64X1S"), Resources(lutram=1)),
    **dict.fromkeys(("RAM32X2S", "RAM128X1S", "RAM32X1D", "RAM64X1D"), Resources(lutram=2)),
    **dict.fromkeys(("RAM32M", "RAM64M", "RAM128X1D", "RAM256X1S"), Resources(lutram=4)),
    "RAMB36E1": Resources(bram36=1.0),
    "RAMB18E1": Resources(bram36=0.5),
    "DSP48E1": Resources(dsp=1),
    "TRELLIS_FF": _FF,
    "CCU2C": Resources(lut=2, carry=1),
    "TRELLIS_DPR16X4": Resources(lutram=4),
    "DP16KD": Resources(bram36=0.5),
    "MULT18X18D": Resources(dsp=1),
}
_FREE = {"INV", "MUXF7", "MUXF8", "VCC", "GND", "PFUMX", "L6MUX21", "$scopeinfo"}

Cells = Mapping[str, Mapping[str, int]]  # module -> type of cell, or of module -> how many


def count(cells: Cells, module: str) -> Resources:
    """Return what one instance of ``module`` takes, with everything inside it."""
    total = Resources()
    for kind, n in cells[module].items():
        if kind in cells:
            total += count(cells, kind) * n
        elif kind in _COST:
            total += _COST[kind] * n
        elif kind not in _FREE:
            raise ToolFailed(
                f"{module}: Yosys left {n} cells of type {kind}, which are no part of the device; "
                "a construct of the RTL was not mapped, see synth.log."
            )
    return total
