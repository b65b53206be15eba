"""Folding: how parallel each layer is, and how deep the FIFOs between them are."""

from hwgen.schedule.cost import Cost, layer_cost
from hwgen.schedule.fold import DEFAULT_CYCLES, cycles, initiation_interval, schedule, total_cost
from hwgen.schedule.parts import PARTS, Part, find_part

__all__ = [
    "DEFAULT_CYCLES",
    "PARTS",
    "Cost",
    "Part",
    "cycles",
    "find_part",
    "initiation_interval",
    "layer_cost",
    "schedule",
    "total_cost",
]
