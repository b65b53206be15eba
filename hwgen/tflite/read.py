"""A .tflite file as plain values: every vector within the file, every index and shape checked."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.limits import MAX_AXES, MAX_ELEMENTS, check_file
from hwgen.num.inttype import FloatArray

MIN_SCALE = 1e-18  # float32 quotients of scales stay finite
MAX_NAME = 512  # bytes

_TYPES = {
    tflite.TensorType.FLOAT32: ("float32", np.float32),
    tflite.TensorType.INT8: ("int8", np.int8),
    tflite.TensorType.UINT8: ("uint8", np.uint8),
    tflite.TensorType.INT16: ("int16", np.int16),
    tflite.TensorType.INT32: ("int32", np.int32),
    tflite.TensorType.INT64: ("int64", np.int64),
}
_TYPE_NAMES = {v: k for k, v in vars(tflite.TensorType).items() if isinstance(v, int)}
_OPS = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
_ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if isinstance(v, int)}
_PADDINGS = {tflite.Padding.SAME: "SAME", tflite.Padding.VALID: "VALID"}
_CONV = ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor",
         "FusedActivationFunction")  # fmt: skip
_POOL = ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction")
_OPTIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "CONV_2D": (tflite.Conv2DOptions, _CONV),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, (*_CONV, "DepthMultiplier")),
    "FULLY_CONNECTED": (
        tflite.FullyConnectedOptions,
        ("FusedActivationFunction", "WeightsFormat", "KeepNumDims"),
    ),
    "AVERAGE_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "MAX_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "ADD": (tflite.AddOptions, ("FusedActivationFunction", "PotScaleInt16")),
    "LEAKY_RELU": (tflite.LeakyReluOptions, ("Alpha",)),
}
_DECODED = {"Padding": _PADDINGS, "FusedActivationFunction": _ACTIVATIONS}
_BROKEN = (
    struct.error, IndexError, KeyError, ValueError, TypeError, OverflowError, AttributeError,
    MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor of the file; ``real = scale * (code - zero_point)``."""

    name: str  # unique
    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: FloatArray  # float32 values; () , (channels,) or empty: not quantized
    zero_point: FloatArray  # like scale
    axis: int  # of a scale per channel
    data: np.ndarray | None  # of a constant

    @property
    def quantized(self) -> bool:
        """Whether there is a scale."""
        return self.scale.size > 0


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One op; ``options`` under the names of the schema, enumerations as text."""

    name: str
    kind: str  # CONV_2D, ...
    inputs: tuple[Value | None, ...]  # None: an optional input that is left out
    outputs: tuple[Value, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The only subgraph of a file: one input, one output, ops in execution order."""

    name: str
    input: Value
    output: Value
    operators: tuple[Operator, ...]


def load(path: Path) -> bytes:
    """Return the content of a .tflite file; raises ModelError if there is none."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give the path of a TFLite model (.tflite).")
    check_file(path)
    return path.read_bytes()


def read(content: bytes, name: str) -> Network:
    """Return the network in the bytes of a .tflite file, called ``name``.

    raises  ModelError     not a TFLite file, a broken one, several inputs or outputs
            UnsupportedOp  types and sizes that hwgen does not read
    """
    if content[4:8] != b"TFL3":
        raise ModelError(
            f"{name}: not a TFLite file (bytes 4 to 8 are not 'TFL3'); convert the model with "
            "TFLiteConverter, full integer quantization to int8."
        )
    try:
        return _Reader(content, name).network()
    except _BROKEN as error:
        raise ModelError(
            f"{name}: a broken TFLite file ({type(error).__name__}: {error}); convert the model "
            "again."
        ) from None


class _Reader:
    def __init__(self, content: bytes, name: str) -> None:
        self._size, self._name = len(content), name
        self._model = tflite.Model.GetRootAs(content, 0)
        if self._model.SubgraphsLength() != 1:
            raise UnsupportedOp(
                f"{name}: {self._model.SubgraphsLength()} subgraphs; hwgen builds one, without "
                "control flow. Export the inference graph alone."
            )
        self._graph = self._model.Subgraphs(0)
        self._names: set[str] = set()

    def network(self) -> Network:
        graph = self._graph
        values = list(self._vector(graph.TensorsLength, graph.Tensors, self._value))
        operators = tuple(
            self._operator(i, op, values)
            for i, op in enumerate(self._vector(graph.OperatorsLength, graph.Operators, _same))
        )
        inputs, outputs = _indices(graph, "Inputs"), _indices(graph, "Outputs")
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"{self._name}: {len(inputs)} inputs and {len(outputs)} outputs; hwgen builds "
                "chains with one of each. Export the part of the model between one input and one "
                "output."
            )
        return Network(self._name, _at(values, inputs[0]), _at(values, outputs[0]), operators)

    def _vector(
        self, length: Callable[[], int], item: Callable[[int], Any], make: Callable[[Any], Any]
    ) -> Iterator[Any]:
        if length() * 4 > self._size:
            raise ValueError(f"a vector of {length()} entries in {self._size} bytes")
        return (make(item(i)) for i in range(length()))

    def _value(self, tensor: Any) -> Value:
        index = len(self._names)
        name = _text(tensor.Name()) or f"tensor_{index}"
        name = f"{name}#{index}" if name in self._names else name
        self._names.add(name)
        if tensor.ShapeLength() > MAX_AXES:
            raise UnsupportedOp(f"{name}: {tensor.ShapeLength()} axes; hwgen reads {MAX_AXES}.")
        shape = tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()
        if min(shape, default=1) < 1 or prod(shape) > MAX_ELEMENTS:
            raise UnsupportedOp(
                f"{name}: shape {list(shape)}; hwgen needs fixed sizes of at least 1 and at most "
                f"{MAX_ELEMENTS} values. Convert with a static input shape and a batch of 1."
            )
        dtype, numpy_type = _TYPES.get(tensor.Type(), (_TYPE_NAMES[tensor.Type()].lower(), None))
        scale, zero_point, axis = _quantization(name, dtype, shape, tensor.Quantization())
        data = self._data(name, tensor.Buffer(), shape, numpy_type)
        if tensor.Sparsity() is not None:
            raise UnsupportedOp(f"{name}: sparse storage; convert the model with dense weights.")
        return Value(name, index, shape, dtype, scale, zero_point, axis, data)

    def _data(self, name: str, index: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray | None:
        if not 0 <= index < self._model.BuffersLength():
            raise IndexError(f"{name}: buffer {index} of {self._model.BuffersLength()}")
        buffer = self._model.Buffers(index)
        if buffer.DataLength() == 0 or dtype is None:
            return None
        raw = buffer.DataAsNumpy().tobytes()
        if len(raw) != prod(shape) * np.dtype(dtype).itemsize:
            raise ValueError(f"{name}: {len(raw)} bytes for shape {list(shape)}")
        return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)

    def _operator(self, index: int, op: Any, values: list[Value]) -> Operator:
        if not 0 <= op.OpcodeIndex() < self._model.OperatorCodesLength():
            raise IndexError(f"op {index}: code {op.OpcodeIndex()}")
        code = self._model.OperatorCodes(op.OpcodeIndex())
        kind = _OPS.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "CUSTOM")
        if kind == "CUSTOM":
            kind = f"CUSTOM {_text(code.CustomCode())}".strip()
        inputs = tuple(_at(values, i) if i != -1 else None for i in _indices(op, "Inputs"))
        outputs = tuple(_at(values, i) for i in _indices(op, "Outputs"))
        return Operator(f"{kind.lower()}_{index}", kind, inputs, outputs, _options(kind, op))


def _options(kind: str, op: Any) -> dict[str, Any]:
    if kind not in _OPTIONS:
        return {}
    table, names = _OPTIONS[kind]
    wanted = getattr(tflite.BuiltinOptions, table.__name__)
    if op.BuiltinOptions() is None or op.BuiltinOptionsType() != wanted:
        raise ValueError(f"{kind} without its options")
    options = table()
    options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
    raw = {name: getattr(options, name)() for name in names}
    return {name: _DECODED[name][v] if name in _DECODED else v for name, v in raw.items()}


def _quantization(
    name: str, dtype: str, shape: tuple[int, ...], q: Any
) -> tuple[FloatArray, FloatArray, int]:
    if q is None or q.ScaleLength() == 0:
        return np.array([]), np.array([]), 0
    with np.errstate(invalid="ignore"):  # a signalling NaN is refused below
        scale = np.asarray(q.ScaleAsNumpy(), dtype=np.float64)
    zero_point = np.zeros(len(scale))
    if q.ZeroPointLength():
        zero_point = np.broadcast_to(q.ZeroPointAsNumpy(), scale.shape).astype(np.float64)
    axis = q.QuantizedDimension()
    usable = (scale >= MIN_SCALE) & (scale <= 1 / MIN_SCALE)
    if not np.all(usable):
        raise ModelError(
            f"{name}: scale {float(scale[~usable][0]):g}; a scale must be positive, from "
            f"{MIN_SCALE:g} to {1 / MIN_SCALE:g}. Quantize the model again."
        )
    if dtype in ("int8", "uint8"):
        low, high = (-128, 127) if dtype == "int8" else (0, 255)
        if np.any((zero_point < low) | (zero_point > high)):
            raise ModelError(
                f"{name}: a zero point outside {low} .. {high}, the range of {dtype}; quantize the "
                "model again."
            )
    if len(scale) == 1:
        return scale.reshape(()), zero_point.reshape(()), 0
    if not 0 <= axis < len(shape) or shape[axis] != len(scale):
        raise ModelError(
            f"{name}: {len(scale)} scales on axis {axis} of shape {list(shape)}; the file is "
            "inconsistent. Convert the model again."
        )
    return scale, zero_point, axis


def _indices(table: Any, which: str) -> list[int]:
    if not getattr(table, f"{which}Length")():
        return []
    return [int(i) for i in getattr(table, f"{which}AsNumpy")()]


def _at(values: list[Value], index: int) -> Value:
    if not 0 <= index < len(values):
        raise IndexError(f"tensor {index} of {len(values)}")
    return values[index]


def _text(raw: bytes | None) -> str:
    """Return a name on one line, for messages."""
    text = raw[:MAX_NAME].decode(errors="replace") if raw else ""
    return "".join(c if c.isprintable() else "?" for c in text)


def _same(item: Any) -> Any:
    return item
