"""The QONNX executor as a witness: an implementation of the source model that is not ours."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes

from hwgen.graph.ir import Graph, Requant, Tensor, Threshold
from hwgen.num.inttype import FloatArray, IntArray
from hwgen.streamline.quantizers import QUANT_OPS

_BATCH = 256


def execute_qonnx(path: Path, x: np.ndarray, tensors: list[str]) -> dict[str, FloatArray]:
    """Return the float values of ``tensors`` (batch, ...) that the QONNX executor computes.

    x  (batch, *input_shape) float32
    """
    parts = [_run(path, x[i : i + _BATCH], tensors) for i in range(0, len(x), _BATCH)]
    return {name: np.concatenate([part[name] for part in parts]) for name in tensors}


def activation_codes(graph: Graph, values: dict[str, FloatArray]) -> dict[str, IntArray]:
    """Return the integer codes of every quantized tensor from its float values, by tensor name."""
    found = {}
    for tensor in quantized_tensors(graph):
        v = values[tensor.source].reshape(-1, tensor.size).astype(np.float64)
        found[tensor.name] = np.rint(v / tensor.scale + tensor.zero_point).astype(np.int64)
    return found


def quantized_tensors(graph: Graph) -> list[Tensor]:
    """Return the tensors that exist in the source model as a quantizer's output."""
    names = [graph.input]
    names += [layer.y for layer in graph.layers if isinstance(layer, Threshold | Requant)]
    return [graph.tensor(name) for name in names]


def _run(path: Path, x: np.ndarray, tensors: list[str]) -> dict[str, FloatArray]:
    model = _batched(path, len(x))
    names = {t.name for t in model.graph.initializer}
    entry = next(i.name for i in model.graph.input if i.name not in names)
    with warnings.catch_warnings():  # it complains of shapes that the file does not declare
        warnings.simplefilter("ignore")
        context = execute_onnx(model, {entry: x.astype(np.float32)}, return_full_exec_context=True)
    return {name: np.asarray(context[name]).reshape(len(x), -1) for name in tensors}


def _batched(path: Path, batch: int) -> ModelWrapper:
    proto: ModelProto = onnx.load(path)
    for node in proto.graph.node:
        if node.op_type in QUANT_OPS:
            node.domain = "qonnx.custom_op.general"
    return ModelWrapper(proto).transform(ChangeBatchSize(batch)).transform(InferShapes())
