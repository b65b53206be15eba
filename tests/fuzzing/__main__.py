"""``python -m fuzzing``: the nightly run; status 1, and a test file, where something fails."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from fuzzing.agreement import agree, agree_in_rtl, agree_in_whole, agree_with_source
from fuzzing.campaign import hunt, write_repro
from fuzzing.graphs import Case, cases, cases_of, structures
from fuzzing.models import SourceCase, models
from fuzzing.sandbox import survive

_CHUNK = 250  # cases of one hunt: its memory is bounded, and all processes have work
_WHOLE = 5  # models of one hunt that are built and verified; the first is the simplest
_STRUCTURES = 5  # compiled RTL structures of one hunt


@dataclass(frozen=True, slots=True)
class Task:
    """One hunt: what kind, which seed, how many cases."""

    kind: str
    seed: int
    cases: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task found."""

    task: Task
    passed: int
    failure: str = ""
    repro: Path | None = None


def main() -> int:
    """Run all hunts; returns the exit status."""
    args = _arguments()
    print(f"seed {args.seed}", flush=True)
    started, passed, failures = time.monotonic(), Counter[str](), 0
    with ProcessPoolExecutor(args.jobs) as pool:
        running = [pool.submit(_run, task, args.out) for task in _tasks(args)]
        for finished, done in enumerate(as_completed(running), start=1):
            outcome = done.result()
            if finished % 10 == 0:
                print(f"  {finished} of {len(running)} hunts", flush=True)
            passed[outcome.task.kind] += outcome.passed
            if outcome.failure:
                failures += 1
                print(f"FAILED {outcome.task}: {outcome.failure}\n  {outcome.repro}", flush=True)
    for kind, about in _KINDS.items():
        print(f"  {passed[kind]:>7} {about}")
    graphs = passed["model"] + passed["graph"]
    print(f"{graphs} graphs, {failures} mismatches, seed {args.seed}, "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    return 1 if failures else 0


_KINDS = {
    "model": "QONNX models: QONNX executor on both files, reference, C++ executor",
    "graph": "integer graphs: reference, C++ executor",
    "rtl": "integer graphs in RTL, at full rate and stalled",
    "whole": "QONNX models through hwgen verify: with hls4ml's C simulation and RTL",
    "file": "hostile files: a build or one paragraph",
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument("--graphs", type=int, default=10_000, help="half models, half graphs")
    parser.add_argument("--rtl", type=int, default=1_000, help="graphs in RTL")
    parser.add_argument("--whole", type=int, default=20, help="models through all of hwgen verify")
    parser.add_argument("--files", type=int, default=2_000, help="mutated and hostile files")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="reproducing tests")
    return parser.parse_args()


def _tasks(args: argparse.Namespace) -> Iterator[Task]:
    """Yield the slowest kinds first; every task has a seed of its own."""
    amounts = (
        ("whole", args.whole, _WHOLE), ("rtl", args.rtl, _CHUNK // 2), ("file", args.files, _CHUNK),
        ("model", (args.graphs + 1) // 2, _CHUNK), ("graph", args.graphs // 2, _CHUNK),
    )  # fmt: skip
    seed = args.seed
    for kind, total, chunk in amounts:
        for start in range(0, total, chunk):
            yield Task(kind, seed, min(chunk, total - start))
            seed += 1


def _run(task: Task, out: Path) -> Outcome:
    if task.kind == "file":
        failures = survive(task.seed, task.cases, out)
        return Outcome(task, task.cases - len(failures), "; ".join(failures), out)
    with tempfile.TemporaryDirectory() as cache:
        found = hunt(
            _strategy(task), lambda case: _check(task.kind, case, Path(cache)), seed=task.seed,
            cases=task.cases,
        )  # fmt: skip
    if found.failing is None:
        return Outcome(task, found.passed)
    return Outcome(task, found.passed, found.error, write_repro(found, task.seed, out))


def _strategy(task: Task) -> SearchStrategy[Any]:
    match task.kind:
        case "graph":
            return cases()
        case "rtl":
            return cases_of(structures(task.seed, _STRUCTURES, spatial=True), spatial=True)
        case _:
            return models()


def _check(kind: str, case: Case | SourceCase, cache: Path) -> None:
    if isinstance(case, SourceCase):
        agree_with_source(case.model, case.exact, case.seed)
        if kind == "whole":
            agree_in_whole(case.model, cache)
        return
    agree(case.graph, case.codes)
    if kind == "rtl":
        agree_in_rtl(case.graph, case.codes, case.stalls, cache)


if __name__ == "__main__":
    sys.exit(main())
