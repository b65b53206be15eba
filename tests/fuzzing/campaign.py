"""A hunt for a failing case: hypothesis draws and shrinks, a test file reproduces what it found."""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import hypothesis
from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from fuzzing.graphs import Case
from fuzzing.models import SourceCase
from hwgen.errors import HwgenError
from hwgen.graph.serialize import dumps

C = TypeVar("C")
_SECONDS = 300  # of one case; compilations take the longest


@dataclass(frozen=True, slots=True, eq=False)
class Found(Generic[C]):
    """What a hunt found: how many cases passed, how many were refused, the smallest that failed."""

    passed: int
    refused: int
    failing: C | None = None
    error: str = ""


def hunt(
    strategy: SearchStrategy[C], check: Callable[[C], object], *, seed: int, cases: int
) -> Found[C]:
    """Return what ``cases`` random cases show; a failing one is shrunk first.

    check  raises HwgenError for a refusal, anything else for a failure
    """
    counts = Counter[str]()
    last: list[C] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=cases, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(strategy)
    def search(case: C) -> None:
        last[:] = [case]
        try:
            with _time_limit():
                check(case)
        except HwgenError:
            counts["refused"] += 1
            hypothesis.reject()
        counts["passed"] += 1

    try:
        search()
    except Exception as error:  # whatever it is, it is what the hunt is for
        said = f"{type(error).__name__}: {error}"
        return Found(counts["passed"], counts["refused"], last[0], said)
    return Found(counts["passed"], counts["refused"])


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise TimeoutError where a case hangs."""

    def hangs(*_: object) -> None:
        raise TimeoutError(f"no end after {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def write_repro(found: Found[Any], seed: int, folder: Path) -> Path:
    """Write the smallest failing case as a test file of its own; returns its path."""
    case = found.failing
    assert case is not None
    body = _source_test(case) if isinstance(case, SourceCase) else _graph_test(case, found.error)
    about = f"Found by fuzzing with seed {seed}: {found.error.splitlines()[0][:200]}"
    text = f'r"""{about}"""\n\n{body}'
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test_repro_{hashlib.sha256(body.encode()).hexdigest()[:8]}.py"
    path.write_text(text)
    return path


def _graph_test(case: Case, error: str) -> str:
    in_rtl = "RTL" in error or "simulation" in error
    call = f"agree_in_rtl(graph, codes, {case.stalls}, tmp_path)"
    return f'''import numpy as np

from fuzzing.agreement import agree, agree_in_rtl
from hwgen.graph.serialize import loads

GRAPH = r"""{dumps(case.graph)}"""
CODES = {case.codes.tolist()}


def test_repro(tmp_path):
    graph, codes = loads(GRAPH), np.array(CODES)
    agree(graph, codes)
    {call if in_rtl else "#" + call}
'''


def _source_test(case: SourceCase) -> str:
    return f'''from google.protobuf.json_format import Parse
from onnx import ModelProto

from fuzzing.agreement import agree_with_source

MODEL = r"""{MessageToJson(case.model)}"""


def test_repro():
    agree_with_source(Parse(MODEL, ModelProto()), exact={case.exact}, seed={case.seed})
'''
