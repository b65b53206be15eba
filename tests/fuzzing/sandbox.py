"""``hwgen build`` on hostile files, each in a process of its own with limits."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from fuzzing.hostile import HOSTILE, mutated, valid
from hwgen.cli import main

SECONDS = 10
RESIDENT_BYTES = 3 << 29  # 1.5 GB
_ADDRESS_BYTES = 8 << 30


def survive(seed: int, count: int, out: Path) -> list[str]:
    """Return what went wrong on ``count`` mutated files and all hostile ones; it is kept in out."""
    rng = np.random.default_rng(seed)
    files = {name: make() for name, make in HOSTILE.items()}
    files |= {f"mutation {i} of seed {seed}": mutated(rng) for i in range(count)}
    wrong = []
    for name, data in files.items():
        said = attempt(data)
        if said:
            out.mkdir(parents=True, exist_ok=True)
            path = out / f"hostile_{hashlib.sha256(data).hexdigest()[:8]}.onnx"
            path.write_bytes(data)
            wrong.append(f"{name}: {said} ({path})")
    return wrong


def attempt(data: bytes, suffix: str = ".onnx") -> str:
    """Return "" if ``hwgen build`` makes a build or prints one paragraph, else what it did."""
    _warm_up()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "stderr")
        file = Path(folder, f"model{suffix}")
        file.write_bytes(data)
        child = os.fork()
        if child == 0:
            _build_and_exit(file, said)
        _, status, usage = os.wait4(child, 0)
        code, text = os.waitstatus_to_exitcode(status), said.read_text(errors="replace")
    resident = usage.ru_maxrss * 1024
    if resident > RESIDENT_BYTES:
        return f"{resident:,} bytes resident"
    if code == 0 or (code == 2 and text.startswith("hwgen: error: ") and text.count("\n") == 1):
        return ""
    return f"exit status {code}: {text[-2000:]}"


def _build_and_exit(file: Path, said: Path) -> None:
    """Run the command in this process and end it, whatever happens."""
    code = 1
    with said.open("w") as stderr, Path(os.devnull).open("w") as stdout:
        try:
            sys.stderr, sys.stdout = stderr, stdout
            os.dup2(stderr.fileno(), 2)
            os.dup2(stdout.fileno(), 1)
            resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills, in C code too
            signal.alarm(SECONDS)
            code = main(["build", str(file), "--out", str(file.parent / "out")])
        except BaseException:
            traceback.print_exc()
        finally:
            stderr.flush()
            os._exit(code)


_warm: list[bool] = []


def _warm_up() -> None:
    """Import all that a build imports, so that children need not."""
    if _warm:
        return
    _warm.append(True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.onnx").write_bytes(valid().SerializeToString())
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["build", f"{folder}/model.onnx", "--out", f"{folder}/out"]) == 0
