"""Odd Brevitas exports: exact, or an error that says where, why and what to do, in full."""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path

import brevitas.nn as qnn
import brevitas.quant as bq
import numpy as np
import pytest
import torch
from brevitas.export import export_onnx_qcdq, export_qonnx
from exact import assert_exact
from torch import nn

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.export import check_against_executor
from hwgen.streamline import streamline

SCRIPT = {"dynamo": False, "opset_version": 13}
DYNAMO = {"dynamo": True}
IMAGE, VECTOR, SEQUENCE = (2, 8, 8), (6,), (5, 6)
SIGN = {"act_quant": bq.SignedBinaryActPerTensorConst, "scaling_init": 1.0}
SHIFTED = {"act_quant": bq.ShiftedUint8ActPerTensorFloat}
_LOG = "torch.onnx"


def quant(**options):
    return qnn.QuantIdentity(return_quant_tensor=True, **options)


def relu(bits=4):
    return qnn.QuantReLU(bit_width=bits, return_quant_tensor=True)


def linear(inputs, outputs, **options):
    return qnn.QuantLinear(inputs, outputs, **{"bias": True, "weight_bit_width": 4, **options})


def conv(inputs, outputs, **options):
    return qnn.QuantConv2d(inputs, outputs, 3, **{"bias": True, "weight_bit_width": 4, **options})


def exported(model, shape, path, export=export_qonnx, batch=1, **options):
    torch.manual_seed(0)
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    inputs = tuple(torch.randn(16, *s) for s in shapes)
    model.train()(*inputs)
    model.eval()
    logging.getLogger(_LOG).setLevel(logging.CRITICAL)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        args = tuple(x[:batch] for x in inputs)
        export(model, args=args, export_path=str(path), **(options or SCRIPT))
    return path


def transposed(inputs, outputs, **options):
    return qnn.QuantConvTranspose2d(inputs, outputs, 3, bias=True, weight_bit_width=4, **options)


def plain(value):
    return getattr(value, "value", value)


class Skip(nn.Module):
    def __init__(self, inner, join=torch.add):
        super().__init__()
        self.inner, self.join = inner, join

    def forward(self, x):
        return self.join(plain(x), plain(self.inner(x)))


class Shared(nn.Module):
    """Both branches through one quantizer, and the sum, with a bit more, on to the next layer."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.one = inner, quant(bit_width=6)

    def forward(self, x):
        return self.one(self.inner(x)) + self.one(x)


class Beside(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([plain(branch(x)) for branch in self.branches], 1)


# ---- exact --------------------------------------------------------------------------------------
EXACT = {
    "dilated convolution": lambda: (conv(2, 4, dilation=2, padding=2), relu(), conv(4, 3)),
    "grouped convolution": lambda: (conv(2, 4), relu(), conv(4, 6, groups=2)),
    "average pool, then quantized": lambda: (
        conv(2, 4), relu(), nn.AvgPool2d(2), quant(), nn.Flatten(), linear(36, 3),
    ),
    "maximum pool": lambda: (conv(2, 4), relu(), nn.MaxPool2d(2), conv(4, 3)),
    "asymmetric activations": lambda: (linear(6, 4), quant(bit_width=4, **SHIFTED), linear(4, 3)),
    "asymmetric weights": lambda: (
        linear(6, 4, weight_quant=bq.ShiftedUint8WeightPerTensorFloat), relu(), linear(4, 3),
    ),
    "GELU": lambda: (linear(6, 4), nn.GELU(), quant(), linear(4, 3)),
    "unsigned identity": lambda: (
        linear(6, 4), quant(act_quant=bq.Uint8ActPerTensorFloat), linear(4, 3),
    ),
    "sigmoid": lambda: (
        linear(6, 4), qnn.QuantSigmoid(bit_width=4, return_quant_tensor=True), linear(4, 3),
    ),
    "10 bits": lambda: (linear(6, 4), relu(10), linear(4, 3)),
    "Gemm of two inputs": lambda: (linear(6, 4, bias=False), relu(), linear(4, 3, bias=False)),
    "fully connected, scale per channel": lambda: (
        linear(6, 4, weight_quant=bq.Int8WeightPerChannelFloat), relu(), linear(4, 3),
    ),
    "quantized output with its scale and zero point": lambda: (linear(6, 4), quant(bit_width=4)),
    "bipolar convolution with zero padding": lambda: (
        conv(2, 4), quant(**SIGN), conv(4, 3, padding=1),
    ),
    "transposed convolution": lambda: (
        transposed(2, 4, stride=2, padding=1, output_padding=1), relu(), conv(4, 3),
    ),
    "transposed convolution, depthwise": lambda: (
        conv(2, 4), relu(), transposed(4, 4, groups=4, stride=(1, 3)), relu(), conv(4, 3),
    ),
    "upsampling": lambda: (conv(2, 4), relu(), nn.Upsample(scale_factor=2), conv(4, 3, padding=1)),
    "skip around a quantized layer": lambda: (
        linear(6, 6), quant(), Skip(nn.Sequential(linear(6, 6), relu())), relu(), linear(6, 3),
    ),
    "skip around sums": lambda: (linear(6, 6), quant(), Skip(linear(6, 6)), relu(), linear(6, 3)),
    "skip around two convolutions, one quantizer": lambda: (
        conv(2, 4), relu(),
        Shared(nn.Sequential(conv(4, 4, padding=1), relu(), conv(4, 4, padding=1))), conv(4, 3),
    ),
    "difference of branches": lambda: (
        linear(6, 6), relu(), Skip(nn.Sequential(linear(6, 6), quant()), torch.sub), relu(),
        linear(6, 3),
    ),
    "three branches in a row of channels": lambda: (
        conv(2, 4), relu(),
        Beside(conv(4, 3, padding=1), qnn.QuantIdentity(bit_width=5), conv(4, 2, padding=1)),
        relu(), conv(9, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_exact(tmp_path, name):
    torch.manual_seed(1)
    layers = EXACT[name]()
    shape = VECTOR if isinstance(layers[0], qnn.QuantLinear) else IMAGE
    exporter = DYNAMO if name in ("GELU", "Gemm of two inputs") else SCRIPT
    path = exported(nn.Sequential(quant(), *layers), shape, tmp_path / "odd.onnx", **exporter)
    assert_exact(path)


# ---- refused ------------------------------------------------------------------------------------
class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.entry, self.left, self.right = quant(), linear(6, 4), linear(6, 4)

    def forward(self, x, y):
        return self.left(self.entry(x)) + self.right(self.entry(y))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.entry, self.lstm = quant(), qnn.QuantLSTM(6, 4, batch_first=True)

    def forward(self, x):
        return self.lstm(self.entry(x))[0]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.entry = quant()
        self.attention = qnn.QuantMultiheadAttention(6, 2, batch_first=True)

    def forward(self, x):
        x = self.entry(x)
        return self.attention(x, x, x)[0]


def chain(*layers):
    return nn.Sequential(quant(), *layers)


QCDQ = (
    "This is a QCDQ export; export the same model as QONNX, with brevitas.export.export_qonnx, "
    "which keeps every bit width and rounding."
)
BATCH_NORM = "train with batch norm, whose constants fold into the next quantizer."
REFUSED = {
    "truncating average pool": (
        lambda: chain(conv(2, 4), relu(), qnn.TruncAvgPool2d(2, float_to_int_impl_type="floor")),
        IMAGE, SCRIPT, UnsupportedOp,
        "/3/trunc_quant/export_handler/Trunc: op Trunc has no integer form here. Pool with "
        "AvgPool2d and put a quantizer (QuantIdentity) after it.",
    ),
    "layer norm, in parts": (
        lambda: chain(linear(6, 4), nn.LayerNorm(4), quant()), VECTOR, SCRIPT, UnsupportedOp,
        "/2/ReduceMean: ReduceMean of a vector [1, 4], as in a layer norm; hwgen takes means over "
        "the positions of an image. T" + BATCH_NORM[1:],
    ),
    "layer norm": (
        lambda: chain(linear(6, 4), nn.LayerNorm(4), quant()), VECTOR, DYNAMO, UnsupportedOp,
        "node_layer_norm: op LayerNormalization has no integer form here. It needs statistics of "
        "each frame; " + BATCH_NORM,
    ),
    "instance norm": (
        lambda: chain(conv(2, 4), nn.InstanceNorm2d(4), quant()), IMAGE, SCRIPT, UnsupportedOp,
        "/2/InstanceNormalization: op InstanceNormalization has no integer form here. It needs "
        "statistics of each frame; " + BATCH_NORM,
    ),
    "softmax": (
        lambda: chain(linear(6, 4), nn.Softmax(1)), VECTOR, SCRIPT, UnsupportedOp,
        "/2/Softmax: op Softmax has no integer form here. End the model before it: the largest "
        "output stays the largest.",
    ),
    "LSTM": (
        Recurrent, SEQUENCE, SCRIPT, UnsupportedOp,
        "/lstm/layers.0.0/export_handler/QuantLSTMCell: op QuantLSTMCell has no integer form here. "
        "hwgen builds feed-forward networks; unroll the layer over time or leave it to the host.",
    ),
    "attention": (
        Attention, SEQUENCE, SCRIPT, UnsupportedOp,
        "/attention/Transpose: Transpose of [1, 5, 6] to [5, 1, 6] moves the batch off the first "
        "axis; keep a first axis of 1 that nothing else shares.",
    ),
    "two inputs": (
        TwoInputs, (VECTOR, VECTOR), {**SCRIPT, "input_names": ["x", "y"]}, ModelError,
        "odd: 2 inputs (x, y); hwgen builds models with one input and one output. Export the "
        "part between two such tensors.",
    ),
    "three dimensions": (
        lambda: chain(qnn.QuantConv3d(2, 3, 3)), (2, 4, 4, 4), SCRIPT, UnsupportedOp,
        "/1/Conv: Conv on data of shape [1, 2, 4, 4, 4]; hwgen slides kernels over sequences (1, "
        "C, L) and images (1, C, H, W). Feed the data in one of these shapes.",
    ),
    "bipolar input with zero padding": (
        lambda: nn.Sequential(quant(**SIGN), conv(2, 4, padding=1), relu()), IMAGE, SCRIPT,
        UnsupportedOp,
        "/1/Conv: pads with 0, which no code of its input stands for (zero point 0.5); use padding "
        "0, or an activation quantizer that has 0 on its grid.",
    ),
    "float weights": (
        lambda: chain(nn.Linear(6, 4), relu()), VECTOR, SCRIPT, ModelError,
        "/1/Gemm: the weights are float (first: -0.00305648); hwgen needs quantized weights. Train "
        "with Brevitas layers (QuantLinear) and export QONNX, or quantize the weights with a Quant "
        "node.",
    ),
    "float activation": (
        lambda: chain(linear(6, 4), nn.ReLU(), linear(4, 3)), VECTOR, SCRIPT, ModelError,
        "/1/Gemm: its output reaches /3/Gemm without a quantizer; add a quantized activation "
        "(QuantReLU, QuantIdentity) between them.",
    ),
    "float input": (
        lambda: nn.Sequential(linear(6, 4), relu()), VECTOR, SCRIPT, ModelError,
        "the input of /0/Gemm is not quantized; add a quantizer (QuantIdentity) there so that "
        "integers can flow in hardware.",
    ),
    "24 bits": (
        lambda: chain(linear(6, 4), quant(bit_width=24)), VECTOR, SCRIPT, UnsupportedOp,
        "/2/act_quant/export_handler/Quant: bit width [24.0] is not one whole number from 1 to 16; "
        "choose one in the quantizer.",
    ),
    "GELU of a wide accumulator": (
        lambda: chain(linear(6, 400, weight_bit_width=12), nn.GELU(), quant()), VECTOR, DYNAMO,
        UnsupportedOp,
        "node_gelu: its function neither rises nor falls throughout, and its input takes "
        "1,067,940,400 values in 400 channels; hwgen tabulates up to 16,777,216. Quantize before "
        "the activation (a QuantIdentity in front of it), or use fewer bits.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    make, shape, exporter, kind, message = REFUSED[name]
    torch.manual_seed(0)
    path = exported(make(), shape, tmp_path / "odd.onnx", **exporter)
    refused(path, kind, message)


def refused(path: Path, kind: type, message: str):
    with pytest.raises(ModelError) as error:
        streamline(path)
    assert (type(error.value), str(error.value)) == (kind, message)


def test_qcdq_export(tmp_path):
    model = chain(linear(6, 4), relu(), linear(4, 3))
    path = exported(model, VECTOR, tmp_path / "odd.onnx", export=export_onnx_qcdq)
    refused(path, UnsupportedOp, "/0/act_quant/export_handler/QuantizeLinear: op QuantizeLinear "
            f"has no integer form here. {QCDQ}")  # fmt: skip


def test_batch_of_four(tmp_path):
    model = chain(linear(6, 4), relu())
    path = exported(model, VECTOR, tmp_path / "odd.onnx", batch=4, input_names=["x"], **SCRIPT)
    refused(path, ModelError, "odd: tensor 'x' has shape [4, 6]; the first axis must be a batch of "
            "1. Export with a batch of 1.")  # fmt: skip


def test_dynamic_length(tmp_path):
    model = chain(qnn.QuantConv1d(2, 4, 3), relu())
    dynamic = {"input_names": ["x"], "dynamic_axes": {"x": {2: "length"}}}
    path = exported(model, (2, 9), tmp_path / "odd.onnx", **dynamic, **SCRIPT)
    refused(
        path,
        ModelError,
        "odd: tensor 'x' has a dynamic shape (axis 2 is 'length'); hardware needs fixed sizes. "
        "Export with a static shape, only the batch may be dynamic.",
    )


def test_an_unsigned_bit_is_exported_as_a_sign(tmp_path):
    """Brevitas 0.13.4 writes BipolarQuant: hwgen equals the file, the check of exports warns."""
    bit = quant(bit_width=1, act_quant=bq.Uint8ActPerTensorFloat)
    model = chain(linear(6, 4), bit, linear(4, 3))
    path = exported(model, VECTOR, tmp_path / "odd.onnx")
    assert_exact(path)
    x = np.random.default_rng(0).normal(0, 1, (64, *VECTOR)).astype(np.float32)
    assert check_against_executor(model, path, x) > 64
