"""The C++ executor of graph.json (``executor.cpp``): compiled once, fed graphs through a pipe."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from hwgen.graph.ir import Graph
from hwgen.graph.serialize import dumps
from hwgen.num.inttype import IntArray

_SOURCE = Path(__file__).with_name("executor.cpp")
_FOLDER = _SOURCE.parents[2] / "build" / "fuzz"


class Executor:
    """A running executor."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [_compiled()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def trace(self, graph: Graph, x: IntArray) -> dict[str, IntArray]:
        """Return the codes (batch, values) of every tensor for input codes (batch, values).

        raises  AssertionError  a value leaves the bounds that the graph claims for its tensor
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        codes = json.dumps(x.tolist(), separators=(",", ":"))
        self._process.stdin.write(f'{{"graph":{dumps(graph)},"x":{codes}}}\n')
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise AssertionError(f"C++ executor: {answer['error']}")
        return {name: np.array(frames, dtype=np.int64) for name, frames in answer.items()}


@cache
def executor() -> Executor:
    """Return the executor of this process."""
    return Executor()


def _compiled() -> Path:
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    path = _FOLDER / f"executor_{digest}"
    if not path.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_FOLDER) as work:
            made = Path(work, "executor")
            subprocess.run(["g++", "-O2", "-std=c++20", "-o", made, _SOURCE], check=True)
            made.rename(path)
    return path
