"""Synthesise generated RTL with Yosys: LUT, FF, BRAM and DSP in all and per layer."""

from hwgen.synth.cells import Resources
from hwgen.synth.yosys import ModuleReport, SynthReport, synthesise

__all__ = ["ModuleReport", "Resources", "SynthReport", "synthesise"]
