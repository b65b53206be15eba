"""What a simulation that stopped says: which assertion failed, or where the streams stand still."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hwgen.errors import ToolFailed

_ASSERTION = re.compile(r"\[(\d+)\].*Assertion failed in TOP\.(\S+?): (?:TOP\.)?(.*)")
_STREAM = re.compile(r"^stream (\w+) (\d) (\d)$", re.M)
_PASSED = re.compile(r"^passed (\w+) (\d+)$", re.M)
_MOVEMENT = re.compile(r"^last_movement (\d+)$", re.M)
_CYCLE = re.compile(r"^cycle (\d+)")
_FIFO = re.compile(r"hw_fifo\s*#\([^;]*?\.DEPTH\((\d+)\)[^;]*?\)\s*(u_\w+)\s*\(")
_JOINS = ("hw_add", "hw_concat")
_INSTANCE = re.compile(r"\b(u_\w+)\s*\(([^;]*)\)\s*;")


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
    waiting = [name for name, valid, ready in _STREAM.findall(said) if valid > ready]
    if waiting:
        reader = neighbour(source, "s", waiting[-1])
        full = _full_fifos(source, waiting)
        if full and _module(source, reader) in _JOINS:
            names = " and ".join(f"{name} ({depth} beats)" for name, depth in full.items())
            return (
                f"{reader} joins two branches and waits for one of them, which the other holds "
                f"up: FIFO {names} is full. It needs more depth",
                next(iter(full)),
            )
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


def _module(source: str, instance: str) -> str:
    found = re.search(rf"(hw_\w+)\s*#\([^;]*?\)\s*{instance}\s*\(", source) if instance else None
    return found[1] if found else ""


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
