"""The TFLite interpreter as a witness: its reference kernels, every tensor kept."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError, ToolNotFound
from hwgen.num.inttype import IntArray
from hwgen.tflite.read import read


def interpret(content: bytes, name: str, x: np.ndarray, codes: IntArray) -> dict[str, IntArray]:
    """Return what the interpreter makes of each tensor, (batch, values) by the tensor's name.

    x, codes  the same inputs, (batch, ...): real for a float32 input, else codes
    raises    ToolNotFound without ai-edge-litert; ModelError if the interpreter refuses the file
    """
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        raise ToolNotFound(
            "the TFLite interpreter is missing: pip install 'hwgen[tflite]' (ai-edge-litert), or "
            "verify without the witness tflite."
        ) from None
    network = read(content, name)
    made = {v.index: v.name for op in network.operators for v in op.outputs}
    frames: dict[str, list[np.ndarray]] = {n: [] for n in made.values()}
    try:
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"{name}: the TFLite interpreter refuses the model: {' '.join(str(error).split())}"
        ) from None
    entry = network.input
    for frame in x if entry.dtype == "float32" else codes:
        interpreter.set_tensor(entry.index, frame.reshape(entry.shape).astype(entry.dtype))
        interpreter.invoke()
        for index, tensor in made.items():
            frames[tensor].append(np.ravel(interpreter.get_tensor(index)).astype(np.int64))
    return {tensor: np.stack(values) for tensor, values in frames.items()}
