"""Build one RTL module with Verilator and run cocotb tests on it."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.runner import get_results, get_runner

from hwgen.errors import ToolNotFound
from hwgen.sim.verilator import BUILD_ARGS, environment

HERE = Path(__file__).parent
SOURCES = sorted([*(HERE.parent / "hwgen" / "rtl").glob("*.sv"), *HERE.glob("*.sv")])
sys.path.insert(0, str(HERE))  # for the benches; the runner passes sys.path on


@pytest.fixture
def simulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return ``run(top, bench, memories=..., vectors=..., **parameters)``.

    It builds ``top`` from the library, or from a synthesised ``netlist`` of it, writes the memory
    images next to it and the named arrays to ``vectors.npz``, and runs every cocotb test of the
    file ``bench``.
    """
    try:
        for name, value in environment().items():
            monkeypatch.setenv(name, value)
    except ToolNotFound as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))

    def run(
        top: str,
        bench: str,
        *,
        memories: Mapping[str, list[str]] | None = None,
        vectors: Mapping[str, object] | None = None,
        netlist: Path | None = None,
        **parameters: object,
    ) -> None:
        for name, lines in (memories or {}).items():
            (tmp_path / name).write_text("\n".join(lines) + "\n")
        checks = ["-Wno-fatal"] if netlist else ["-Wall"]
        np.savez(tmp_path / "vectors.npz", **(vectors or {}))
        runner = get_runner("verilator")
        runner.build(
            sources=[netlist] if netlist else SOURCES,
            hdl_toplevel=top,
            parameters={name: _literal(value) for name, value in parameters.items()},
            build_args=["--assert", *checks, "-CFLAGS", "-O1", *BUILD_ARGS],
            build_dir=tmp_path / "build",
            log_file=tmp_path / "build.log",
        )
        results = runner.test(
            hdl_toplevel=top,
            test_module=bench,
            build_dir=tmp_path / "build",
            test_dir=tmp_path,
            results_xml=str(tmp_path / "results.xml"),
        )
        tests, failed = get_results(results)  # outside pytest, test() ends with 0 all the same
        assert tests > 0
        assert failed == 0

    return run


def _literal(value: object) -> object:
    return f'"{value}"' if isinstance(value, str) else int(value)  # type: ignore[call-overload]
