import os
import shutil
from pathlib import Path

import pytest

from hwgen.errors import ToolNotFound
from hwgen.sim.verilator import find_verilator

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def rtl(tmp_path_factory) -> Path:
    """Return a folder with the library and the tops of this folder."""
    try:
        find_verilator()
    except ToolNotFound as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("rtl")
    for source in [*(HERE.parents[1] / "hwgen" / "rtl").glob("*.sv"), *HERE.glob("*.sv")]:
        shutil.copy(source, folder)
    return folder
