"""What a build directory holds, as far as it is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from hwgen.errors import HwgenError

Arrays = dict[str, npt.NDArray[Any]]

# file -> the command that writes it
WRITTEN_BY = {
    "manifest.json": "hwgen build FILE.onnx --out DIR",
    "metrics.json": "hwgen train MODEL --out DIR",
    "det.json": "hwgen train MODEL --out DIR",
    "weights.npz": "hwgen train MODEL --out DIR",
    "verify.json": "hwgen verify DIR",
    "synth.json": "hwgen synth DIR",
}


_OF_TRAINING = ("metrics.json", "det.json", "weights.npz")
_PARTS = {  # what a report cannot do without
    "manifest.json": "layers", "metrics.json": "summary", "verify.json": "witnesses",
    "synth.json": "modules",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """The content of each file, None where the file is missing."""

    directory: Path
    manifest: dict[str, Any] | None
    metrics: dict[str, Any] | None
    det: list[dict[str, Any]] | None
    weights: Arrays | None
    verify: dict[str, Any] | None
    synth: dict[str, Any] | None

    @property
    def trained(self) -> bool:
        """Whether hwgen trained the model: a model of others has no training to show."""
        return any(value is not None for value in (self.metrics, self.det, self.weights))

    @property
    def missing(self) -> list[str]:
        """The names of the missing files."""
        absent = [name for name in WRITTEN_BY if getattr(self, name.split(".")[0]) is None]
        return [name for name in absent if self.trained or name not in _OF_TRAINING]


def read_evidence(directory: Path) -> Evidence:
    """Return what ``directory`` holds; raises HwgenError if that is nothing, or is damaged."""
    found = {name.split(".")[0]: _read(directory / name) for name in WRITTEN_BY}
    if all(value is None for value in found.values()):
        raise HwgenError(
            f"{directory}: no manifest.json, so this is not a build directory, and nothing of a "
            f"training is there; start with {WRITTEN_BY['manifest.json']}."
        )
    return Evidence(directory, **found)


def _read(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        value = json.loads(path.read_text(encoding="utf-8"))
        part = _PARTS.get(path.name)
        if part and not (isinstance(value, dict) and part in value):
            raise ValueError(f"it has no {part!r}")
        return value
    except (ValueError, EOFError, OSError, BadZipFile) as error:
        raise HwgenError(
            f"{path}: cannot be read ({error}); write it again with {WRITTEN_BY[path.name]}."
        ) from None
