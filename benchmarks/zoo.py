"""Networks that others trained, through hwgen and through stock hls4ml, against the QONNX executor.

    python benchmarks/zoo.py --zoo FOLDER [--samples 1000] [--hls4ml-samples 200]

Prints the table of docs/zoo.md.  FOLDER holds TFC_1W1A.onnx, TFC_2W2A.onnx and kwsmlp_w3a3.onnx of
the QONNX model zoo.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np

from hwgen import flow
from hwgen.graph.stimulus import random_inputs
from hwgen.streamline.executor import execute_qonnx
from hwgen.streamline.read import load
from hwgen.witnesses import open_build

NETWORKS = {"TFC_1W1A": 64, "TFC_2W2A": 64, "kwsmlp_w3a3": 392}  # cycles of the FINN foldings
TOLERANCE = 1e-4


def main() -> None:
    """Print one Markdown row per network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--hls4ml-samples", type=int, default=200)
    args = parser.parse_args()
    print("| network | hwgen: integers compared, differing (RTL; C simulation; QONNX executor) | "
          "II | latency | stock hls4ml 1.3.0, `fixed<32,16>`: classes agree, rows exact |")  # fmt: skip
    print("|---|---|---|---|---|")
    for name, cycles in NETWORKS.items():
        print(_row(name, args.zoo / f"{name}.onnx", cycles, args), flush=True)


def _row(name: str, path: Path, cycles: int, args: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as folder:
        out = flow.build(path, Path(folder) / "build", target_cycles=cycles)
        result = flow.verify(out, samples=args.samples)
        said = {w["name"]: f"{w['compared']:,}, {w['mismatches']}" for w in result["witnesses"]}
        ours = "; ".join(said[w] for w in ("rtl", "csim", "qonnx"))
        x = random_inputs(open_build(out).graph, args.hls4ml_samples, seed=0)
        stock = _stock_hls4ml(path, x, Path(folder) / "stock")
    return f"| {name} | {ours} | {result['ii_cycles']} | {result['latency_cycles']} | {stock} |"


def _stock_hls4ml(path: Path, x: np.ndarray, out: Path) -> str:
    """Return what hls4ml's own Vitis backend makes of the same file and inputs."""
    import hls4ml
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.cleanup import cleanup_model

    output = load(path).graph.output[0].name
    expected = execute_qonnx(path, x, [output])[output]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model = cleanup_model(ModelWrapper(str(path)))
            config = hls4ml.utils.config_from_onnx_model(
                model, granularity="name", backend="Vitis", default_precision="fixed<32,16>"
            )
            hls = hls4ml.converters.convert_from_onnx_model(
                model, hls_config=config, backend="Vitis", output_dir=str(out), io_type="io_parallel"
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
