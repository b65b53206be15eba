"""The import direction and the size caps that keep the code readable."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES = {".py": 400, ".cpp": 400, ".sv": 200}
FOLDERS = ["hwgen", "models", "tests", "rtl_tests", "examples", "benchmarks"]


def test_imports_go_one_way():
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_files_stay_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in MAX_LINES
        and "golden" not in path.parts
        and (lines := len(path.read_text().splitlines())) > MAX_LINES[path.suffix]
    }
    assert long == {}
