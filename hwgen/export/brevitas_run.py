"""Run a Brevitas model in batches and read the integers behind its activations."""

from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from brevitas.proxy import ActQuantProxyFromInjector
from brevitas.quant_tensor import QuantTensor
from torch import nn

FloatArray = npt.NDArray[np.float32]
CHUNK = 4096  # inputs per forward pass


def brevitas_outputs(module: nn.Module, x: FloatArray) -> FloatArray:
    """Return the model's float output, (batch, outputs) float32."""
    with torch.no_grad():
        parts = [_plain(module(torch.from_numpy(part))) for part in _chunks(x)]
    return np.concatenate([part.numpy() for part in parts])


def brevitas_activations(module: nn.Module, x: FloatArray) -> list[tuple[str, FloatArray]]:
    """Return the values after every activation quantizer, in the order of execution.

    They lie on the quantizer's grid. The quantizer on the input comes first. Names are those of the
    layers in the module; one that branches share comes once for every use.
    returns  (name, (batch, ...) float32) per quantizer
    """
    used: list[tuple[str, FloatArray]] = []
    hooks = [
        proxy.register_forward_hook(partial(_collect, used, name.rpartition(".")[0]))
        for name, proxy in module.named_modules()
        if isinstance(proxy, ActQuantProxyFromInjector) and proxy.is_quant_enabled
    ]
    runs = []
    try:
        for part in _chunks(x):
            brevitas_outputs(module, part)
            runs.append(used.copy())
            used.clear()
    finally:
        for hook in hooks:
            hook.remove()
    together = zip(*runs, strict=True)
    return [(uses[0][0], np.concatenate([values for _, values in uses])) for uses in together]


def _collect(
    used: list[tuple[str, FloatArray]], name: str, _: nn.Module, inputs: object, output: QuantTensor
) -> None:
    used.append((name, _plain(output).numpy()))


def _chunks(x: FloatArray) -> list[FloatArray]:
    return [x[start : start + CHUNK] for start in range(0, len(x), CHUNK)]


def _plain(output: torch.Tensor | QuantTensor) -> torch.Tensor:
    return output.value if isinstance(output, QuantTensor) else output
