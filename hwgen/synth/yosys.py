"""Start Yosys on a folder of RTL and report what the design takes of a part."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import HwgenError, ToolFailed, ToolNotFound
from hwgen.parts import Part, find_part
from hwgen.synth.cells import Cells, Resources, count

_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """One instance of the top, ``name`` without its ``u_``; the logic between them is "top"."""

    name: str
    module: str
    resources: Resources


@dataclass(frozen=True, slots=True)
class SynthReport:
    """Resources of a design; ``total`` is the sum of ``modules``.

    fmax_mhz  None: Yosys maps, only place and route knows the clock
    seconds   wall time of the synthesis
    """

    part: Part
    total: Resources
    modules: tuple[ModuleReport, ...]
    fmax_mhz: float | None
    tools: dict[str, str]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``synth.json``."""
        modules = [
            {"name": m.name, "module": m.module, **asdict(m.resources)} for m in self.modules
        ]
        part = self.part
        return {
            "part": part.name,
            **asdict(self.total),
            "fmax_mhz": self.fmax_mhz,
            "budget": {"lut": part.lut, "ff": part.ff, "bram36": part.bram36, "dsp": part.dsp},
            "modules": modules,
            "tools": self.tools,
            "seconds": round(self.seconds, 1),
        }


def synthesise(
    rtl: Path, top: str, *, part: str = "xc7a100t", out: Path, constant: Sequence[str] = ()
) -> SynthReport:
    """Return the resources of ``top``, synthesised from every ``.sv`` file in ``rtl``.

    constant  instances whose weights are constants: layers of one cycle per frame

    Each instance of the top stays a module of its own and is flattened inside.
    Writes ``synth.json`` and Yosys' log ``synth.log`` into ``out``.

    raises  FoldError (unknown part), ToolNotFound, ToolFailed with Yosys' last lines
    """
    device = find_part(part)
    if importlib.util.find_spec("pyosys") is None:
        raise ToolNotFound(
            "pyosys (Yosys) not found in this Python environment; pip install pyosys"
        )
    if not any(rtl.glob("*.sv")):
        raise HwgenError(f"{rtl}: no SystemVerilog files to synthesise; run hwgen build first.")
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    netlist = _yosys(rtl, top, device.family, out / "synth.log", constant)
    modules = _modules(netlist["cells"], netlist["instances"], top)
    report = SynthReport(
        part=device,
        total=sum((m.resources for m in modules), Resources()),
        modules=modules,
        fmax_mhz=None,
        tools={"yosys": netlist["creator"]},
        seconds=time.monotonic() - started,
    )
    (out / "synth.json").write_text(json.dumps(report.to_json(), indent=2) + "\n")
    return report


def _yosys(rtl: Path, top: str, family: str, log: Path, constant: Sequence[str]) -> dict[str, Any]:
    """Return what the worker found; its output goes to ``log``."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "netlist.json"
        worker = [sys.executable, "-m", "hwgen.synth.worker"]
        command = [*worker, top, family, str(result), *constant]
        with log.open("w") as stream:
            code = subprocess.run(
                command, cwd=rtl, stdout=stream, stderr=subprocess.STDOUT, check=False
            ).returncode
        if code:
            last = " | ".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
            raise ToolFailed(
                f"Yosys ended with code {code} on {rtl} (top {top}). Its log is {log}, its last "
                f"lines are: {last}"
            )
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def _modules(cells: Cells, instances: dict[str, str], top: str) -> tuple[ModuleReport, ...]:
    """Return the instances in the order of the source, and the logic that the top has itself."""
    reports = [
        ModuleReport(name.removeprefix("u_"), _library_name(module), count(cells, module))
        for name, module in reversed(instances.items())
    ]
    own = {kind: n for kind, n in cells[top].items() if kind not in cells}
    return (*reports, ModuleReport(top, top, count({top: own}, top)))


def _library_name(module: str) -> str:
    r"""Return ``hw_x`` of ``$paramod$<hash>\hw_x`` or ``$paramod\hw_x\N=1``."""
    return module.split("\\")[1] if module.startswith("$paramod") else module
