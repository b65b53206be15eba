"""Compiled simulation of a generated top: millions of cycles, frames in, frames out."""

from __future__ import annotations

import hashlib
import re
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
from hwgen.sim.failure import failure
from hwgen.sim.verilator import BUILD_ARGS, environment, find_verilator

_PREFIX = "Vdesign"
# -O1 against -O3 in g++: two thirds of the compile time, 9 % fewer cycles per second.
_FLAGS = [
    "--cc", "--exe", "--build", "-j", "2", "-O3", "--assert", "--quiet",
    "--x-assign", "fast", "--x-initial", "unique",
    "-MAKEFLAGS", "OPT_FAST=-O1 OPT_GLOBAL=-O1 OPT_SLOW=-O0", *BUILD_ARGS,
]  # fmt: skip
_WAVE_FLAGS = ["--trace-vcd", "--trace-max-array", "0"]  # no memories
# Options of the executable; harness.cpp says what they mean.
_DEFAULTS: dict[str, object] = {
    "idle": 0.0, "backpressure": 0.0, "seed": 0, "reset_at": 0, "patience": 1_000_000,
    "probe_prefix": "", "assertions": 1, "watch": "", "watch_beat": 0,
    "wave_path": "", "wave_instance": "", "wave_from": 0, "wave_to": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probe:
    """A stream inside the top: wires ``<name>_tdata``, ``<name>_tvalid``, ``<name>_tready``."""

    name: str
    width_bits: int
    beats: int  # per frame

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
    top: str
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
        assertions: bool = True,
        reset_at: int | None = None,
        patience_cycles: int = 1_000_000,
    ) -> SimResult:
        """Return what the hardware makes of ``beats``, (frames, in_beats, in_bytes).

        out_beats        beats per output frame; tlast must mark the last
        idle             probability per cycle that the source has nothing to offer
        backpressure     probability per cycle that the sink is not ready
        probe            record every transfer of the probed streams
        assertions       check those of the RTL
        reset_at         cycle of a second reset, after which all frames are sent again
        patience_cycles  cycles without a transfer at either end that count as a deadlock
        raises           SimulationFailed on deadlock, wrong tlast or a failed assertion
        """
        with tempfile.TemporaryDirectory() as folder:
            sink, recorded = Path(folder, "out.bin"), Path(folder, "probe_")
            stats = self._execute(
                beats, out_beats, folder, idle=idle, backpressure=backpressure, seed=seed,
                probe_prefix=recorded if probe else "", assertions=int(assertions),
                reset_at=reset_at or 0, patience=patience_cycles,
            )  # fmt: skip
            return SimResult(
                outputs=_load(sink, self.out_bytes).reshape(len(beats), out_beats, self.out_bytes),
                first_latency_cycles=int(stats["first_latency_cycles"]),
                ii_cycles=float(stats["ii_cycles"]) if "ii_cycles" in stats else None,
                cycles=int(stats["cycles"]),
                probes={
                    p.name: _load(Path(f"{recorded}{p.name}"), p.width_bytes)
                    for p in self.probes
                    if probe
                },
            )

    def cycle_of(
        self, beats: ByteArray, out_beats: int, probe: str, beat: int, **stalls: float
    ) -> int:
        """Return the cycle in which transfer number ``beat`` of a probe happens; runs up to there.

        stalls  idle, backpressure and seed of the run that is repeated
        """
        with tempfile.TemporaryDirectory() as folder:
            stats = self._execute(
                beats, out_beats, folder, probe_prefix=Path(folder, "probe_"), assertions=0,
                watch=probe, watch_beat=beat, **stalls,
            )  # fmt: skip
        return int(stats["watched_cycle"])

    def write_wave(
        self,
        beats: ByteArray,
        out_beats: int,
        path: Path,
        *,
        instance: str,
        cycles: tuple[int, int],
        **stalls: float,
    ) -> None:
        """Write a VCD file of the top's wires and the inside of ``instance``; 2 units a cycle.

        cycles  first and last; the run ends there
        stalls  idle, backpressure and seed of the run that is repeated
        needs   a simulator that was built with ``waves``
        """
        with tempfile.TemporaryDirectory() as folder:
            self._execute(
                beats, out_beats, folder, assertions=0, wave_path=path.resolve(),
                wave_instance=instance, wave_from=cycles[0], wave_to=cycles[1], **stalls,
            )  # fmt: skip

    def _execute(
        self, beats: ByteArray, out_beats: int, folder: str, **options: object
    ) -> dict[str, str]:
        """Return the "name value" lines that the executable prints."""
        frames, in_beats, in_bytes = beats.shape
        assert in_bytes == self.in_bytes, (beats.shape, self.in_bytes)
        source = Path(folder, "in.bin")
        source.write_bytes(np.ascontiguousarray(beats).tobytes())
        sizes = {"frames": frames, "in_beats": in_beats, "out_beats": out_beats}
        files = {"in": source, "out": Path(folder, "out.bin")}
        given = {**_DEFAULTS, **files, **sizes, **options}
        command = [str(self.executable), *(f"{name}={value}" for name, value in given.items())]
        done = subprocess.run(command, cwd=self.rtl, capture_output=True, text=True)
        said = done.stdout + done.stderr
        if "$readmem" in said:  # a missing image is a warning to Verilator
            raise ToolFailed(f"simulation of {self.rtl} failed: {_last_lines(said)}")
        if done.returncode:
            expected = {p.name: frames * p.beats for p in self.probes}
            raise failure(self.rtl, self.top, said, expected)
        return dict(line.split() for line in done.stdout.splitlines())


def build_simulator(
    rtl: Path,
    top: str,
    out: Path,
    *,
    in_bytes: int,
    out_bytes: int,
    probes: Sequence[Probe] = (),
    waves: bool = False,
) -> Simulator:
    """Return the simulator of module ``top``, compiled unless ``out`` has it already.

    rtl                  folder of the top, the library and the memory images
    out                  folder of executables, named by a hash of everything compiled into them
    in_bytes, out_bytes  width of s_axis_tdata and m_axis_tdata
    waves                able to write waveforms, which takes longer to compile
    raises               ToolNotFound, ToolFailed

    Memory images are not part of the hash: the executable reads them when it starts.
    """
    sources = sorted(p.resolve() for p in rtl.glob("*.sv"))
    if not sources:
        raise ToolFailed(f"{rtl}: no SystemVerilog files to simulate; run hwgen build first.")
    streams = _streams((rtl / f"{top}.sv").read_text())
    harness = resources.files("hwgen.sim").joinpath("harness.cpp").read_text()
    generated = {
        "harness.cpp": harness,
        "design.h": _design_header(top, in_bytes, out_bytes, probes, streams),
        "probes.vlt": _probe_config(top, probes, streams),
    }
    flags = [*_FLAGS, *_WAVE_FLAGS] if waves else _FLAGS
    folder = out / _hash([p.read_text() for p in sources], generated, flags, top)
    if not folder.exists():
        _compile(folder, generated, sources, flags, top)
    executable = (folder / "simulator").resolve()
    return Simulator(executable, rtl, top, in_bytes, out_bytes, tuple(probes))


def _streams(source: str) -> list[str]:
    """Return the streams between instances, in the order in which a top declares them."""
    names = re.findall(r"^\s*logic\s+(\w+)_tvalid\b", source, re.M)
    return [name for name in names if re.search(rf"\b{name}_tready\b", source)]


def _hash(sources: Sequence[str], generated: dict[str, str], flags: Sequence[str], top: str) -> str:
    parts = [*sources, *generated.values(), *flags, top, str(find_verilator())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _compile(
    folder: Path, generated: dict[str, str], sources: list[Path], flags: list[str], top: str
) -> None:
    """Compile in a folder of our own and rename: safe when interrupted or run twice at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building_") as work:
        for name, text in generated.items():
            Path(work, name).write_text(text)
        command = [
            str(find_verilator()), *flags, "--prefix", _PREFIX, "--top-module", top,
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


def _design_header(
    top: str, in_bytes: int, out_bytes: int, probes: Sequence[Probe], streams: Sequence[str]
) -> str:
    probed = "".join(f" \\\n  P({p.name}, {top}__DOT__{p.name}, {p.width_bytes})" for p in probes)
    between = "".join(f" \\\n  S({name}, {top}__DOT__{name})" for name in streams)
    return (
        f'#include "{_PREFIX}.h"\n#include "{_PREFIX}___024root.h"\n'
        f'using Top = {_PREFIX};\n[[maybe_unused]] constexpr const char* kTop = "{top}";\n'
        f"constexpr size_t kInBytes = {in_bytes}, kOutBytes = {out_bytes};\n"
        f"#define PROBES(P){probed}\n#define STREAMS(S){between}\n"
    )


def _probe_config(top: str, probes: Sequence[Probe], streams: Sequence[str]) -> str:
    wires = [f"{p.name}_tdata" for p in probes]
    wires += [f"{name}_{wire}" for name in streams for wire in ("tvalid", "tready")]
    lines = [f'public_flat_rd -module "{top}" -var "{wire}"' for wire in wires]
    return "\n".join(["`verilator_config", *lines, ""])


def _load(path: Path, width: int) -> ByteArray:
    return np.fromfile(path, dtype=np.uint8).reshape(-1, width)


def _last_lines(text: str, count: int = 8) -> str:
    return " | ".join(text.strip().splitlines()[-count:])
