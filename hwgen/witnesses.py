"""The witnesses of one answer: who runs the source, reference, C simulation, RTL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.errors import HwgenError
from hwgen.graph.execute import channels_last, encode, trace
from hwgen.graph.ir import ArgMax, Graph, Requant, Table, Tensor, Threshold
from hwgen.graph.serialize import loads
from hwgen.num.inttype import IntArray
from hwgen.num.pack import ByteArray, pack_lanes, unpack_lanes
from hwgen.sim.compare import Trace, Verdict, compare
from hwgen.sim.failure import AssertionFailed, SimulationFailed
from hwgen.sim.simulator import Probe, SimResult, Simulator, build_simulator
from hwgen.sources import kind_in

if TYPE_CHECKING:
    from hwgen.streamline.float32 import Float32, Interval

WITNESSES = ("brevitas", "qonnx", "tflite", "hls4ml", "reference", "csim", "rtl")
RTL_RUNS: dict[str, dict[str, float]] = {  # back to back, and with random stalls on both sides
    "rtl": {},
    "rtl, random stalls": {"idle": 0.4, "backpressure": 0.4, "seed": 1},
}
_STALLED_SAMPLES = 100
_FAR = 2.0**62  # beyond every code
_EVIDENT = 1e-3  # of one code: closer than this to an integer is that integer


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """What is in a build directory."""

    folder: Path
    graph: Graph
    manifest: dict[str, Any]

    @property
    def source(self) -> Path:
        """The model file that was built."""
        return self.folder / kind_in(self.folder).FILE

    @property
    def witnesses(self) -> tuple[str, ...]:
        """All that can speak for a model of this kind."""
        return (*kind_in(self.folder).WITNESSES, "reference", "csim", "rtl")

    @property
    def checkpoint(self) -> Path:
        """The Brevitas model it came from, if there is one."""
        return self.folder / "model.pt"


def open_build(folder: Path) -> Build:
    """Return the build in ``folder``; raises HwgenError where there is none."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise HwgenError(
            f"{folder}: no manifest.json, so this is not a build directory; make one with "
            f"'hwgen build FILE.onnx --out {folder}'."
        )
    return Build(folder, _parsed(folder / "graph.json", loads), _parsed(manifest, _manifest))


def _manifest(text: str) -> dict[str, Any]:
    facts = json.loads(text)
    return {"streams": facts["streams"], "top": facts["top"], **facts}


def _parsed(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(path.read_text())
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        raise HwgenError(
            f"{path}: not what hwgen build wrote ({error!r}); build the model again."
        ) from None


def simulator(build: Build, *, waves: bool = False) -> Simulator:
    """Return the compiled simulator of a build; compiled at most once per content."""
    facts = build.manifest["streams"]
    probes = [Probe(p["name"], p["lanes"] * p["bits"], p["beats"]) for p in facts["probes"]]
    return build_simulator(
        build.folder / "rtl",
        "top",
        build.folder / "sim",
        in_bytes=facts["input"]["bytes"],
        out_bytes=facts["output"]["bytes"],
        probes=probes,
        waves=waves,
    )


def simulate(build: Build, codes: IntArray, **options: Any) -> SimResult:
    """Return what the RTL does with input codes (samples, values)."""
    out_beats = build.manifest["streams"]["output"]["beats"]
    return simulator(build).run(beats_of(build, codes), out_beats, **options)


def beats_of(build: Build, codes: IntArray) -> ByteArray:
    """Return input codes (samples, values) as beats (samples, beats, bytes)."""
    entry = build.manifest["streams"]["input"]
    lanes = codes.reshape(-1, entry["lanes"])
    return pack_lanes(lanes, entry["bits"]).reshape(len(codes), entry["beats"], entry["bytes"])


def rtl_outputs(build: Build, result: SimResult) -> IntArray:
    """Return the output codes (samples, channels) of a simulation."""
    facts = build.manifest["streams"]["output"]
    return _codes(result.outputs.reshape(-1, facts["bytes"]), facts)


def rtl_trace(build: Build, result: SimResult) -> dict[str, IntArray]:
    """Return the codes of every probed tensor (samples, values)."""
    facts = build.manifest["streams"]["probes"]
    for p in facts:
        passed, expected = len(result.probes[p["name"]]), len(result.outputs) * p["beats"]
        if passed != expected:
            raise SimulationFailed(
                f"simulation of {build.folder / 'rtl'} failed: stream {p['name']} passed {passed} "
                f"beats, {expected} are {len(result.outputs)} frames; its writer is wrong."
            )
    return {p["name"]: _codes(result.probes[p["name"]], p) for p in facts}


def _codes(raw: np.ndarray, facts: dict[str, Any]) -> IntArray:
    values = unpack_lanes(raw, facts["lanes"], facts["bits"], facts["signed"])
    return values.reshape(-1, facts["beats"] * facts["lanes"])


def _whole(cycles: float | None) -> float | int | None:
    """Return a mean as an integer where it is one: the usual case, no frame is ever late."""
    return int(cycles) if cycles is not None and cycles.is_integer() else cycles


class _Allowed:
    """What float32 is proved to be able to make of each tensor, given these very inputs."""

    def __init__(self, build: Build, x: np.ndarray, reference: Trace) -> None:
        self._build, self._x, self._reference = build, x, reference

    @cached_property
    def _float32(self) -> Float32:
        from hwgen.streamline.float32 import Float32

        return Float32(self._build.source, self._build.graph)

    def of(self, tensor: str) -> Callable[[np.ndarray], np.ndarray]:
        """Return the test that tells where answers (samples, channels), in codes, are within."""
        graph = self._build.graph
        if tensor == graph.input:
            return self._float32.input_codes(self._x).holds
        layer = next((e for e in graph.layers if e.y == tensor and isinstance(e, ArgMax)), None)
        if layer is None:
            return self._interval(tensor).holds
        codes = self._interval(layer.x)
        least = codes.low.max(axis=1, keepdims=True)
        return lambda answer: np.take_along_axis(codes.high, answer, axis=1) >= least

    def _interval(self, tensor: str) -> Interval:
        layer = next(e for e in self._build.graph.layers if e.y == tensor)
        if isinstance(layer, Threshold | Requant | Table):
            return self._float32.closed_codes(tensor, self._reference)
        return self._float32.accumulator(tensor, self._reference)


class Panel:
    """Runs the witnesses on one set of inputs."""

    def __init__(self, build: Build, x: np.ndarray) -> None:
        self.build, self.x = build, x
        started = time.monotonic()
        self.codes = encode(build.graph, x)
        self.reference = trace(build.graph, self.codes)
        self.reference_seconds = time.monotonic() - started
        self.allowed = _Allowed(build, x, self.reference)
        self.cycles: dict[str, float | int | None] = {}

    def hear(self, names: tuple[str, ...]) -> Iterator[Verdict]:
        """Yield the verdict of each witness; one that a build does not have stays silent."""
        calls: dict[str, Callable[[], Iterator[Verdict]]] = {
            "brevitas": self._brevitas,
            "qonnx": self._qonnx,
            "tflite": self._tflite,
            "hls4ml": self._hls4ml,
            "reference": self._reference,
            "csim": self._csim,
            "rtl": self._rtl,
        }
        for name in names:
            yield from calls[name]()

    def _reference(self) -> Iterator[Verdict]:
        """The yardstick: the others are compared with it."""
        compared = sum(values.size for values in self.reference.values())
        yield Verdict("reference", compared, 0, 0, self.reference_seconds)

    def _brevitas(self) -> Iterator[Verdict]:
        if not self.build.checkpoint.exists():
            return
        from hwgen.export import brevitas_activations, brevitas_outputs
        from hwgen.streamline.observe import quantized_tensors
        from hwgen.train import load_model

        started = time.monotonic()
        module = load_model(self.build.checkpoint)
        found = brevitas_activations(module, self.x)
        tensors = quantized_tensors(self.build.graph)
        codes = self._paired(tensors, [array for _, array in found])
        outputs = brevitas_outputs(module, self.x)
        yield self.float_verdict("brevitas", codes, outputs, started)

    def _paired(
        self, tensors: Sequence[Tensor], found: Sequence[np.ndarray]
    ) -> dict[str, IntArray]:
        """Return the codes of values by tensor.

        Branches may run in any order: of tensors with as many values the first that differs least.
        """
        from hwgen.streamline.observe import codes_of

        codes: dict[str, IntArray] = {}
        for array in found:
            alike = [
                (int(np.count_nonzero(self.reference[t.name] != values)), t.name, values)
                for t in tensors
                if t.name not in codes and t.values * len(array) == array.size
                for values in [codes_of(t, array)]
            ]
            _, name, values = min(alike, key=lambda entry: entry[0])
            codes[name] = values
        return codes

    def _qonnx(self) -> Iterator[Verdict]:
        if "qonnx" not in self.build.witnesses:
            return
        from hwgen.qonnx_executor import execute_qonnx
        from hwgen.streamline.observe import activation_codes, quantized_tensors

        started = time.monotonic()
        graph = self.build.graph
        wanted = [t.source for t in quantized_tensors(graph)] + [graph.tensor(graph.output).source]
        values = execute_qonnx(self.build.source, self.x, wanted)
        codes = activation_codes(graph, values)
        yield self.float_verdict("qonnx", codes, values[wanted[-1]], started)

    def _tflite(self) -> Iterator[Verdict]:
        """Integers from integers: what the interpreter shows is compared without any tolerance."""
        if "tflite" not in self.build.witnesses:
            return
        from hwgen.tflite.interpreter import interpret

        started = time.monotonic()
        graph, source = self.build.graph, self.build.source
        found = interpret(source.read_bytes(), graph.name, self.x, self.codes)
        shown = {t.name: found[t.source] for t in graph.tensors if t.source in found}
        yield self._compared("tflite", shown, started)

    def _hls4ml(self) -> Iterator[Verdict]:
        """Fixed-point values of the output, which are codes times a power of two, exactly."""
        if "hls4ml" not in self.build.witnesses:
            return
        from hwgen.hls4ml_backend import run_stock

        started = time.monotonic()
        graph, packed = self.build.graph, self.build.source.read_bytes()
        y, size = graph.tensor(graph.output), sum(t.values for t in graph.tensors)
        values = run_stock(packed, self.build.folder / "hls4ml", self.x, size)
        level = channels_last(y, values) / y.scale
        codes = np.floor(level).astype(np.int64).reshape(len(level), -1)
        codes += (level % 1 != 0).reshape(codes.shape) & (codes == self.reference[y.name])
        yield self._compared("hls4ml", {y.name: codes}, started)

    def _csim(self) -> Iterator[Verdict]:
        from hwgen.hls4ml_backend import compile_csim, csim_trace

        started = time.monotonic()
        csim = compile_csim(self.build.graph, self.build.folder / "csim")
        yield self._compared("csim", csim_trace(csim, self.codes), started)

    def _rtl(self) -> Iterator[Verdict]:
        for name, stalls in RTL_RUNS.items():
            started = time.monotonic()
            try:
                result, failed = self._simulated(name)
            except SimulationFailed as error:
                error.run = name
                raise
            if not stalls:
                self.cycles = {
                    "ii_cycles": _whole(result.ii_cycles),
                    "latency_cycles": result.first_latency_cycles,
                }
            found = rtl_trace(self.build, result)
            found[self.build.graph.output] = rtl_outputs(self.build, result)
            verdict = self._compared(name, found, started, len(result.outputs))
            if failed is not None and not verdict.mismatches:
                raise failed
            yield replace(verdict, complaint=failed.complaint if failed else "")

    def sent(self, run: str) -> IntArray:
        """Return the input codes of a run of the RTL."""
        return self.codes[:_STALLED_SAMPLES] if RTL_RUNS[run] else self.codes

    def _simulated(self, run: str) -> tuple[SimResult, AssertionFailed | None]:
        """Return a run with probes; after a failed assertion, the same run without any."""
        options: dict[str, Any] = {"probe": True, **RTL_RUNS[run]}
        try:
            return simulate(self.build, self.sent(run), **options), None
        except AssertionFailed as failed:
            try:
                return simulate(self.build, self.sent(run), assertions=False, **options), failed
            except SimulationFailed:
                raise failed from None

    def _compared(
        self, name: str, found: Trace, started: float, samples: int | None = None
    ) -> Verdict:
        reference = {key: value[:samples] for key, value in self.reference.items()}
        return compare(name, self.build.graph, reference, found, time.monotonic() - started)

    def float_verdict(
        self, name: str, codes: dict[str, IntArray], outputs: np.ndarray, started: float
    ) -> Verdict:
        """Compare a float32 witness: integers exactly, but for what float32 is proved to do.

        codes    (batch, values) of quantized tensors, by name
        outputs  (batch, *output_shape), of the source
        """
        graph = self.build.graph
        if graph.output not in codes:
            exact, t = self.reference[graph.output], graph.tensor(graph.output)
            level = channels_last(t, np.asarray(outputs, np.float64)) / t.scale + t.zero_point
            level = level.reshape(exact.shape)
            theirs = np.rint(np.clip(level, -_FAR, _FAR)).astype(np.int64)
            # A level between two integers, further off than float32 takes it, is an error too.
            off = (theirs == exact) & (np.abs(level - exact) > _EVIDENT)
            if off.any():
                off &= ~self.allowed.of(graph.output)(level)
            codes = codes | {graph.output: theirs + off}
        return compare(name, graph, self.reference, codes, time.monotonic() - started, self._is_tie)

    def _is_tie(self, tensor: str, ours: IntArray, theirs: IntArray) -> np.ndarray:
        """Return where both answers lie within what float32 can make of the source."""
        allowed = self.allowed.of(tensor)
        return allowed(ours) & allowed(theirs)
