"""The QONNX executor: an implementation of the exported model that is not ours."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes

from hwgen.errors import ModelError

FloatArray = npt.NDArray[np.float32]
_BATCH = 256


def execute_qonnx(
    path: Path, x: FloatArray, tensors: Sequence[str] | None = None
) -> dict[str, FloatArray]:
    """Return the values that the QONNX executor computes for a batch, by tensor name.

    x        (batch, *input_shape)
    tensors  names; None: the model's outputs
    returns  (batch, values) each
    raises   ModelError  the executor, or onnxruntime inside it, cannot run the model
    """
    proto = onnx.load(path)
    wanted = [output.name for output in proto.graph.output] if tensors is None else list(tensors)
    # qonnx's channels-last ops work on a batch of one.
    batch = 1 if any("channels_last" in node.domain for node in proto.graph.node) else _BATCH
    parts = [_run(proto, x[i : i + batch], wanted) for i in range(0, len(x), batch)]
    return {name: np.concatenate([part[name] for part in parts]) for name in wanted}


def _run(proto: onnx.ModelProto, x: FloatArray, tensors: list[str]) -> dict[str, FloatArray]:
    model = _batched(proto, len(x))
    constants = {t.name for t in model.graph.initializer}
    entry = next(i.name for i in model.graph.input if i.name not in constants)
    with warnings.catch_warnings():  # it complains of shapes that the file does not declare
        warnings.simplefilter("ignore")
        try:
            context = execute_onnx(model, {entry: x.astype(np.float32)}, True)
        except Exception as error:  # of many kinds
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise ModelError(
                f"{proto.graph.name or 'model'}: the QONNX executor cannot run it "
                f"({reason[:300]}); "
                "change the model at this node, or compare the other witnesses alone: "
                "hwgen verify --witness csim rtl."
            ) from None
    return {name: np.asarray(context[name]).reshape(len(x), -1) for name in tensors}


def _batched(proto: onnx.ModelProto, batch: int) -> ModelWrapper:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for node in copy.graph.node:
        if node.domain and not node.domain.startswith("qonnx."):  # older ones: Brevitas, FINN
            node.domain = "qonnx.custom_op.general"
        for attribute in node.attribute:
            if attribute.name == "rounding_mode" and attribute.s == b"ROUND_TO_ZERO":
                attribute.s = b"DOWN"  # Brevitas writes its own name, which QONNX does not know
    model = ModelWrapper(copy)
    if batch > 1:
        model = model.transform(ChangeBatchSize(batch))
    return model.transform(InferShapes())
