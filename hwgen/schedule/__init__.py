"""Folding: how parallel each layer is, and how deep the FIFOs between them are."""

from hwgen.schedule.cost import Cost, layer_cost
from hwgen.schedule.fold import DEFAULT_CYCLES, lanes_after, schedule, total_cost
from hwgen.schedule.work import cycles, initiation_interval

__all__ = [
    "DEFAULT_CYCLES",
    "Cost",
    "cycles",
    "initiation_interval",
    "lanes_after",
    "layer_cost",
    "schedule",
    "total_cost",
]
