"""The C simulation of a Vitis project: g++ on hls4ml's C++, called through its bridge functions.

A library is named by the hash of all that goes into it, and compiled where it is not there yet.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from hwgen.errors import ToolFailed, ToolNotFound
from hwgen.graph import ir
from hwgen.hls4ml_backend.vitis import PROJECT, content_hash, cpp_name, write_vitis
from hwgen.num.inttype import FloatArray, IntArray

BUILD_SCRIPT = "build_lib.sh"  # of a project that hls4ml writes
_LAST_LINES = 15
_STACK = 1 << 24
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Csim:
    """A compiled C simulation of ``graph``."""

    graph: ir.Graph
    library: Path


class _TraceEntry(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_double)))


def compile_csim(graph: ir.Graph, out: Path) -> Csim:
    """Return the C simulation of ``graph``; its Vitis project is in ``out``.

    Nothing is written or compiled if ``out`` already holds the project of this very graph.
    raises  ToolNotFound  without g++;  ToolFailed  with the compiler's last lines
    """
    out = out.resolve()
    library = out / "firmware" / f"{PROJECT}-{content_hash(graph, out)}.so"
    if not library.exists():
        require_compiler()
        for stale in library.parent.glob("*.so"):
            stale.unlink()  # it would read the weights of this graph
        model = write_vitis(graph, out)
        compile_project(out, lambda: model.config.backend.compile(model))
    return Csim(graph, library)


def csim_output(csim: Csim, x: IntArray) -> IntArray:
    """Return the output codes (batch, out) that the C++ computes for input codes (batch, in)."""
    library = ctypes.CDLL(str(csim.library))
    values = _all_values(csim.graph)
    return _integers(np.stack(with_stack(values, lambda: list(_outputs(csim, library, x)))))


def csim_trace(csim: Csim, x: IntArray) -> dict[str, IntArray]:
    """Return the codes of every tensor by name, the input included, as the C++ computes them."""
    return with_stack(_all_values(csim.graph), lambda: _traced(csim, x))


def with_stack(values: int, call: Callable[[], _Result]) -> _Result:
    """Return what ``call`` returns in a thread with room for hls4ml's arrays, all on the stack."""
    previous = threading.stack_size(_STACK + 8 * values // _STACK * _STACK)
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call).result()
    finally:
        threading.stack_size(previous)


def _all_values(graph: ir.Graph) -> int:
    return sum(t.values for t in graph.tensors)


def _traced(csim: Csim, x: IntArray) -> dict[str, IntArray]:
    lib = ctypes.CDLL(str(csim.library))
    tensors = {cpp_name(i, layer.name): layer.y for i, layer in enumerate(csim.graph.layers)}
    values: dict[str, list[FloatArray]] = {name: [] for name in tensors.values()}
    entries = (_TraceEntry * len(tensors))()
    lib.allocate_trace_storage(ctypes.c_size_t(ctypes.sizeof(ctypes.c_double)))
    try:
        lib.collect_trace_output(entries)
        for _ in _outputs(csim, lib, x):
            for entry in entries:
                name = tensors[entry.name.decode()]
                size = csim.graph.tensor(name).values
                values[name].append(np.ctypeslib.as_array(entry.data, (size,)).copy())
    finally:
        lib.free_trace_storage()
    return {csim.graph.input: x} | {name: _integers(np.stack(v)) for name, v in values.items()}


def require_compiler() -> None:
    """Raise ToolNotFound without g++."""
    if shutil.which("g++") is None:
        raise ToolNotFound("g++ not found on PATH; the C simulation needs it: apt install g++")


def compile_project(project: Path, call: Callable[[], object]) -> None:
    """Let hls4ml compile a project; raises ToolFailed with the compiler's last lines."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            call()
    except Exception as error:
        last = "\n".join(said.getvalue().splitlines()[-_LAST_LINES:])
        where = project / BUILD_SCRIPT
        raise ToolFailed(f"{where}: {error}; the compiler's last lines:\n{last}") from error


def _outputs(csim: Csim, lib: ctypes.CDLL, x: IntArray) -> Iterator[FloatArray]:
    pointer = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    top = lib[f"{PROJECT}_double"]
    top.restype, top.argtypes = None, [pointer, pointer]
    for row in np.ascontiguousarray(x, dtype=np.float64):
        y = np.zeros(csim.graph.tensor(csim.graph.output).values)
        top(row, y)
        yield y


def _integers(values: FloatArray) -> IntArray:
    return np.asarray(values.astype(np.int64))
