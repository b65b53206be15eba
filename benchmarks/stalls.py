"""Random stalls on both sides of resnet8: nothing hangs, and the RTL stays exact.

    python benchmarks/stalls.py [--tokens 1000] [--rtl 20]

Prints how long the FIFOs took to size, and what came of every seed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from hwgen import flow
from hwgen.emit import emit_top
from hwgen.export import export_qonnx
from hwgen.fifos import size_fifos, token_simulator
from hwgen.graph.execute import encode, run
from hwgen.graph.stimulus import random_inputs
from hwgen.train.blocks import exercised
from hwgen.train.definition import load_definition
from hwgen.witnesses import open_build, rtl_outputs, simulate

STALLS = {"idle": 0.4, "backpressure": 0.4}
MODEL = Path(__file__).parents[1] / "models" / "resnet8"


def main() -> None:
    """Print three lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--rtl", type=int, default=20)
    args = parser.parse_args()
    definition = load_definition(MODEL)
    torch.manual_seed(0)
    module = exercised(definition.build(), definition.input_shape, seed=1)
    sample = np.zeros((1, *definition.input_shape), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = export_qonnx(module, sample, Path(folder) / "model.onnx")
        build = open_build(flow.build(path, Path(folder) / "build"))
        graph = build.graph
        started = time.monotonic()
        size_fifos(graph)
        print(f"FIFOs sized in {time.monotonic() - started:.1f} s")
        codes = encode(graph, random_inputs(graph, 2, seed=0))
        right = sum(
            np.array_equal(rtl_outputs(build, simulate(build, codes, seed=k, **STALLS)),
                           run(graph, codes))
            for k in range(args.rtl)
        )  # fmt: skip
        print(f"RTL: {right} of {args.rtl} seeds exact")
        tokens = token_simulator(emit_top(graph, ""))
        runs = (tokens.run({}, frames=2, seed=k, **STALLS) for k in range(args.tokens))
        print(f"tokens: {sum(r.deadlock is None for r in runs)} of {args.tokens} seeds end")


if __name__ == "__main__":
    main()
