"""Both ends of a module under test: beats in, beats out, one clock cycle at a time."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from cocotb.triggers import Timer

from hwgen.num.pack import pack_lanes

Choice = Callable[[], bool]


def always() -> bool:
    return True


def coin(rng: random.Random, probability: float) -> Choice:
    return lambda: rng.random() < probability


def pauses(name: str, rng: random.Random) -> Iterator[bool] | None:
    """Return a pause generator for cocotbext-axi, or None for "never"."""
    match name:
        case "never":
            return None
        case "half":
            return itertools.cycle([False, True])
        case "bursty":
            bursts = ([rng.random() < 0.7] * rng.randrange(8) for _ in itertools.count())
            return itertools.chain.from_iterable(bursts)
    raise ValueError(name)


def words(values: np.ndarray, bits: int) -> list[int]:
    """Return one integer per beat of ``values`` (..., beats, lanes), lane 0 lowest."""
    beats = pack_lanes(values.reshape(-1, values.shape[-1]), bits)
    return [int.from_bytes(beat.tobytes(), "little") for beat in beats]


@dataclass
class Trace:
    """Beats that came out, and the cycles of the transfers on both sides."""

    beats: list[int] = field(default_factory=list)
    sent_at: list[int] = field(default_factory=list)
    received_at: list[int] = field(default_factory=list)


async def tick(dut) -> None:
    dut.clk.value = 0
    await Timer(5, "ns")
    dut.clk.value = 1
    await Timer(5, "ns")


async def reset(dut) -> None:
    dut.rst.value = 1
    dut.s_axis_tvalid.value = 0
    dut.m_axis_tready.value = 0
    for _ in range(2):
        await tick(dut)
    dut.rst.value = 0


async def drive(
    dut,
    beats: list[int],
    count: int,
    offer: Choice = always,
    accept: Choice = always,
    limit: int = 100_000,
) -> Trace:
    """Send ``beats`` and receive ``count`` beats; a beat stays once offered.

    Ends when ``count`` beats have come out (for 0: when all have gone in), or after ``limit``
    cycles; the caller compares.
    """
    trace = Trace()
    offered = False
    for cycle in range(limit):
        sent = len(trace.sent_at)
        if not offered and sent < len(beats) and offer():
            offered = True
            dut.s_axis_tdata.value = beats[sent]
        dut.s_axis_tvalid.value = offered
        dut.m_axis_tready.value = accept()
        dut.clk.value = 0
        await Timer(5, "ns")
        if offered and dut.s_axis_tready.value == 1:
            trace.sent_at.append(cycle)
            offered = False
        if dut.m_axis_tready.value == 1 and dut.m_axis_tvalid.value == 1:
            trace.beats.append(int(dut.m_axis_tdata.value))
            trace.received_at.append(cycle)
        dut.clk.value = 1
        await Timer(5, "ns")
        if len(trace.beats) >= count > 0 or (count == 0 and len(trace.sent_at) == len(beats)):
            break
    return trace
