"""Folding: how parallel each layer is, and how deep the FIFOs between them are."""

from hwgen.schedule.cost import Cost, layer_cost
from hwgen.schedule.fold import DEFAULT_CYCLES, cycles, initiation_interval, schedule, total_cost

__all__ = [
    "DEFAULT_CYCLES",
    "Cost",
    "cycles",
    "initiation_interval",
    "layer_cost",
    "schedule",
    "total_cost",
]
