"""Both ends of a module under test: beats in, beats out, one clock cycle at a time."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator

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


class Port:
    """One stream of the module: the beats to send or that came, and when they were transferred.

    ``may`` draws in each cycle whether a source offers its next beat or a sink is ready.
    """

    def __init__(self, dut, name: str, may: Choice = always, beats: Iterable[int] = ()) -> None:
        self.tdata = getattr(dut, f"{name}_tdata")
        self.tvalid = getattr(dut, f"{name}_tvalid")
        self.tready = getattr(dut, f"{name}_tready")
        self.may = may
        self.beats = list(beats)
        self.at: list[int] = []  # cycles of the transfers


async def tick(dut) -> None:
    dut.clk.value = 0
    await Timer(5, "ns")
    dut.clk.value = 1
    await Timer(5, "ns")


async def reset(dut) -> None:
    dut.rst.value = 1
    for k in ("", 0, 1):
        for name in (f"s{k}_axis_tvalid", f"m{k}_axis_tready"):
            if hasattr(dut, name):
                getattr(dut, name).value = 0
    for _ in range(2):
        await tick(dut)
    dut.rst.value = 0


async def drive(
    dut, sources: list[Port], sinks: list[Port], count: int, limit: int = 100_000
) -> None:
    """Send the beats of the sources and receive at the sinks; a beat stays once offered.

    Ends when every sink has ``count`` beats, or after ``limit`` cycles; the caller compares.
    """
    offered = [False] * len(sources)
    for cycle in range(limit):
        for k, source in enumerate(sources):
            sent = len(source.at)
            if not offered[k] and sent < len(source.beats) and source.may():
                offered[k] = True
                source.tdata.value = source.beats[sent]
            source.tvalid.value = offered[k]
        for sink in sinks:
            sink.tready.value = sink.may()
        dut.clk.value = 0
        await Timer(5, "ns")
        for k, source in enumerate(sources):
            if offered[k] and source.tready.value == 1:
                source.at.append(cycle)
                offered[k] = False
        for sink in sinks:
            if sink.tready.value == 1 and sink.tvalid.value == 1:
                sink.beats.append(int(sink.tdata.value))
                sink.at.append(cycle)
        dut.clk.value = 1
        await Timer(5, "ns")
        if all(len(sink.beats) >= count for sink in sinks):
            break
