"""Brevitas model to QONNX file, and the proof that both compute the same numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup_model
from torch import nn

from hwgen.errors import ModelError
from hwgen.export.brevitas_run import brevitas_outputs
from hwgen.export.qonnx_manager import MidRiseManager
from hwgen.qonnx_executor import execute_qonnx

FloatArray = npt.NDArray[np.float32]
# The dynamo exporter of torch 2.13 writes a Gemm that qonnx 1.0.0 cannot read.
TORCH_EXPORT: Mapping[str, Any] = {"dynamo": False, "opset_version": 13}


def export_qonnx(module: nn.Module, sample: FloatArray, path: Path) -> Path:
    """Write a Brevitas model as a cleaned QONNX file with every node named; return its path.

    module  in eval mode; its parameters lie on their grids
    sample  (1, ...) float32, one input
    raises  ModelError if the sample is not a batch of one
    """
    if sample.shape[0] != 1:
        raise ModelError(
            f"export of {path.name}: the sample has shape {sample.shape}, but hardware takes one "
            "input at a time; pass an array of shape (1, ...)"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        MidRiseManager.export(
            module, args=torch.from_numpy(sample), export_path=str(path), **TORCH_EXPORT
        )
    cleanup_model(ModelWrapper(str(path))).save(str(path))
    return path


def check_against_executor(module: nn.Module, path: Path, frames: FloatArray) -> int:
    """Return how many output values of the QONNX executor and Brevitas differ, at all."""
    (theirs,) = execute_qonnx(path, frames).values()
    return int(np.count_nonzero(theirs != brevitas_outputs(module, frames)))
