"""The checkpoint that the next stage reads: a deployed network, rebuilt without its data."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from hwgen.errors import OutputError
from hwgen.train.definition import FILE, load_network
from hwgen.train.network import SquashedMlp, deploy, deployed_layers
from hwgen.train.precision import Precision, Steps


def save_model(net: SquashedMlp, path: Path) -> None:
    """Write the deployed form of a fully quantized network to ``path``."""
    assert net.steps is not None, "only a calibrated network can be deployed"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "widths": list(net.widths),
        "precision": asdict(net.precision),
        "steps": asdict(net.steps),
        "state": deploy(net).state_dict(),
    }
    torch.save(content, path)


def load_model(path: str | Path) -> nn.Module:
    """Return the deployed network of a ``model.pt`` in eval mode: stock Brevitas layers.

    A ``net.py`` beside it defines the network; without one it is that of ``hwgen train``.

    raises  OutputError if the file is not there
    """
    if not Path(path).is_file():
        raise OutputError(f"{path}: no such checkpoint; train first: hwgen train MODEL --out DIR")
    if (Path(path).parent / FILE).is_file():
        return load_network(Path(path))
    content = torch.load(path, weights_only=True, map_location="cpu")
    precision, steps = Precision(**content["precision"]), Steps(**content["steps"])
    net = deployed_layers(content["widths"], precision, steps)
    net.load_state_dict(content["state"])
    return net.eval()
