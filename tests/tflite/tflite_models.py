"""Chains of TFLite ops as .tflite files, and what the interpreter makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

Quant = tuple[Any, Any]  # scale(s), zero point(s)
INT8, UINT8, INT32, FLOAT = (
    schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT32,
    schema.TensorType.FLOAT32,
)  # fmt: skip
_DTYPES = {INT8: np.int8, UINT8: np.uint8, INT32: np.int32, FLOAT: np.float32}
_PADDING = {"SAME": 0, "VALID": 1}
_ACTIVATION = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4}


@dataclass
class Chain:
    """A chain under construction; every method appends one op behind the last tensor."""

    shape: tuple[int, ...]  # of the last tensor, without batch
    quant: Quant | None
    kind: int = INT8
    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buffers.append(schema.BufferT())
        self.last = self.tensor("x", (1, *self.shape), self.kind, self.quant)

    def tensor(
        self, name: str, shape: Sequence[int], kind: int, quant: Quant | None = None,
        data: np.ndarray | None = None, axis: int = 0,
    ) -> int:  # fmt: skip
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name, list(shape), kind, 0
        if quant is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = np.atleast_1d(quant[0]).astype(float).tolist()
            t.quantization.zeroPoint = np.atleast_1d(quant[1]).astype(int).tolist()
            t.quantization.quantizedDimension = axis
        if data is not None:
            t.buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            raw = np.ascontiguousarray(data, dtype=_DTYPES[kind]).tobytes()
            self.buffers[-1].data = np.frombuffer(raw, dtype=np.uint8)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def op(
        self, name: str, constants: Sequence[int], shape: Sequence[int], quant: Quant | None,
        options: Any = None, kind: int = INT8,
    ) -> Chain:  # fmt: skip
        """Append the op ``name`` with further inputs ``constants`` and an output of ``shape``."""
        code = getattr(schema.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs = [self.last, *constants]
        label = f"{name.lower()}_{len(self.operators)}"
        self.shape, self.quant = tuple(shape), quant
        self.last = self.tensor(label, (1, *shape), kind, quant)
        operator.outputs = [self.last]
        if options is not None:
            operator.builtinOptions = options
            union = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, union)
        self.operators.append(operator)
        return self

    def conv(
        self, weights: np.ndarray, bias: np.ndarray | None, scales: Any, out: Quant,
        stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1),
        padding: str = "VALID", activation: str = "NONE",
    ) -> Chain:  # fmt: skip
        """CONV_2D; weights (out, height, width, in)."""
        o = schema.Conv2DOptionsT()
        o.padding, o.fusedActivationFunction = _PADDING[padding], _ACTIVATION[activation]
        (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor) = stride, dilation
        space = _space(self.shape[:2], weights.shape[1:3], stride, dilation, padding)
        constants = self._constants(weights, bias, scales, 0)
        return self.op("CONV_2D", constants, (*space, len(weights)), out, o)

    def depthwise(
        self, weights: np.ndarray, bias: np.ndarray | None, scales: Any, out: Quant,
        stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1),
        padding: str = "VALID", activation: str = "NONE",
    ) -> Chain:  # fmt: skip
        """DEPTHWISE_CONV_2D; weights (height, width, channels * multiplier)."""
        o = schema.DepthwiseConv2DOptionsT()
        o.padding, o.fusedActivationFunction = _PADDING[padding], _ACTIVATION[activation]
        (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor) = stride, dilation
        o.depthMultiplier = weights.shape[-1] // self.shape[-1]
        space = _space(self.shape[:2], weights.shape[:2], stride, dilation, padding)
        constants = self._constants(weights[None], bias, scales, 3)
        return self.op("DEPTHWISE_CONV_2D", constants, (*space, weights.shape[-1]), out, o)

    def dense(
        self, weights: np.ndarray, bias: np.ndarray | None, scales: Any, out: Quant,
        activation: str = "NONE", keep: bool = False,
    ) -> Chain:  # fmt: skip
        """FULLY_CONNECTED; weights (out, in)."""
        o = schema.FullyConnectedOptionsT()
        o.fusedActivationFunction, o.keepNumDims = _ACTIVATION[activation], keep
        constants = self._constants(weights, bias, scales, 0)
        shape = (*self.shape[:-1], len(weights)) if keep else (len(weights),)
        return self.op("FULLY_CONNECTED", constants, shape, out, o)

    def pool(
        self, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1), padding: str = "VALID",
        activation: str = "NONE", op: str = "AVERAGE_POOL_2D",
    ) -> Chain:  # fmt: skip
        o = schema.Pool2DOptionsT()
        o.padding, o.fusedActivationFunction = _PADDING[padding], _ACTIVATION[activation]
        (o.strideH, o.strideW), (o.filterHeight, o.filterWidth) = stride, kernel
        space = _space(self.shape[:2], kernel, stride, (1, 1), padding)
        return self.op(op, [], (*space, self.shape[-1]), self.quant, o)

    def mean(self, out: Quant, keep: bool, axes: tuple[int, ...] = (1, 2)) -> Chain:
        o = schema.ReducerOptionsT()
        o.keepDims = keep
        index = self.tensor("axes", (len(axes),), INT32, None, np.array(axes))
        return self.op("MEAN", [index], (*(1, 1) * keep, self.shape[-1]), out, o)

    def reshape(self, *shape: int) -> Chain:
        target = np.array([1, *shape])
        index = self.tensor("shape", (len(target),), INT32, None, target)
        return self.op("RESHAPE", [index], shape, self.quant, schema.ReshapeOptionsT())

    def add(
        self, constant: np.ndarray, quant: Quant, out: Quant, activation: str = "NONE"
    ) -> Chain:
        """ADD of constant codes."""
        o = schema.AddOptionsT()
        o.fusedActivationFunction = _ACTIVATION[activation]
        index = self.tensor("constant", constant.shape, INT8, quant, constant)
        return self.op("ADD", [index], self.shape, out, o)

    def pad(self, *pads: tuple[int, int]) -> Chain:
        """PAD of the axes behind the batch."""
        index = self.tensor("pads", (len(pads) + 1, 2), INT32, None, np.array([(0, 0), *pads]))
        shape = [n + sum(p) for n, p in zip(self.shape, pads, strict=True)]
        return self.op("PAD", [index], shape, self.quant, schema.PadOptionsT())

    def elementwise(self, name: str, out: Quant, alpha: float = 0.1) -> Chain:
        """RELU and the like, with the output scale where TFLite prescribes one."""
        o = None
        if name == "LEAKY_RELU":
            o = schema.LeakyReluOptionsT()
            o.alpha = alpha
        if name == "QUANTIZE":
            o = schema.QuantizeOptionsT()
        out = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(name, out)
        return self.op(name, [], self.shape, out, o)

    def softmax(self, beta: float = 1.0) -> Chain:
        o = schema.SoftmaxOptionsT()
        o.beta = beta
        return self.op("SOFTMAX", [], self.shape, (1 / 256, -128), o)

    def _constants(
        self, weights: np.ndarray, bias: np.ndarray | None, scales: Any, axis: int
    ) -> list[int]:
        assert self.quant is not None
        scales = np.atleast_1d(np.asarray(scales, dtype=np.float32))
        zeros = np.zeros(len(scales), dtype=int)
        w = self.tensor("weights", weights.shape, INT8, (scales, zeros), weights, axis)
        if bias is None:
            return [w]
        products = np.float32(self.quant[0]) * scales
        return [w, self.tensor("bias", bias.shape, INT32, (products, zeros), bias)]

    def content(self) -> bytes:
        """Return the file."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = [0], [self.last], "main"
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for code in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode = code, min(code, 127)
            entry.version = _VERSIONS.get(code, 1)
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


_VERSIONS = {
    getattr(schema.BuiltinOperator, name): version
    for name, version in {
        "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "AVERAGE_POOL_2D": 2,
        "SOFTMAX": 2, "ADD": 2, "PAD": 2, "MAX_POOL_2D": 2, "LOGISTIC": 2, "TANH": 2, "RELU": 2,
        "RELU6": 2, "LEAKY_RELU": 2, "QUANTIZE": 2, "DEQUANTIZE": 2,
    }.items()
}  # fmt: skip


def _space(
    space: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
    padding: str,
) -> tuple[int, ...]:  # fmt: skip
    if padding == "SAME":
        return tuple(-(-n // s) for n, s in zip(space, stride, strict=True))
    axes = zip(space, kernel, stride, dilation, strict=True)
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes)


def interpret(
    content: bytes, x: np.ndarray, resolver: OpResolverType = OpResolverType.BUILTIN_REF
) -> dict[str, np.ndarray]:
    """Return every tensor by name, (batch, values), as the interpreter computes it from ``x``.

    x  (batch, *shape) in the type of the model's input
    """
    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=resolver,
        experimental_preserve_all_tensors=resolver != OpResolverType.AUTO,
    )  # fmt: skip
    interpreter.allocate_tensors()
    entry, produced = interpreter.get_input_details()[0], interpreter.get_output_details()
    if resolver != OpResolverType.AUTO:
        made = {int(i) for op in interpreter._get_ops_details() for i in op["outputs"]}
        produced = [t for t in interpreter.get_tensor_details() if t["index"] in made]
    frames: dict[str, list[np.ndarray]] = {t["name"]: [] for t in produced}
    for frame in x:
        interpreter.set_tensor(entry["index"], frame.reshape(entry["shape"]).astype(entry["dtype"]))
        interpreter.invoke()
        for t in produced:
            frames[t["name"]].append(np.ravel(interpreter.get_tensor(t["index"])).copy())
    return {name: np.stack(values) for name, values in frames.items()}
