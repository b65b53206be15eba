"""The conversion matrix: Brevitas models of every kind, through hwgen and through stock hls4ml.

    python benchmarks/matrix.py [--cells N] [--rtl N] [--hls4ml N] [--resume] [--out docs]

Writes OUT/matrix.md and OUT/matrix.json.  Each cell is a model of ``cells.py``, exported, built and
compared integer by integer with the QONNX executor and with Brevitas in eval mode, then with its
RTL in Verilator; half of the inputs are chosen to land on half steps of the activation quantizer.
Ends with status 1 if a cell is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from brevitas.proxy import ActQuantProxyFromInjector
from cells import SHAPES, Cell, brevitas_model, export, pairwise, singles
from torch import nn

from hwgen import flow
from hwgen.errors import HwgenError
from hwgen.graph.execute import encode, trace
from hwgen.graph.stimulus import random_inputs
from hwgen.num.elementwise import evaluate
from hwgen.qonnx_executor import execute_qonnx
from hwgen.sim.compare import Verdict
from hwgen.streamline.blocks import split
from hwgen.streamline.observe import activation_codes, quantized_tensors
from hwgen.streamline.read import load, read
from hwgen.witnesses import Build, Panel, open_build

SAMPLES = 120
_CANDIDATES = 1500  # on-grid inputs of which those with most ties are taken
_EXACT_SUMS = 1 << 24  # up to here float32 adds integers exactly
_PATIENCE = 40  # seconds of CPU that hls4ml and qonnx get, without the compiler
_TOLERANCE = 1e-4  # of hls4ml's outputs, which are fixed<32,16>
_TOOLS = ("brevitas", "torch", "qonnx", "onnxruntime", "hls4ml", "verilator", "numpy")


@dataclass(frozen=True)
class Result:
    """What became of one cell."""

    cell: Cell
    reference: str  # "exact", "refused", "wrong"
    message: str = ""  # of a refusal, or what was wrong
    compared: int = 0  # integers, with both float executors
    float32: int = 0  # of them differ as float32 is proved to
    half_steps: int = 0  # values before the activation quantizer that lie exactly on one
    rtl: str = "not run"
    hls4ml: str = "not run"
    layers: tuple[str, ...] = ()
    seconds: float = 0.0


def judge(cell: Cell, folder: Path, *, rtl: bool = False, hls4ml: bool = False) -> Result:
    """Return the result of a cell; files go to ``folder``."""
    model = brevitas_model(cell)
    path = export(cell, model, folder / "model.onnx")
    try:
        build = open_build(flow.build(path, folder / "build"))
    except HwgenError as error:
        result = Result(cell, "refused", f"{type(error).__name__}: {error}")
        steps = np.random.default_rng(0).integers(-32, 32, (SAMPLES // 2, *SHAPES[cell.layer]))
        on_grid = (steps * model[0].act_quant.scale().item()).astype(np.float32)
        return replace(result, hls4ml=_stock_hls4ml(path, on_grid, folder)) if hls4ml else result
    x, on_grid, half_steps = _inputs(build)
    panel = Panel(build, x)
    verdicts = [*panel.hear(("qonnx",)), _brevitas(panel, model)]
    wrong = [f"{v.mismatches} of {v.compared} differ: {v.first}" for v in verdicts if v.mismatches]
    ties = sum(v.ties for v in verdicts)
    if ties and cell.dyadic and all(-_EXACT_SUMS < t.lo <= t.hi < _EXACT_SUMS
                                    for t in build.graph.tensors):  # fmt: skip
        wrong.append(f"{ties} differ where float32 is exact")
    return Result(
        cell,
        "wrong" if wrong else "exact",
        "; ".join(wrong),
        sum(v.compared for v in verdicts),
        ties,
        half_steps,
        _rtl(panel) if rtl else "not run",
        _stock_hls4ml(path, on_grid, folder) if hls4ml else "not run",
        tuple(type(layer).__name__ for layer in build.graph.layers),
    )


# ---- inputs -------------------------------------------------------------------------------------
def _inputs(build: Build) -> tuple[np.ndarray, np.ndarray, int]:
    """Return inputs, those of them on the grid, and how many half steps they all land on."""
    rng = np.random.default_rng(0)
    graph, entry = build.graph, build.graph.tensor(build.graph.input)
    count = _CANDIDATES // max(1, entry.pixels // 4)
    grid = rng.integers(entry.lo, entry.hi + 1, (count, entry.pixels, entry.size))
    real = entry.scale * (grid - entry.zero_point)
    on_grid = real.transpose(0, 2, 1) if entry.channels_first else real
    chosen = np.argsort(-_half_steps(build, grid.reshape(count, -1)))[: SAMPLES // 2]
    tied = on_grid.reshape(count, *graph.input_shape)[chosen].astype(np.float32)
    x = np.concatenate([random_inputs(graph, SAMPLES - len(chosen), seed=0), tied])
    return x, tied, int(_half_steps(build, encode(graph, x)).sum())


def _half_steps(build: Build, codes: np.ndarray) -> np.ndarray:
    """Return for each sample how often the activation quantizer rounds exactly half a step."""
    segment = split(read(load(build.source))).blocks[1].segment
    last = max(i for i, step in enumerate(segment) if step.kind == "Quant")
    quant = segment[last].quant
    assert quant is not None
    product = next(build.graph.products())
    acc = build.graph.tensor(product.y)
    sums = trace(build.graph, codes)[product.y].reshape(len(codes), -1, acc.size)
    scale, zero_point = segment[last].operands
    level = evaluate(segment[:last], acc.scale * (sums - acc.zero_point)) / scale + zero_point
    inside = (quant.lo - 0.5 <= level) & (level <= quant.hi + 0.5) & (not quant.bipolar)
    return np.asarray((inside & (level % 1 == 0.5)).reshape(len(codes), -1).sum(axis=1))


# ---- witnesses ----------------------------------------------------------------------------------
def _brevitas(panel: Panel, model: nn.Module) -> Verdict:
    """Return the verdict of Brevitas on the input, the last activation and the output."""
    started = time.monotonic()
    seen: list[np.ndarray] = []
    hooks = [
        proxy.register_forward_hook(lambda _, __, output: seen.append(output.value.numpy()))
        for proxy in model.modules()
        if isinstance(proxy, ActQuantProxyFromInjector) and proxy.is_quant_enabled
    ]
    with torch.no_grad():
        output = model(torch.from_numpy(panel.x))
    for hook in hooks:
        hook.remove()
    first, last = quantized_tensors(panel.build.graph)
    codes = activation_codes(panel.build.graph, {first.source: seen[0], last.source: seen[-1]})
    outputs = getattr(output, "value", output).numpy()
    return panel.float_verdict("brevitas", codes, outputs, started)


def _rtl(panel: Panel) -> str:
    try:
        verdicts = list(panel.hear(("rtl",)))
    except HwgenError as error:  # an assertion in the simulation
        return f"wrong: {error}"
    wrong = sum(v.mismatches for v in verdicts)
    return f"wrong: {wrong} differ, {verdicts[0].first}" if wrong else "exact"


def _stock_hls4ml(path: Path, x: np.ndarray, folder: Path) -> str:
    """Return what hls4ml's own Vitis backend makes of the same file and inputs."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), _limit():
            warnings.simplefilter("ignore")
            (expected,) = execute_qonnx(path, x).values()
            got = _hls4ml_outputs(path, x, folder / "hls4ml")
    except Exception as error:  # whatever it raises is the result
        text = str(error).strip().splitlines() or [""]
        return f"`{type(error).__name__}: {text[0][:90]}`"
    if got.size != expected.size:
        return f"wrong shape: {got.size // len(x)} values instead of {expected.shape[1]}"
    near = np.isclose(got.reshape(expected.shape), expected, _TOLERANCE, _TOLERANCE)
    off = 1 - float(np.mean(np.all(near, axis=1)))
    return "exact" if off == 0 else f"{off:.1%} of rows off"


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    """Stop Python code that finds no end: the channels-last conversion of a branch, in qonnx."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"no result after {_PATIENCE} s of CPU")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _hls4ml_outputs(path: Path, x: np.ndarray, out: Path) -> np.ndarray:
    """Return the outputs; the conversion is what hls4ml's documentation asks for."""
    import hls4ml
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
    from qonnx.transformation.gemm_to_matmul import GemmToMatMul
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(str(path)))
    if x.ndim > 2:  # the output of the converted model keeps the source's order
        model = model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=True))
        x = np.moveaxis(x, 1, -1)
    model = cleanup_model(model.transform(GemmToMatMul()))
    config = hls4ml.utils.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision="fixed<32,16>"
    )
    hls = hls4ml.converters.convert_from_onnx_model(
        model, hls_config=config, backend="Vitis", output_dir=str(out), io_type="io_parallel"
    )
    hls.compile()
    return np.asarray(hls.predict(np.ascontiguousarray(x)))


# ---- report -------------------------------------------------------------------------------------
def main() -> None:
    """Judge every cell and write the table, anew after each cell."""
    cells = [*singles(), *pairwise()]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=len(cells))
    parser.add_argument("--rtl", type=int, default=len(cells), help="cells that also run as RTL")
    parser.add_argument("--hls4ml", type=int, default=len(cells), help="cells of stock hls4ml")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--resume", action="store_true", help="keep the results that OUT has")
    args = parser.parse_args()
    chosen, with_rtl, with_hls4ml = (
        {cells[i] for i in _spread(len(cells), n)} for n in (args.cells, args.rtl, args.hls4ml)
    )
    done = _stored(args.out / "matrix.json") if args.resume else {}
    for cell in (c for c in cells if c in chosen and c not in done):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            result = judge(cell, Path(folder), rtl=cell in with_rtl, hls4ml=cell in with_hls4ml)
        done[cell] = replace(result, seconds=round(time.monotonic() - started, 1))
        print(len(done), cell, result.reference, result.rtl, result.hls4ml, result.message,
              sep=" | ", flush=True)  # fmt: skip
        _write([done[c] for c in cells if c in done], args.out)
    _write([done[c] for c in cells if c in done], args.out)
    if any(r.reference == "wrong" or r.rtl.startswith("wrong") for r in done.values()):
        sys.exit(1)


def _write(results: list[Result], out: Path) -> None:
    (out / "matrix.json").write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")
    (out / "matrix.md").write_text(_page(results))


def _stored(path: Path) -> dict[Cell, Result]:
    rows = json.loads(path.read_text())
    results = [Result(**{**row, "cell": Cell(**row["cell"])}) for row in rows]
    return {r.cell: r for r in results}


def _spread(total: int, wanted: int) -> set[int]:
    return {round(i) for i in np.linspace(0, total - 1, min(wanted, total))}


def _page(results: list[Result]) -> str:
    minutes = sum(r.seconds for r in results) / 60
    tools = ", ".join(f"{tool} {version(tool)}" for tool in _TOOLS)
    lines = [
        (Path(__file__).parent / "matrix_head.md").read_text(),
        f"{len(results)} models in {minutes:.0f} minutes; {tools}.\n",
        *_table(("", "hwgen reference", "hwgen RTL", "stock hls4ml"), _summary(results)),
        "",
        f"{sum(r.compared for r in results):,} integers compared with the float executors, "
        f"{sum(r.float32 for r in results):,} of them differ as float32 is proved to; "
        f"{sum(r.half_steps for r in results):,} half steps were hit.\n",
        *_table(("layer", "weights", "activation", "quantizer", "bias", "batch norm", "exporter",
                 "half steps", "reference", "RTL", "stock hls4ml"), map(_row, results)),
    ]  # fmt: skip
    refused = [r for r in results if r.reference == "refused"]
    if refused:
        lines += ["", "Refusals in full:", ""]
        lines += [f"- {r.cell}: `{r.message}`" for r in refused]
    return "\n".join(lines) + "\n"


def _summary(results: list[Result]) -> list[tuple[str, ...]]:
    def kind(text: str) -> str:
        if text in ("exact", "refused", "not run"):
            return text
        return "refused" if text.startswith("`") else "wrong"

    columns = [
        Counter(kind(getattr(r, c)) for r in results) for c in ("reference", "rtl", "hls4ml")
    ]
    names = {"exact": "exact", "wrong": "wrong without a warning", "refused": "refused or crashed",
             "not run": "not run"}  # fmt: skip
    return [(name, *(str(c[key]) for c in columns)) for key, name in names.items()]


def _row(r: Result) -> tuple[str, ...]:
    c = r.cell
    return (
        c.layer,
        f"{c.weight_bits} bit, {c.weight_scale}, {c.weight_scales}",
        c.activation,
        f"{c.act_bits} bit, {c.act_scale}, {c.zero_point}, {c.rounding}"
        + (", narrow" if c.narrow == "yes" else ""),
        c.bias,
        c.batch_norm,
        c.exporter,
        str(r.half_steps),
        r.reference,
        r.rtl if r.reference != "refused" else "refused",
        r.hls4ml.replace("|", "/"),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    main()
