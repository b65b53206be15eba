"""Your own Brevitas model, from PyTorch to proved hardware.

    python examples/own_model.py build/own
    hwgen verify build/own/accelerator

Any chain of dense layers works: per-tensor or per-channel float scales, 1 to 8 bits, batch norm.
"""

import sys
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat
from torch import nn

from hwgen import flow


def model() -> nn.Sequential:
    """Return a 16-32-5 classifier of 4-bit weights and activations, as Brevitas users write it."""
    dense = {"bias": False, "weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": 4}
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantLinear(16, 32, **dense),
        nn.BatchNorm1d(32),
        qnn.QuantReLU(bit_width=4),
        qnn.QuantLinear(32, 5, **dense),
    )


def train(net: nn.Module, steps: int = 300) -> None:
    """Learn to tell which fifth of the inputs has the largest sum."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(steps):
        x = torch.randn(256, 16)
        y = x[:, :15].reshape(-1, 5, 3).sum(dim=2).argmax(dim=1)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()


def main(folder: Path) -> None:
    """Train, export, build, and run 100 inputs through the hardware."""
    torch.manual_seed(0)
    net = model()
    train(net.train())
    net.eval()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    export_qonnx(
        net, torch.randn(1, 16), export_path=str(path), dynamo=False, opset_version=13
    )  # torch's newer exporter (dynamo) writes some layers in a way that qonnx 1.0.0 cannot read
    built = flow.build(path, folder / "accelerator", target_cycles=16)
    x = np.random.default_rng(0).normal(size=(100, 16)).astype(np.float32)
    hardware = flow.run(built, x, "rtl")
    software = net(torch.from_numpy(x)).detach().numpy()
    print(f"largest difference, hardware to PyTorch: {np.abs(hardware - software).max():.2g}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
