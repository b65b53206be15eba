"""The layers as Yosys understands them pass the benches of the layers.

``read_verilog -sv`` miscompiles some SystemVerilog without a word; this is the guard.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import test_hw_add
import test_hw_argmax
import test_hw_dense
import test_hw_requant
import test_hw_threshold
import test_hw_upsample
from conftest import SOURCES

YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


@pytest.fixture
def simulate_gates(simulate, tmp_path):
    """Return ``simulate`` with a synthesis of the module in front."""
    if find_spec("pyosys") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("pyosys not found")

    def run(top, bench, *, memories=None, vectors=None, **parameters):
        for name, lines in (memories or {}).items():
            (tmp_path / name).write_text("\n".join(lines) + "\n")
        sets = " ".join(f"-set {name} {_constant(value)}" for name, value in parameters.items())
        commands = [
            f"read_verilog -sv -defer {' '.join(map(str, SOURCES))}",
            f"chparam {sets} {top}",
            f"prep -flatten -top {top}; memory_map; opt -full",
            "write_verilog -noattr netlist.v",
        ]
        subprocess.run(
            [sys.executable, "-c", YOSYS, *commands], cwd=tmp_path, check=True, capture_output=True
        )
        simulate(top, bench, vectors=vectors, netlist=tmp_path / "netlist.v")

    return run


def _constant(value) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"32'b{int(value) % 2**32:b}"  # chparam reads no minus sign


@pytest.mark.parametrize("order", ["row", "column"])
@pytest.mark.parametrize("fold", [test_hw_dense.FOLDS[0], test_hw_dense.FOLDS[3]], ids=str)
def test_dense(simulate_gates, order, fold):
    test_hw_dense.check(simulate_gates, order, fold)


def test_threshold(simulate_gates):
    test_hw_threshold.test_hw_threshold(simulate_gates, test_hw_threshold.CASES[3])


def test_requant(simulate_gates):
    test_hw_requant.test_hw_requant(simulate_gates, test_hw_requant.CASES[0])


def test_argmax(simulate_gates):
    test_hw_argmax.test_hw_argmax(simulate_gates, test_hw_argmax.CASES[2])


def test_add(simulate_gates):
    test_hw_add.test_hw_add(simulate_gates, test_hw_add.CASES[4])


@pytest.mark.parametrize("case", [1, 6], ids=["nearest", "apart"])
def test_upsample(simulate_gates, case):
    test_hw_upsample.test_hw_upsample(simulate_gates, test_hw_upsample.CASES[case])
