"""The ops between one input and one output, in order; branches and unknown data are refused."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.tflite.read import Network, Operator, Value

VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # the same codes in the same order
_ON_HOST = ("SOFTMAX", "DEQUANTIZE", *VIEWS)  # allowed from a softmax on
_SHAPES = ("int32", "int64")  # types of shapes: no data flows in them


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """``source`` is quantized by the host, ``ops`` run in hardware, ``host`` ops after them."""

    source: Value  # the first codes
    ops: tuple[Operator, ...]
    output: Value  # the last codes
    host: tuple[Operator, ...]


def split(network: Network) -> Chain:
    """Return the chain of a network.

    raises  UnsupportedOp  where data branches or joins, or a softmax is not at the end
            ModelError     if nothing is left to build
    """
    ops = _in_order(network)
    source = network.input
    if source.dtype == "float32":
        if not ops or ops[0].kind != "QUANTIZE":
            raise UnsupportedOp(
                f"{network.name}: float32 input {source.name!r} without a QUANTIZE; hwgen builds "
                "int8 models. Convert with full integer quantization (TFLITE_BUILTINS_INT8)."
            )
        source, ops = ops[0].outputs[0], ops[1:]
    ends = (i for i, op in enumerate(ops) if op.kind in ("SOFTMAX", "DEQUANTIZE"))
    cut = next(ends, len(ops))
    kept, host = ops[:cut], ops[cut:]
    for op in host:
        if op.kind not in _ON_HOST:
            raise UnsupportedOp(
                f"{op.name}: {op.kind} after {host[0].kind}, which the host computes; hwgen's "
                "hardware ends there. Cut the model before it."
            )
    if not any(op.kind not in VIEWS for op in kept):
        raise ModelError(f"{network.name}: no layers to build between input and output.")
    return Chain(source, kept, kept[-1].outputs[0], host)


def _in_order(network: Network) -> tuple[Operator, ...]:
    here, ops = network.input, []
    for op in network.operators:
        if op.outputs and all(v.dtype in _SHAPES for v in op.outputs):
            continue
        dynamic = [v for v in op.inputs if v is not None and v.data is None]
        flowing = [v for v in dynamic if op.kind not in VIEWS or v.dtype not in _SHAPES]
        if len(op.outputs) != 1 or len(flowing) != 1:
            raise UnsupportedOp(
                f"{op.name}: {op.kind} of {len(flowing)} data tensors into {len(op.outputs)}; "
                "hwgen builds chains, in which every op has one of each. Cut the model where it "
                "branches, or use an architecture without skip connections."
            )
        if flowing[0] is not here:
            raise UnsupportedOp(
                f"{op.name}: reads {flowing[0].name!r}, not the tensor before it, {here.name!r}; "
                "hwgen builds chains without branches. Cut the model where it branches."
            )
        if op.kind in VIEWS:
            _require_view(op, here)
        ops.append(op)
        here = op.outputs[0]
    if here is not network.output:
        raise UnsupportedOp(
            f"{network.name}: the last op writes {here.name!r}, but the output is "
            f"{network.output.name!r}; hwgen builds chains without branches."
        )
    return tuple(ops)


def _require_view(op: Operator, x: Value) -> None:
    y = op.outputs[0]
    same = np.array_equal(x.scale, y.scale) and np.array_equal(x.zero_point, y.zero_point)
    if prod(x.shape) != prod(y.shape) or not same:
        raise ModelError(
            f"{op.name}: {list(x.shape)} as {list(y.shape)} changes the number of values or their "
            "scale, and a reshape does neither; convert the model again."
        )
