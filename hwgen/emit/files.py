"""Write a build directory: all of it or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from hwgen.emit.top import Design, padded_bytes
from hwgen.errors import OutputError

MANIFEST = "manifest.json"
WAVEFORM = "mismatch.vcd"
_MARKER = ".hwgen"  # lists what hwgen wrote into a folder; it replaces nothing else
# Stale after a rebuild:
_EVIDENCE = ("verify.json", WAVEFORM, "synth.json", "report.html", "report.json")


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``out`` when the block ends without an error.

    What an earlier call wrote there goes; the compiled simulators and a user's files stay.
    raises  OutputError  ``out`` cannot be written, or holds something that hwgen did not build
    """
    out = out.resolve()
    if out == Path.cwd():
        raise OutputError(f"{out}: is the current folder; name a folder in it as --out.")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not _is_build(out))):
        raise OutputError(
            f"{out}: exists and is not a hwgen build directory; it is left as it is. Choose "
            "another --out, or remove it."
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); choose another --out or fix the "
            "permissions of its parent folder."
        ) from None
    try:
        yield stage
        written = sorted(path.name for path in stage.iterdir())
        (stage / _MARKER).write_text("".join(f"{name}\n" for name in written))
        _swap(stage, out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_rtl(design: Design, rtl: Path) -> None:
    """Write ``top.sv``, the memory images and the modules of the RTL library into ``rtl``."""
    rtl.mkdir()
    (rtl / "top.sv").write_text(design.text)
    for name, lines in design.memories.items():
        (rtl / name).write_text("\n".join(lines) + "\n")
    for source in resources.files("hwgen").joinpath("rtl").iterdir():
        if source.name.endswith(".sv"):
            (rtl / source.name).write_text(source.read_text())


def stream_facts(design: Design) -> dict[str, Any]:
    """Return the manifest entries that describe the top's streams."""

    def facts(name: str) -> dict[str, Any]:
        stream = getattr(design, name)
        return {
            "lanes": stream.lanes, "bits": stream.type.bits, "signed": stream.type.signed,
            "beats": stream.beats, "bytes": padded_bytes(stream),
        }  # fmt: skip

    probes = [
        {"name": p.name, "lanes": p.lanes, "bits": p.type.bits, "signed": p.type.signed,
         "beats": p.beats}
        for p in design.probes
    ]  # fmt: skip
    return {"input": facts("input"), "output": facts("output"), "probes": probes}


def write_json(path: Path, value: Any) -> None:
    """Write readable, deterministic JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n")


def _is_build(folder: Path) -> bool:
    return (folder / _MARKER).is_file()


def _swap(stage: Path, out: Path) -> None:
    stage.chmod(0o755)
    if not out.exists():
        stage.rename(out)
        return
    if _is_build(out):
        ours = {*(out / _MARKER).read_text().splitlines(), *_EVIDENCE, _MARKER}
        for path in out.iterdir():
            if path.name not in ours and not (stage / path.name).exists():
                path.rename(stage / path.name)
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
    out.rename(old / "build")
    stage.rename(out)
    shutil.rmtree(old, ignore_errors=True)
