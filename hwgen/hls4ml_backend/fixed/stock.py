"""hls4ml's own Vitis project of a model, with no code of hwgen's in it: packed, and run."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hls4ml
import numpy as np

from hwgen.hls4ml_backend.csim import BUILD_SCRIPT, compile_project, require_compiler, with_stack
from hwgen.hls4ml_backend.vitis import PROJECT
from hwgen.num.inttype import FloatArray

_CONFIG = "hls4ml_config.yml"
_HERE = "PROJECT_DIRECTORY"  # in a packed project, for the directory that it is unpacked to
_STAMP = "PROJECT_STAMP"  # for a hash of it: no process loads two libraries of one name
_LEFT_OUT = ("KerasModel", "PytorchModel", "InputShape")  # no plain values, and not needed


def pack_stock(model: Any) -> bytes:
    """Return what ``model``, a ModelGraph of the Vitis backend, writes: a .tar.gz, always alike."""
    kept = model.config.config
    packed = io.BytesIO()
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        plain = {key: value for key, value in kept.items() if key not in _LEFT_OUT}
        plain |= {"OutputDir": folder, "ProjectName": PROJECT, "Stamp": _STAMP}
        plain["HLSConfig"] = {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1}}
        try:
            model.config.config = plain
            hls4ml.backends.get_backend("Vitis").writer.write_hls(model)
        finally:
            model.config.config = kept
        config = Path(folder) / _CONFIG
        config.write_text(config.read_text().replace(folder, _HERE))
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            for path in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
                entry = tarfile.TarInfo(str(path.relative_to(folder)))
                entry.size, entry.mode = (
                    path.stat().st_size,
                    0o755 if path.suffix == ".sh" else 0o644,
                )
                archive.addfile(entry, io.BytesIO(path.read_bytes()))
    return packed.getvalue()


def run_stock(packed: bytes, folder: Path, x: np.ndarray, values: int) -> FloatArray:
    """Return what hls4ml's C simulation of a packed project answers, (batch, outputs).

    folder  where it is unpacked and compiled
    x       (batch, ...) real inputs, in the model's order
    values  in all the layers of one frame, about: what the C++ puts on the stack
    raises  ToolNotFound  without g++;  ToolFailed  if it does not compile
    """
    require_compiler()
    folder = folder.resolve()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    stamp = hashlib.sha256(packed).hexdigest()[:16]
    for path in (folder / _CONFIG, folder / BUILD_SCRIPT):
        path.write_text(path.read_text().replace(_HERE, str(folder)).replace(_STAMP, stamp))
    project = hls4ml.utils.link.FilesystemModelGraph(folder)
    compile_project(folder, project.compile)
    rows = np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.float64)
    y = with_stack(values, lambda: project.predict(rows))
    return np.asarray(y, dtype=np.float64).reshape(len(x), -1)
