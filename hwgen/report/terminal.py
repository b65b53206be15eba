"""The last page of ``make demo``: what came out, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hwgen.report.evidence import WRITTEN_BY, Evidence, read_evidence
from hwgen.report.facts import FLOAT_BITS, METHODS, score, summary, trained_bits
from hwgen.report.words import integer, number, percent


def terminal_summary(directory: Path) -> RenderableType:
    """Return accuracy, witnesses, cycles and resources of a build directory as rich tables."""
    evidence = read_evidence(directory)
    facts = summary(evidence)
    tables = [_accuracy(evidence)] if evidence.metrics else []
    tables += [_witnesses(evidence.verify)] if evidence.verify else []
    tables.append(_hardware(facts, evidence))
    parts: list[RenderableType] = [Text(facts["name"], style="bold")]
    parts += [Padding(table, (1, 0, 0, 0)) for table in tables]
    parts.append(Text(""))
    parts += [Text(f"{name} is missing: {WRITTEN_BY[name]}") for name in evidence.missing]
    parts.append(Text(f"report: {directory / 'report.html'}"))
    return Group(*parts)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 4, 0, 0), show_header=any(columns))
    for i, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if i else "left", no_wrap=True)
    return table


def _accuracy(evidence: Evidence) -> Table:
    table = _table("accuracy, relative FDR", *METHODS[1:])
    exact = score(evidence, "float", FLOAT_BITS, "accuracy")
    table.add_row("float", *[percent(exact)] * 3)
    for bits in trained_bits(evidence):
        cells = []
        for method in METHODS[1:]:
            accuracy = percent(score(evidence, method, bits, "accuracy"))
            cells.append(f"{accuracy}  {number(score(evidence, method, bits, 'relative_fdr'), 2)}")
        table.add_row(f"{bits} bit", *cells)
    return table


def _witnesses(verify: dict[str, Any]) -> Table:
    table = _table("witness", "integers", "mismatches", "float32 ties")
    for w in verify["witnesses"]:
        wrong = Text(integer(w["mismatches"]), style="bold red" if w["mismatches"] else "")
        table.add_row(Text(w["name"]), integer(w["compared"]), wrong, integer(w["ties"]))
    return table


def _hardware(facts: dict[str, Any], evidence: Evidence) -> Table:
    table = _table("", "")
    if facts["ii_cycles"]:
        cycles = f"{integer(facts['ii_cycles'])} cycles ({facts['cycles_are']})"
        table.add_row("per inference", cycles)
    if facts["latency_cycles"]:
        time = f"{number(facts['latency_us'], 1)} us if at {facts['clock_mhz']} MHz"
        table.add_row("latency", f"{integer(facts['latency_cycles'])} cycles, {time}")
    if evidence.synth:
        for key in ("lut", "ff", "bram36", "dsp"):
            share = facts[key] / evidence.synth["budget"][key]
            use = f"{integer(facts[key])} ({percent(share, 0)} of {facts['part']})"
            table.add_row(key.upper(), Text(use, style="bold red" if share > 1 else ""))
    if facts["weight_kib"]:
        table.add_row("weights", f"{number(facts['weight_kib'], 1)} KiB")
    return table
