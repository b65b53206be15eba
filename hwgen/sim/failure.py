"""What a simulation that stopped says: which assertion failed, or where the streams stand still."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hwgen.errors import ToolFailed

_ASSERTION = re.compile(r"\[(\d+)\].*Assertion failed in (\S+?): (.*)")
_INSTANCE = re.compile(r"\b(u_\w+)\s*\(([^;]*)\)\s*;")


class SimulationFailed(ToolFailed):
    """The simulated hardware broke a rule; ``str(error)`` is one paragraph.

    cycle     where to look, None if unknown
    instance  of the top, "" if unknown
    """

    def __init__(self, message: str, cycle: int | None = None, instance: str = "") -> None:
        super().__init__(message)
        self.cycle, self.instance = cycle, instance


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
        complaint = text if text.startswith(f"{top}.") else f"{scope}: {text}"
        instance = scope.split(".")[1] if "." in scope else ""
        return AssertionFailed(f"{where}cycle {cycle}, {complaint}", complaint, cycle, instance)
    last = said.strip().splitlines()[-1:] or ["it printed nothing"]
    if not last[0].startswith("deadlock"):
        return SimulationFailed(where + last[0])
    source = (rtl / f"{top}.sv").read_text()
    place, instance = _standstill(source, said, expected)
    cycle = int(re.findall(r"^last_movement (\d+)$", said, re.M)[0])
    return SimulationFailed(
        f"{where}{last[0]}; {place}. The last stream moved in cycle {cycle}.", cycle, instance
    )


def _standstill(source: str, said: str, expected: Mapping[str, int]) -> tuple[str, str]:
    """Return where a deadlock is, in words, and the instance that causes it."""
    states = re.findall(r"^stream (\w+) (\d) (\d)$", said, re.M)
    waiting = [name for name, valid, ready in states if (valid, ready) == ("1", "0")]
    if waiting:
        reader = _neighbour(source, "s", waiting[-1])
        return (
            f"stream {waiting[-1]} has valid without ready, because {reader or 'its reader'} does "
            "not take it, and nothing waits behind that",
            reader,
        )
    for name, passed in re.findall(r"^passed (\w+) (\d+)$", said, re.M):
        if int(passed) < expected[name]:
            writer = _neighbour(source, "m", name)
            return (
                f"no stream waits for ready, but {writer or 'the writer'} of stream {name} gave "
                f"{passed} beats of {expected[name]}",
                writer,
            )
    return "no stream waits for ready: one of the instances took its input and gave nothing", ""


def _neighbour(source: str, side: str, stream: str) -> str:
    """Return the instance whose port, of side ``s`` or ``m``, is on ``stream``."""
    port = re.compile(rf"\.{side}\w*_tvalid\({stream}_tvalid\)")
    return next((name for name, ports in _INSTANCE.findall(source) if port.search(ports)), "")
