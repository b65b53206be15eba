"""What a simulation that stopped says: which assertion failed, or where the streams stand still."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from hwgen.errors import ToolFailed

_ASSERTION = re.compile(r"\[(\d+)\].*Assertion failed in TOP\.(\S+?): (?:TOP\.)?(.*)")
_STREAM = re.compile(r"^stream (\w+) (\d) (\d)$", re.M)
_PASSED = re.compile(r"^passed (\w+) (\d+)$", re.M)
_MOVEMENT = re.compile(r"^last_movement (\d+)$", re.M)
_CYCLE = re.compile(r"^cycle (\d+)")
_FIFO = re.compile(r"hw_fifo\s*#\([^;]*?\.DEPTH\((\d+)\)[^;]*?\)\s*(u_\w+)\s*\(")
_MODULE = re.compile(r"\b(hw_\w+)\s*#\([^;]*?\)\s*(u_\w+)\s*\(")
_JOINS = ("hw_add", "hw_concat")
_INSTANCE = re.compile(r"\b(u_\w+)\s*\(([^;]*)\)\s*;")

_States: TypeAlias = Mapping[str, tuple[bool, bool]]  # valid and ready of each stream


class SimulationFailed(ToolFailed):
    """The simulated hardware broke a rule; ``str(error)`` is one paragraph.

    cycle     where to look, None if unknown
    instance  of the top, "" if unknown
    run       name of the run, where it has one
    """

    def __init__(self, message: str, cycle: int | None = None, instance: str = "") -> None:
        super().__init__(message)
        self.cycle, self.instance, self.run = cycle, instance, ""


class AssertionFailed(SimulationFailed):
    """An assertion of the RTL failed; ``complaint`` is its own sentence."""

    def __init__(self, message: str, complaint: str, cycle: int, instance: str) -> None:
        super().__init__(message, cycle, instance)
        self.complaint = complaint


def failure(rtl: Path, top: str, said: str, expected: Mapping[str, int]) -> SimulationFailed:
    """Return the error for what a simulator of ``rtl``/``top``.sv printed.

    expected  beats of every recorded stream, had the run come to its end
    """
    where = f"simulation of {rtl} failed: "
    assertion = _ASSERTION.search(said)
    if assertion:
        cycle, scope, text = int(assertion[1]) // 2, assertion[2], assertion[3].strip()
        complaint = text if text.startswith(scope) else f"{scope}: {text}"
        instance = next((part for part in scope.split(".") if part.startswith("u_")), "")
        return AssertionFailed(f"{where}cycle {cycle}, {complaint}", complaint, cycle, instance)
    sentence = (said.strip().splitlines() or ["it printed nothing"])[-1]
    source = (rtl / f"{top}.sv").read_text()
    passed = {name: int(count) for name, count in _PASSED.findall(said)}
    if sentence.startswith("deadlock"):
        place, instance = _standstill(source, said, passed, expected)
        cycle = int(_last(_MOVEMENT, said))
        text = f"{where}{sentence}; {place}. The last stream moved in cycle {cycle}."
        return SimulationFailed(text, cycle, instance)
    if sentence.startswith("cycle"):
        place, instance = _surplus(source, passed, expected)
        return SimulationFailed(where + sentence + place, int(_last(_CYCLE, sentence)), instance)
    return SimulationFailed(where + sentence)


def _last(pattern: re.Pattern[str], said: str) -> str:
    return str(pattern.findall(said)[-1])


def _standstill(
    source: str, said: str, passed: Mapping[str, int], expected: Mapping[str, int]
) -> tuple[str, str]:
    """Return where a deadlock is, in words, and the instance that causes it."""
    states = {name: (valid == "1", ready == "1") for name, valid, ready in _STREAM.findall(said)}
    waiting = [name for name, (valid, ready) in states.items() if valid and not ready]
    if waiting:
        reader = neighbour(source, "s", waiting[-1])
        join, shallow = _circle(source, states)
        if shallow:
            full = _full_fifos(source, waiting)
            others = [f"{name} ({depth} beats)" for name, depth in full.items() if name != shallow]
            return (
                f"{join} joins two branches and waits for one of them, which the other holds up: "
                f"FIFO {shallow} ({full[shallow]} beats) is full. It needs more depth"
                + "".join(f"; {other} is full as well" for other in others),
                shallow,
            )
        stuck = _starver(source, states, reader)
        if stuck not in ("", reader):
            return f"{reader} waits for {stuck}, which has what it needs but gives nothing", stuck
        return (
            f"stream {waiting[-1]} has valid without ready: {reader or 'its reader'} does not "
            "take it, and no stream after it waits",
            reader,
        )
    short = next((name for name, count in passed.items() if count < expected[name]), None)
    if short is None:
        return "no stream waits for ready: an instance took its input and gave nothing", ""
    writer = neighbour(source, "m", short)
    return (
        f"no stream waits for ready, but {writer or 'the writer'} of stream {short} gave only "
        f"{passed[short]} beats of {expected[short]}",
        writer,
    )


def _circle(source: str, states: _States) -> tuple[str, str]:
    """Return the join that waits for what its own full FIFO holds up, and that FIFO, else "", "".

    A join waits for an empty input, that for a fork, and the fork for the full FIFO of a join.
    """
    for start in (name for module, name in _MODULE.findall(source) if module in _JOINS):
        seen: set[str] = set()
        join, fifo = start, ""
        while join and join not in seen:
            seen.add(join)
            fifo, join = _held_up(source, states, _starver(source, states, join))
        if join:
            return join, fifo
    return "", ""


def _starver(source: str, states: _States, join: str) -> str:
    """Return the instance in front of ``join`` that lacks no input, but leaves it without one."""
    here = join
    while empty := [s for s in _streams(source, "s", here) if not states[s][0]]:
        here = neighbour(source, "m", empty[0])
    return here


def _held_up(source: str, states: _States, fork: str) -> tuple[str, str]:
    """Return the full FIFO in front of the next join that holds up ``fork``, and that join."""
    modules = {name: module for module, name in _MODULE.findall(source)}
    here, fifo = fork, ""
    while here and modules[here] not in _JOINS:
        fifo = here if modules[here] == "hw_fifo" else fifo
        waiting = [s for s in _streams(source, "m", here) if states[s] == (True, False)]
        here = neighbour(source, "s", waiting[0]) if waiting else ""
    return fifo, here if fifo else ""


def _streams(source: str, side: str, instance: str) -> list[str]:
    """Return the streams on the ports of side ``s`` or ``m`` of an instance."""
    ports = dict(_INSTANCE.findall(source)).get(instance, "")
    return re.findall(rf"\.{side}\w*_tvalid\((\w+)_tvalid\)", ports)


def _full_fifos(source: str, waiting: Sequence[str]) -> dict[str, int]:
    """Return the FIFOs that do not take what waits in front of them, and their depths."""
    depths = {name: int(depth) for depth, name in _FIFO.findall(source)}
    readers = [neighbour(source, "s", stream) for stream in waiting]
    return {name: depths[name] for name in readers if name in depths}


def _surplus(
    source: str, passed: Mapping[str, int], expected: Mapping[str, int]
) -> tuple[str, str]:
    """Return which stream passed too many beats, in words, and the instance that writes it."""
    over = next((name for name, count in passed.items() if count > expected[name]), None)
    if over is None:
        return "", ""
    writer = neighbour(source, "m", over)
    return (
        f"; stream {over} passed {passed[over]} beats where all frames have {expected[over]}, by "
        f"{writer or 'its writer'} or the streams in front of it",
        writer,
    )


def neighbour(source: str, side: str, stream: str) -> str:
    """Return the instance whose port, of side ``s`` or ``m``, is on ``stream``."""
    port = re.compile(rf"\.{side}\w*_tvalid\({stream}_tvalid\)")
    return next((name for name, ports in _INSTANCE.findall(source) if port.search(ports)), "")
