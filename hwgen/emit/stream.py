"""Streams of the generated top: names, lane widths, and the plumbing between two layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from hwgen.emit.sv import Instance, Module
from hwgen.num.inttype import IntType


@dataclass(frozen=True, slots=True)
class Stream:
    """Wires ``<name>_tdata/_tvalid/_tready``: ``lanes`` values of ``type``, ``beats`` per frame."""

    name: str
    type: IntType
    lanes: int
    beats: int

    @property
    def width(self) -> int:
        """Bits of tdata."""
        return self.lanes * self.type.bits


def declare(top: Module, stream: Stream) -> Stream:
    """Declare the wires of ``stream``."""
    top.wire(f"{stream.name}_tdata", stream.width)
    top.wire(f"{stream.name}_tvalid")
    top.wire(f"{stream.name}_tready")
    return stream


def connect(role: str, stream: Stream) -> dict[str, str]:
    """Return the port connections of a stream; ``role`` is ``s_axis`` or ``m_axis``."""
    return {f"{role}_{wire}": f"{stream.name}_{wire}" for wire in ("tdata", "tvalid", "tready")}


def clocked(source: Stream, sink: Stream) -> dict[str, str]:
    """Return the ports of a module with one stream in and one out."""
    return {"clk": "clk", "rst": "rst", **connect("s_axis", source), **connect("m_axis", sink)}


def fork(top: Module, stream: Stream, names: Sequence[str]) -> list[Stream]:
    """Return a stream of every name, each with all beats of ``stream``; one stays itself."""
    if len(names) < 2:
        return [stream]
    rest = names[1] if len(names) == 2 else f"{names[0]}_rest"
    sinks = [
        declare(top, Stream(name, stream.type, stream.lanes, stream.beats))
        for name in (names[0], rest)
    ]
    ports = {"clk": "clk", "rst": "rst", **connect("s_axis", stream)}
    ports |= connect("m0_axis", sinks[0]) | connect("m1_axis", sinks[1])
    top.add(Instance("hw_fork", f"u_{names[0]}_fork", {"DATA_W": stream.width}, ports))
    return [sinks[0], *fork(top, sinks[1], names[1:])]


def resize(top: Module, stream: Stream, lanes: int, burst: int) -> Stream:
    """Return ``stream`` with another number of lanes per beat, through the common divisor.

    burst  beats that arrive in a row; they wait in a FIFO while one of them is split, so that the
           layer before does not
    """
    narrow = gcd(stream.lanes, lanes)
    if narrow < stream.lanes:
        stream = buffer(top, stream, burst)
    for width in (narrow, lanes):
        if width == stream.lanes:
            continue
        beats = stream.beats * stream.lanes // width
        name = f"{stream.name}_x{width}"
        sink = declare(top, Stream(name, stream.type, width, beats))
        params = {"LANE_W": stream.type.bits, "IN_LANES": stream.lanes, "OUT_LANES": width}
        top.add(Instance("hw_width", f"u_{name}", params, clocked(stream, sink)))
        stream = sink
    return stream


def buffer(top: Module, stream: Stream, depth: int) -> Stream:
    """Return ``stream`` behind a FIFO of ``depth`` beats."""
    name = f"{stream.name}_fifo"
    sink = declare(top, Stream(name, stream.type, stream.lanes, stream.beats))
    params = {"DATA_W": stream.width, "DEPTH": max(depth, 2)}
    top.add(Instance("hw_fifo", f"u_{name}", params, clocked(stream, sink)))
    return sink
