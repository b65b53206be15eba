import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from build_directory import write_build


@pytest.fixture
def build(tmp_path):
    return partial(write_build, tmp_path / "kws")
