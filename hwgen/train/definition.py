"""Networks defined by a ``net.py``: a folder of ``models/`` with INPUT_SHAPE and ``build()``."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from hwgen.errors import HwgenError

FILE = "net.py"


class DefinitionError(HwgenError):
    """A folder holds no network definition."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One network; ``parameters``: as published, see :func:`hwgen.train.blocks.parameters`."""

    file: Path
    input_shape: tuple[int, ...]
    parameters: int
    module: ModuleType

    def build(self) -> nn.Module:
        """Return the untrained network."""
        network: nn.Module = self.module.build()
        return network


def load_definition(model: str | Path) -> Definition:
    """Return the network of a folder, or of ``models/<name>``.

    raises  DefinitionError  no net.py there, or one without build()
    """
    for folder in (Path(model), Path("models") / model):
        if (folder / FILE).is_file():
            return _definition(folder / FILE)
    raise DefinitionError(
        f"model {model}: no {FILE} in {Path(model)} or {Path('models') / model}; give the folder "
        "of a network, for example models/resnet8."
    )


def load_module(path: Path) -> ModuleType:
    """Return the Python module in a file."""
    spec = importlib.util.spec_from_file_location(f"hwgen_model_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save_network(module: nn.Module, definition: Definition, folder: Path) -> Path:
    """Write ``model.pt`` and the definition it belongs to; returns the checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(definition.file, folder / FILE)
    torch.save(module.state_dict(), folder / "model.pt")
    return folder / "model.pt"


def load_network(checkpoint: Path) -> nn.Module:
    """Return the network of a ``model.pt`` with its ``net.py`` beside it, in eval mode."""
    network = load_definition(checkpoint.parent).build()
    network.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu"))
    return network.eval()


def _definition(file: Path) -> Definition:
    module = load_module(file)
    try:
        return Definition(file, tuple(module.INPUT_SHAPE), module.PARAMETERS, module)
    except AttributeError as error:
        raise DefinitionError(
            f"{file}: {error}; a network definition has INPUT_SHAPE, PARAMETERS and build()."
        ) from None
