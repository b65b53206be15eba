"""Folding: how parallel each layer is, and how deep the FIFOs between them are."""

from hwgen.schedule.candidates import Asked
from hwgen.schedule.cost import Cost, layer_cost
from hwgen.schedule.fold import DEFAULT_CYCLES, schedule, total_cost
from hwgen.schedule.work import cycles, initiation_interval, stream_lanes

__all__ = [
    "DEFAULT_CYCLES",
    "Asked",
    "Cost",
    "cycles",
    "initiation_interval",
    "layer_cost",
    "schedule",
    "stream_lanes",
    "total_cost",
]
