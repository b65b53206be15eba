"""Cells of the conversion matrix: factors, a pairwise sample, and a Brevitas model for each.

A model is quantizer, layer, activation, layer: both layers and the activation take their factors
from the cell, so that every choice also feeds the next layer.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
from dataclasses import dataclass, fields, replace
from pathlib import Path

import brevitas.nn as qnn
import brevitas.quant as bq
import brevitas.quant.fixed_point as po2
import numpy as np
import torch
from brevitas.export import export_qonnx
from torch import nn

BITS = ("1", "2", "3", "4", "5", "6", "7", "8", "10", "16")
FACTORS: dict[str, tuple[str, ...]] = {
    "layer": ("mlp", "conv1d", "conv2d", "depthwise"),
    "weight_scale": ("po2", "float"),
    "weight_scales": ("per tensor", "per channel"),
    "weight_bits": BITS,
    "act_scale": ("po2", "float"),
    "bias": ("none", "float", "quantized"),
    "batch_norm": ("none", "before", "after"),
    "activation": ("relu", "identity", "unsigned identity", "hardtanh", "sigmoid", "tanh",
                   "leaky relu", "prelu", "gelu"),
    "act_bits": BITS,
    "zero_point": ("zero", "asymmetric"),
    "rounding": ("ROUND", "FLOOR", "CEIL", "ROUND_TO_ZERO"),
    "narrow": ("no", "yes"),
    "exporter": ("script", "dynamo"),
}  # fmt: skip
_UNSIGNED = ("relu", "unsigned identity", "sigmoid")
EXPORTERS = {"script": {"dynamo": False, "opset_version": 13}, "dynamo": {"dynamo": True}}
_CHANNELS = 6
_OUTPUTS = 4
SHAPES = {"mlp": (10,), "conv1d": (3, 9), "conv2d": (3, 6, 5), "depthwise": (_CHANNELS, 6, 5)}


@dataclass(frozen=True)
class Cell:
    """One value per factor; the plain case is the default."""

    layer: str = "mlp"
    weight_scale: str = "po2"
    weight_scales: str = "per tensor"
    weight_bits: str = "4"
    act_scale: str = "po2"
    bias: str = "none"
    batch_norm: str = "none"
    activation: str = "relu"
    act_bits: str = "4"
    zero_point: str = "zero"
    rounding: str = "ROUND"
    narrow: str = "no"
    exporter: str = "script"

    @property
    def signed(self) -> bool:
        """Whether the activation quantizer has negative codes."""
        return self.zero_point == "zero" and self.activation not in _UNSIGNED

    @property
    def dyadic(self) -> bool:
        """Whether float32 computes every value exactly: no rounding, so no tie may differ."""
        curved = self.activation in ("sigmoid", "tanh", "leaky relu", "prelu", "gelu")
        plain = self.weight_scale == self.act_scale == "po2" and self.batch_norm == "none"
        return plain and self.bias != "float" and not curved

    def __str__(self) -> str:
        plain = Cell()
        odd = [getattr(self, f.name) for f in fields(self) if
               getattr(self, f.name) != getattr(plain, f.name)]  # fmt: skip
        return ", ".join(odd) or "plain"


def impossible(cell: Cell) -> str:
    """Return why there is no such model, or no export of it; "" if there is."""
    if cell.weight_bits == "1" and cell.weight_scales == "per channel":
        return "binary weights of Brevitas have one constant scale"
    if cell.act_bits == "1" and not cell.signed:
        return "Brevitas 0.13.4 writes an unsigned bit as a sign, so its export is not its model"
    if cell.act_bits == "1" and (cell.narrow == "yes" or cell.rounding != "ROUND"):
        return "a sign has no narrow range and is not rounded"
    return ""


# ---- sampling -----------------------------------------------------------------------------------
def singles() -> list[Cell]:
    """Return the plain cell and every cell that differs from it in one factor.

    A value that does not go with ReLU comes with the identity.
    """
    plain = Cell()
    odd = [
        replace(plain, **{name: value})
        for name, values in FACTORS.items()
        for value in values
        if value != getattr(plain, name)
    ]
    return [plain, *(replace(c, activation="identity") if impossible(c) else c for c in odd)]


def pairwise(seed: int = 0) -> list[Cell]:
    """Return cells in which every possible pair of values of two factors occurs.

    Greedy: each cell starts from a pair that is missing and takes, factor by factor, the possible
    value that covers most missing pairs, the first in a random order where several do.
    """
    rng = np.random.default_rng(seed)
    missing = [
        {a: x, b: y}
        for a, b in itertools.combinations(FACTORS, 2)
        for x, y in itertools.product(FACTORS[a], FACTORS[b])
    ]
    cells = []
    while missing:
        cell = _completed(missing.pop(0), missing, rng)
        if cell is not None:
            cells.append(cell)
            missing = [m for m in missing if any(getattr(cell, f) != v for f, v in m.items())]
    return cells


def _completed(
    chosen: dict[str, str], missing: list[dict[str, str]], rng: np.random.Generator
) -> Cell | None:
    """Return a possible cell with the chosen values, or None."""
    pairs = {frozenset(pair.items()) for pair in missing}
    values = {**chosen}
    for name in map(str, rng.permutation([f for f in FACTORS if f not in chosen])):
        options = [
            {**values, name: str(v)}
            for v in rng.permutation(FACTORS[name])
            if not impossible(Cell(**{"activation": "identity", **values, name: str(v)}))
        ]
        if not options:
            return None
        gains = [sum(frozenset({(name, o[name]), v}) in pairs for v in values.items())
                 for o in options]  # fmt: skip
        values = options[int(np.argmax(gains))]
    cell = Cell(**values)
    return None if impossible(cell) else cell


# ---- models -------------------------------------------------------------------------------------
def brevitas_model(cell: Cell, seed: int = 0) -> nn.Module:
    """Return the calibrated Brevitas model of a cell, in eval mode."""
    torch.manual_seed(seed)
    entry = _quantizer("Int8", cell.act_scale)
    model = nn.Sequential(
        qnn.QuantIdentity(act_quant=entry, bit_width=6, return_quant_tensor=True),
        _layer(cell, SHAPES[cell.layer][0], _CHANNELS),
        *([_batch_norm(cell)] if cell.batch_norm == "before" else []),
        _activation(cell),
        *([_batch_norm(cell), _identity(cell)] if cell.batch_norm == "after" else []),
        _layer(cell, _CHANNELS, _CHANNELS if cell.layer == "depthwise" else _OUTPUTS),
    )
    model.train()
    with torch.no_grad():
        for _ in range(5):
            model(torch.randn(64, *SHAPES[cell.layer]))
    return model.eval()


def _layer(cell: Cell, inputs: int, outputs: int) -> nn.Module:
    options: dict[str, object] = {"bias": cell.bias != "none"}
    if cell.bias == "quantized":
        options["bias_quant"] = bq.Int16Bias
    if cell.weight_bits == "1":
        scale = 0.125 if cell.weight_scale == "po2" else 0.1
        options |= {
            "weight_quant": bq.SignedBinaryWeightPerTensorConst,
            "weight_scaling_init": scale,
        }
    else:
        where = "PerChannel" if cell.weight_scales == "per channel" else "PerTensor"
        kind, home = ("FixedPoint", po2) if cell.weight_scale == "po2" else ("Float", bq)
        options["weight_quant"] = getattr(home, f"Int8Weight{where}{kind}")
        options["weight_bit_width"] = int(cell.weight_bits)
    if cell.layer == "mlp":
        return qnn.QuantLinear(inputs, outputs, **options)
    make = qnn.QuantConv1d if cell.layer == "conv1d" else qnn.QuantConv2d
    groups = inputs if cell.layer == "depthwise" else 1
    return make(inputs, outputs, 3, padding=1, stride=1, groups=groups, **options)


def _quantizer(kind: str, scale: str) -> type:
    return getattr(bq, f"{kind}ActPerTensor{'FixedPoint' if scale == 'po2' else 'Float'}")


def _options(cell: Cell) -> dict[str, object]:
    if cell.act_bits == "1" and cell.signed:
        scale = 0.5 if cell.act_scale == "po2" else 0.6
        return {"act_quant": bq.SignedBinaryActPerTensorConst, "scaling_init": scale,
                "return_quant_tensor": True}  # fmt: skip
    kind = "Int8" if cell.signed else "Uint8" if cell.zero_point == "zero" else "ShiftedUint8"
    return {
        "act_quant": _quantizer(kind, cell.act_scale),
        "bit_width": int(cell.act_bits),
        "narrow_range": cell.narrow == "yes",
        "float_to_int_impl_type": cell.rounding,
        "return_quant_tensor": True,
    }


def _identity(cell: Cell) -> nn.Module:
    return qnn.QuantIdentity(**_options(cell))


def _activation(cell: Cell) -> nn.Module:
    options = _options(cell)
    match cell.activation:
        case "relu":
            return qnn.QuantReLU(**options)
        case "identity" | "unsigned identity":
            return qnn.QuantIdentity(**options)
        case "hardtanh":
            top = 1.0 if cell.act_scale == "po2" else 1.1
            return qnn.QuantHardTanh(min_val=-top, max_val=top, **options)
        case "sigmoid":
            return qnn.QuantSigmoid(**options)
        case "tanh":
            return qnn.QuantTanh(**options)
        case "leaky relu":
            curve: nn.Module = nn.LeakyReLU(0.1)
        case "prelu":
            curve = nn.PReLU(_CHANNELS)
            with torch.no_grad():
                curve.weight.copy_(torch.linspace(-0.4, 0.6, _CHANNELS))
        case _:
            curve = nn.GELU()
    return nn.Sequential(curve, qnn.QuantIdentity(**options))


def _batch_norm(cell: Cell) -> nn.Module:
    kind = nn.BatchNorm2d if cell.layer in ("conv2d", "depthwise") else nn.BatchNorm1d
    norm = kind(_CHANNELS)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(_CHANNELS))
        norm.bias.copy_(torch.randn(_CHANNELS) / 2)
    return norm


def export(cell: Cell, model: nn.Module, path: Path) -> Path:
    """Write the model as QONNX with the exporter of the cell."""
    sample = torch.zeros(1, *SHAPES[cell.layer])
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        export_qonnx(model, args=sample, export_path=str(path), **EXPORTERS[cell.exporter])
    logging.disable(logging.NOTSET)
    return path
