"""Where witnesses part: the cycle and a waveform of the first wrong beat, and what is to blame."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path

import hwgen
from hwgen.emit import WAVEFORM, emit_top
from hwgen.sim.compare import Mismatch, Verdict
from hwgen.sim.failure import SimulationFailed, neighbour
from hwgen.witnesses import RTL_RUNS, Build, Panel, beats_of, simulator

_BEFORE, _AFTER = 64, 16  # cycles of a waveform around the wrong beat
_EXCERPT = 40  # characters of a long line
_REPORT = "No file of the build was changed since, so please report it with the build directory."


def located(panel: Panel, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts; the first wrong beat of the RTL has its instance, cycle, waveform."""
    wave = True  # of the first run that is wrong
    found = []
    for verdict in verdicts:
        if verdict.first is not None and verdict.name in RTL_RUNS:
            verdict = replace(verdict, first=_in_time(panel, verdict.first, wave))
            wave = False
        found.append(verdict)
    return found


def earliest(panel: Panel, verdicts: Sequence[Verdict]) -> Mismatch | None:
    """Return the mismatch in the earliest layer; of several there, the first witness's."""
    order = [panel.build.graph.input, *(layer.y for layer in panel.build.graph.layers)]
    firsts = [v.first for v in verdicts if v.first is not None]
    return min(firsts, key=lambda m: order.index(m.tensor), default=None)


@contextmanager
def failures_shown(panel: Panel) -> Iterator[None]:
    """Add a waveform to the error of a simulation that stops in the block."""
    try:
        yield
    except SimulationFailed as error:
        if error.cycle is None or error.run not in RTL_RUNS:
            raise
        path = _write_wave(panel, error.run, error.instance, error.cycle)
        text = f"{str(error).rstrip(chr(46))}. Waveform around cycle {error.cycle}: {path}."
        raise SimulationFailed(text, error.cycle, error.instance) from None


def diagnosis(build: Build, verdicts: Sequence[Verdict]) -> str:
    """Return what the set of dissenters, and files that changed since the build, say."""
    runs = [v for v in verdicts if v.name != "reference"]
    wrong = {v.name for v in runs if v.mismatches}
    agree = " and ".join(f"'{v.name}'" for v in runs if v.name not in wrong)
    against = " and ".join(f"'{v.name}'" for v in runs if v.name in wrong)
    against += f" against the reference{f' and {agree}' if agree else ''}"
    changed = list(changes(build))
    if changed:
        return f"{against}. Changed since the build: {'; '.join(changed)}. Build the model again."
    return f"{against}: {_suspect(wrong, {v.name for v in runs})}. {_REPORT}"


def _suspect(wrong: set[str], runs: set[str]) -> str:
    hardware, stalled = RTL_RUNS
    if wrong == {stalled} and hardware in runs:
        return "the RTL loses its way only when streams stall: a handshake of that instance"
    if wrong <= set(RTL_RUNS):
        return "the RTL module of that layer, the plumbing in front of it, or its memory image"
    if wrong == {"csim"}:
        return "the C++ of that layer"
    if wrong == {"brevitas"} and "qonnx" in runs:
        return "the export: the file that was built does not compute what Brevitas does"
    if not wrong & {"csim", *RTL_RUNS}:
        return "the translation of the source into the integer graph"
    return "the integer graph or the reference itself"


def changes(build: Build) -> Iterator[str]:
    """Yield what is not as ``hwgen build`` wrote it, in words: file, place, both contents."""
    source = build.source
    if hashlib.sha256(source.read_bytes()).hexdigest() != build.manifest["source"]["sha256"]:
        yield f"{source.name} is not the file that was built"
    rtl = build.folder / "rtl"
    top = (rtl / "top.sv").read_text()
    digest = hashlib.sha256((build.folder / "graph.json").read_bytes()).hexdigest()[:16]
    header, module = top[: top.find("\n\n") + 2], top[top.find("\n\n") + 2 :]
    if digest not in header:
        yield "graph.json is not the one that the RTL was generated from"
    elif build.manifest["hwgen_version"] == hwgen.__version__:
        design = emit_top(build.graph, "")
        yield from _line_change(rtl / "top.sv", module, design.text, header.count("\n"))
        for name, lines in design.memories.items():
            yield from _line_change(rtl / name, _text(rtl / name), "\n".join(lines) + "\n")
    if build.manifest["hwgen_version"] == hwgen.__version__:
        for module_file in resources.files("hwgen").joinpath("rtl").iterdir():
            if module_file.name.endswith(".sv"):
                path = rtl / module_file.name
                yield from _line_change(path, _text(path), module_file.read_text())


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _line_change(path: Path, found: str, written: str, above: int = 0) -> Iterator[str]:
    """Yield the first line that differs, ``above`` lines further down in the file."""
    if found == written:
        return
    ours, theirs = found.splitlines(), written.splitlines()
    pairs = enumerate(zip(ours, theirs, strict=False))
    line = next((k for k, (a, b) in pairs if a != b), min(len(ours), len(theirs)))
    is_now, was = (
        " ".join(text[line].split()) if line < len(text) else "missing" for text in (ours, theirs)
    )
    yield (
        f"rtl/{path.name}, line {above + line + 1}, is '{_excerpt(is_now, was)}' and was "
        f"'{_excerpt(was, is_now)}'"
    )


def _excerpt(text: str, other: str) -> str:
    """Return ``text``, or of a long one what surrounds the first difference to ``other``."""
    at = next((k for k, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    start, end = max(at - _EXCERPT // 2, 0), at + _EXCERPT // 2
    if len(text) <= 2 * _EXCERPT:
        return text
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


def _in_time(panel: Panel, first: Mismatch, wave: bool) -> Mismatch:
    """Return ``first`` with its instance and cycle, by a second run up to the wrong beat."""
    build, facts = panel.build, panel.build.manifest["streams"]
    probe = next(p for p in facts["probes"] if p["name"] == first.tensor)
    beat = first.sample * probe["beats"] + first.index // probe["lanes"]
    beats = beats_of(build, panel.sent(first.witness))
    cycle = simulator(build).cycle_of(
        beats, facts["output"]["beats"], first.tensor, beat, **RTL_RUNS[first.witness]
    )
    top = (build.folder / "rtl" / "top.sv").read_text()
    instance = neighbour(top, "m", first.tensor)
    path = str(_write_wave(panel, first.witness, instance, cycle)) if wave else None
    return replace(first, instance=instance, cycle=cycle, waveform=path)


def _write_wave(panel: Panel, run: str, instance: str, cycle: int) -> Path:
    """Write the waveform of a run around ``cycle``; compiles a simulator that can, once."""
    build = panel.build
    path = build.folder / WAVEFORM
    simulator(build, waves=True).write_wave(
        beats_of(build, panel.sent(run)),
        build.manifest["streams"]["output"]["beats"],
        path,
        instance=instance,
        cycles=(max(cycle - _BEFORE, 0), cycle + _AFTER),
        **RTL_RUNS[run],
    )
    return path
