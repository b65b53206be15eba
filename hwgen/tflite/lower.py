"""Chain of TFLite ops -> integer graph that computes the same codes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from hwgen.errors import UnsupportedOp
from hwgen.graph.ir import Graph, Tensor
from hwgen.num.elementwise import QuantSpec, Step
from hwgen.tflite import products, tables, windows
from hwgen.tflite.builder import Builder
from hwgen.tflite.chain import VIEWS, Chain
from hwgen.tflite.operands import space_of
from hwgen.tflite.read import Network, Value

_RANGES = {"int8": (-128, 127), "uint8": (0, 255)}
_LOWERED: dict[str, Callable[..., None]] = {
    "CONV_2D": products.convolution,
    "DEPTHWISE_CONV_2D": products.depthwise,
    "FULLY_CONNECTED": products.fully_connected,
    "AVERAGE_POOL_2D": products.average_pool,
    "MAX_POOL_2D": products.max_pool,
    "MEAN": products.mean,
    "PAD": windows.pad,
    "ADD": tables.add,
    "RELU": tables.clamped,
    "RELU6": tables.clamped,
    "RELU_N1_TO_1": tables.clamped,
    "LEAKY_RELU": tables.leaky_relu,
    "LOGISTIC": tables.logistic,
    "TANH": tables.tanh,
    "QUANTIZE": tables.requantize,
}
_PADDED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "PAD")


def lower(network: Network, chain: Chain) -> Graph:
    """Return the integer graph of a chain.

    raises  UnsupportedOp  for an op, a type or a shape that has no exact form here
    """
    input_shape = _frame(network.input)
    b = Builder(_entry(chain))
    for op in chain.ops:
        if op.kind in VIEWS:
            continue
        if op.kind not in _LOWERED:
            raise UnsupportedOp(
                f"{op.name}: {op.kind} has no exact form in hwgen yet; it builds "
                f"{', '.join(sorted(_LOWERED))}, and SOFTMAX on the host. Replace the op."
            )
        if b.pads and op.kind not in _PADDED:
            raise _lonely_pad(op.name)
        _LOWERED[op.kind](b, op)
    if b.pads:
        raise _lonely_pad("the output")
    return Graph(
        name=b.names.new(network.name),
        input=b.tensors[0].name,
        output=b.here.name,
        input_shape=input_shape,
        output_shape=_frame(chain.output),
        encoder=(_quantizer(chain.source),),
        tensors=tuple(b.tensors),
        layers=tuple(b.layers),
    )


def _lonely_pad(where: str) -> UnsupportedOp:
    return UnsupportedOp(
        f"{where}: follows a PAD; hwgen pads in front of convolutions and pools "
        f"({', '.join(_PADDED)}). Move the PAD, or pad in the layer itself."
    )


def _entry(chain: Chain) -> Tensor:
    """Return the tensor of the input codes, in the shape that the first layer reads."""
    views = tuple(takewhile(lambda op: op.kind in VIEWS, chain.ops))
    shaped = views[-1].outputs[0] if views else chain.source
    source = chain.source
    if not shaped.shape:
        raise UnsupportedOp(f"input {source.name!r}: a single number; hwgen reads (1, ...) arrays.")
    if source.dtype not in _RANGES or not source.quantized or source.scale.ndim:
        raise UnsupportedOp(
            f"input {source.name!r}: {source.dtype} without a single scale; hwgen quantizes inputs "
            "to int8 or uint8. Convert with full integer quantization (TFLITE_BUILTINS_INT8)."
        )
    lo, hi = _RANGES[source.dtype]
    return Tensor(
        "codes", shaped.shape[-1], lo, hi, source.scale, source.zero_point, source.name,
        space_of(shaped),
    )  # fmt: skip


def _quantizer(source: Value) -> Step:
    quant = QuantSpec(*_RANGES[source.dtype], rounding="HALF_AWAY")
    return Step("Quant", (source.scale, source.zero_point), quant, source.name)


def _frame(value: Value) -> tuple[int, ...]:
    """Return the shape without the batch of 1; a vector may come without one."""
    if len(value.shape) > 1 and value.shape[0] != 1:
        raise UnsupportedOp(
            f"tensor {value.name!r}: a batch of {value.shape[0]}; convert with a batch of 1."
        )
    return value.shape[1:] if len(value.shape) > 1 else value.shape
