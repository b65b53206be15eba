import os
from importlib import resources
from importlib.util import find_spec

import pytest


@pytest.fixture
def write_design(tmp_path):
    """Return ``write(top)``: a folder with ``top.sv`` and the RTL library around it."""
    if find_spec("pyosys") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("pyosys not found")

    def write(top):
        folder = tmp_path / "rtl"
        folder.mkdir()
        for source in resources.files("hwgen").joinpath("rtl").iterdir():
            if source.name.endswith(".sv"):
                (folder / source.name).write_text(source.read_text())
        (folder / "top.sv").write_text(top)
        return folder

    return write
