"""Compiled simulation of a generated top: millions of cycles, frames in, frames out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from hwgen.errors import ToolFailed
from hwgen.num.pack import ByteArray
from hwgen.sim.verilator import BUILD_ARGS, environment, find_verilator

_PREFIX = "Vdesign"
# -O1 against -O3 in g++: two thirds of the compile time, 9 % fewer cycles per second.
_FLAGS = [
    "--cc", "--exe", "--build", "-j", "2", "-O3", "--assert", "--quiet",
    "--x-assign", "fast", "--x-initial", "unique",
    "-MAKEFLAGS", "OPT_FAST=-O1 OPT_GLOBAL=-O1 OPT_SLOW=-O0", *BUILD_ARGS,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probe:
    """A stream inside the top: wires ``<name>_tdata``, ``<name>_tvalid``, ``<name>_tready``."""

    name: str
    width_bits: int

    @property
    def width_bytes(self) -> int:
        """Bytes of one recorded beat."""
        return -(-self.width_bits // 8)


@dataclass(frozen=True, slots=True)
class SimResult:
    """What came out, and when.

    outputs               (frames, out_beats, out_bytes)
    first_latency_cycles  from the first input transfer to the last output transfer of frame 0
    ii_cycles             cycles per frame, mean over the second half of the run; None if 1 frame
    cycles                clock cycles of the whole run
    probes                by name, (beats, bytes); empty unless asked for
    """

    outputs: ByteArray
    first_latency_cycles: int
    ii_cycles: float | None
    cycles: int
    probes: dict[str, ByteArray]


@dataclass(frozen=True, slots=True)
class Simulator:
    """A compiled top; runs any number of frames."""

    executable: Path
    rtl: Path
    in_bytes: int
    out_bytes: int
    probes: tuple[Probe, ...]

    def run(
        self,
        beats: ByteArray,
        out_beats: int,
        *,
        idle: float = 0.0,
        backpressure: float = 0.0,
        seed: int = 0,
        probe: bool = False,
        reset_at: int | None = None,
        patience_cycles: int = 1_000_000,
    ) -> SimResult:
        """Return what the hardware makes of ``beats``, (frames, in_beats, in_bytes).

        out_beats        beats per output frame; tlast must mark the last
        idle             probability per cycle that the source has nothing to offer
        backpressure     probability per cycle that the sink is not ready
        probe            record every transfer of the probed streams
        reset_at         cycle of a second reset, after which all frames are sent again
        patience_cycles  cycles without a transfer at either end that count as a deadlock
        raises           ToolFailed on deadlock, wrong tlast or a failed assertion
        """
        frames, in_beats, in_bytes = beats.shape
        assert in_bytes == self.in_bytes, (beats.shape, self.in_bytes)
        with tempfile.TemporaryDirectory() as folder:
            source, sink = Path(folder, "in.bin"), Path(folder, "out.bin")
            recorded = Path(folder, "probe_")
            source.write_bytes(np.ascontiguousarray(beats).tobytes())
            stats = self._execute(
                source, sink, frames, in_beats, out_beats, idle, backpressure, seed,
                reset_at or 0, patience_cycles, recorded if probe else "",
            )  # fmt: skip
            return SimResult(
                outputs=_load(sink, self.out_bytes).reshape(frames, out_beats, self.out_bytes),
                first_latency_cycles=int(stats["first_latency_cycles"]),
                ii_cycles=float(stats["ii_cycles"]) if "ii_cycles" in stats else None,
                cycles=int(stats["cycles"]),
                probes={
                    p.name: _load(Path(f"{recorded}{p.name}"), p.width_bytes)
                    for p in self.probes
                    if probe
                },
            )

    def _execute(self, *arguments: object) -> dict[str, str]:
        """Return the "name value" lines that the executable prints."""
        command = [str(self.executable), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.rtl, capture_output=True, text=True)
        said = done.stdout + done.stderr
        if done.returncode or "$readmem" in said:  # a missing image is a warning to Verilator
            raise ToolFailed(f"simulation of {self.rtl} failed: {_last_lines(said)}")
        return dict(line.split() for line in done.stdout.splitlines())


def build_simulator(
    rtl: Path,
    top: str,
    out: Path,
    *,
    in_bytes: int,
    out_bytes: int,
    probes: Sequence[Probe] = (),
) -> Simulator:
    """Return the simulator of module ``top``, compiled unless ``out`` has it already.

    rtl                  folder of the top, the library and the memory images
    out                  folder of executables, named by a hash of everything compiled into them
    in_bytes, out_bytes  width of s_axis_tdata and m_axis_tdata
    raises               ToolNotFound, ToolFailed

    Memory images are not part of the hash: the executable reads them when it starts.
    """
    sources = sorted(p.resolve() for p in rtl.glob("*.sv"))
    if not sources:
        raise ToolFailed(f"{rtl}: no SystemVerilog files to simulate; run hwgen build first.")
    harness = resources.files("hwgen.sim").joinpath("harness.cpp").read_text()
    generated = {
        "harness.cpp": harness,
        "design.h": _design_header(top, in_bytes, out_bytes, probes),
        "probes.vlt": _probe_config(top, probes),
    }
    folder = out / _hash([p.read_text() for p in sources], generated, top)
    if not folder.exists():
        _compile(folder, generated, sources, top)
    executable = (folder / "simulator").resolve()
    return Simulator(executable, rtl, in_bytes, out_bytes, tuple(probes))


def _hash(sources: Sequence[str], generated: dict[str, str], top: str) -> str:
    parts = [*sources, *generated.values(), *_FLAGS, top, str(find_verilator())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _compile(folder: Path, generated: dict[str, str], sources: list[Path], top: str) -> None:
    """Compile in a folder of our own and rename: safe when interrupted or run twice at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building_") as work:
        for name, text in generated.items():
            Path(work, name).write_text(text)
        command = [
            str(find_verilator()), *_FLAGS, "--prefix", _PREFIX, "--top-module", top,
            "--Mdir", "obj", "-o", "simulator", "probes.vlt", *map(str, sources), "harness.cpp",
            "-CFLAGS", "-I..",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=work, env=environment(), capture_output=True, text=True)
        if done.returncode:
            raise ToolFailed(
                f"{command[0]} on {sources[0].parent} failed: "
                f"{_last_lines(done.stdout + done.stderr)}"
            )
        finished = Path(work, "finished")
        finished.mkdir()
        shutil.move(Path(work, "obj", "simulator"), finished / "simulator")
        try:
            finished.rename(folder)
        except OSError:  # someone else was faster with the same result
            if not folder.exists():
                raise


def _design_header(top: str, in_bytes: int, out_bytes: int, probes: Sequence[Probe]) -> str:
    listed = "".join(f" \\\n  P({p.name}, {top}__DOT__{p.name}, {p.width_bytes})" for p in probes)
    return (
        f'#include "{_PREFIX}.h"\n#include "{_PREFIX}___024root.h"\n'
        f"using Top = {_PREFIX};\n"
        f"constexpr size_t kInBytes = {in_bytes}, kOutBytes = {out_bytes};\n"
        f"#define PROBES(P){listed}\n"
    )


def _probe_config(top: str, probes: Sequence[Probe]) -> str:
    wires = [f"{p.name}_{wire}" for p in probes for wire in ("tdata", "tvalid", "tready")]
    lines = [f'public_flat_rd -module "{top}" -var "{wire}"' for wire in wires]
    return "\n".join(["`verilator_config", *lines, ""])


def _load(path: Path, width: int) -> ByteArray:
    return np.fromfile(path, dtype=np.uint8).reshape(-1, width)


def _last_lines(text: str, count: int = 8) -> str:
    return " | ".join(text.strip().splitlines()[-count:])
