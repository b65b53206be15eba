"""Random QONNX models as exporters write them: quantizers, products, float operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper

T = TypeVar("T")
_QONNX = "qonnx.custom_op.general"
_BITS = (4, 1, 2, 3, 5, 6, 7, 8, 10, 16)
_CURVES = [
    "Sigmoid",
    "Tanh",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Erf",
    "Softplus",
    "HardSigmoid",
    "Swish",
]
_ROUNDINGS = ("ROUND", "FLOOR", "CEIL", "DOWN")


@dataclass(frozen=True, slots=True, eq=False)
class SourceCase:
    """A model, whether float32 computes it exactly, and the seed of its inputs."""

    model: ModelProto
    exact: bool
    seed: int


@dataclass
class Chain:
    """Nodes in a row; every value has the shape (1, *shape), channels first."""

    shape: tuple[int, ...]
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    here: str = "x"

    def constant(self, value: float | np.ndarray, kind: int = TensorProto.FLOAT) -> str:
        """Add a constant; its text form shows the numbers."""
        array = np.asarray(value)
        name = f"c{len(self.constants)}"
        numbers = array.ravel().tolist()
        self.constants.append(helper.make_tensor(name, kind, array.shape, numbers))
        return name

    def add(self, op: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Add a node and return its output."""
        out = f"t{len(self.nodes)}"
        node = helper.make_node(op, inputs, [out], name=f"{op}_{out}", domain=domain, **attributes)
        self.nodes.append(node)
        return out

    def then(self, op: str, *inputs: str, left: bool = False, **attributes: Any) -> None:
        """Add a node to the chain; ``left``: the constant is the left operand."""
        ins = [*inputs, self.here] if left else [self.here, *inputs]
        self.here = self.add(op, ins, **attributes)

    def model(self, in_shape: tuple[int, ...]) -> ModelProto:
        """Return the finished model."""
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *in_shape])
        y = helper.make_tensor_value_info(self.here, TensorProto.FLOAT, [1, *self.shape])
        graph = helper.make_graph(self.nodes, "model", [x], [y], initializer=self.constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(_QONNX, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@st.composite
def models(draw: st.DrawFn) -> SourceCase:
    """Draw a model of one to three products, on a vector, a sequence or an image."""
    exact = draw(st.booleans())
    space = [draw(st.integers(1, 5)) for _ in range(draw(st.sampled_from([0, 0, 1, 2])))]
    shape = (draw(st.integers(1, 6 if not space else 3)), *space)
    author = _Author(draw, Chain(shape), exact)
    return SourceCase(author.write().model(shape), exact, draw(st.integers(0, 9)))


class _Author:
    """Writes a model, one choice at a time.

    ``exact`` keeps to numbers with few bits: float32 then rounds nowhere but in the quantizers.
    """

    def __init__(self, draw: st.DrawFn, chain: Chain, exact: bool) -> None:
        self._draw, self._chain, self._exact = draw, chain, exact

    def write(self) -> Chain:
        """Return the finished chain."""
        self._activation(entry=True)
        products = self._draw(st.integers(1, 3))
        for i in range(products):
            last = i == products - 1
            self._step()
            quantized = not last or self._flip()
            for _ in range(self._draw(st.integers(0, 3))):
                self._elementwise(affine=not quantized)
            if quantized:
                self._activation()
        return self._chain

    # ---- quantizers ------------------------------------------------------------------------
    def _activation(self, entry: bool = False) -> None:
        if self._pick(("quant", "bipolar")) == "bipolar":
            self._chain.then("BipolarQuant", self._constant(self._scale()), domain=_QONNX)
            return
        bits, signed = self._pick(_BITS), self._flip()
        if self._exact:
            bits = min(bits, 6)
        if bits == 1:
            signed = 0
        zero = self._pick((0.0, 0.0, 3.0, -2.0, 0.5, 0.3))
        if self._exact and zero == 0.3:
            zero = 0.0
        self._quant(self._scale(), zero, bits, signed, self._flip() if bits > 1 else 0)
        if not entry and self._pick((False, False, True)):
            self._quant(self._scale(), 0.0, self._pick((4, 3, 8)), signed, 0)

    def _quant(self, scale: float, zero: float, bits: int, signed: int, narrow: int) -> None:
        operands = [self._constant(scale), self._constant(zero), self._constant(float(bits))]
        self._chain.then(
            "Quant", *operands, domain=_QONNX, signed=signed, narrow=narrow,
            rounding_mode=self._pick(_ROUNDINGS),
        )  # fmt: skip

    # ---- branches --------------------------------------------------------------------------
    def _step(self) -> None:
        match self._pick(("product", "product", "product", "branches", "larger")):
            case "branches":
                self._branches(nested=self._flip() == 1)
            case "larger" if len(self._chain.shape) > 1:
                self._larger()
            case _:
                self._product()

    def _branches(self, nested: bool) -> None:
        """Join two branches that start from the value here, which is quantized."""
        chain, ends, channels = self._chain, [], 0
        fork, shape = chain.here, chain.shape
        join = self._pick(("Add", "Sub", "Concat"))
        for _ in range(2):
            chain.here, chain.shape = fork, shape
            self._branch(nested)
            ends.append(chain.here)
            channels += chain.shape[0]
        attributes: dict[str, Any] = {"axis": 1} if join == "Concat" else {}
        chain.here = chain.add(join, ends, **attributes)
        chain.shape = (channels if join == "Concat" else shape[0], *shape[1:])

    def _branch(self, nested: bool) -> None:
        match self._pick(("product", "product", "quantizer", "skip", "nested")):
            case "product":
                self._as_large()
                for _ in range(self._draw(st.integers(0, 2))):
                    self._elementwise(affine=False)
                self._activation()
            case "quantizer":
                self._activation()
            case "nested" if nested:
                channels = self._chain.shape[0]
                self._branches(nested=False)
                self._activation()
                if self._chain.shape[0] != channels:
                    self._as_large(channels)
                    self._activation()

    def _as_large(self, channels: int | None = None) -> None:
        """Add a product whose output has the shape of its input, or other channels."""
        chain = self._chain
        before, *space = chain.shape
        out_n = channels or before
        if not space:
            turned = chain.add("Transpose", [self._weights((out_n, before))], perm=[1, 0])
            chain.then("MatMul", turned)
        else:
            kernel = [self._pick((1, 3)) if n > 1 else 1 for n in space]
            name = self._weights((out_n, before, *kernel))
            chain.then("Conv", name, kernel_shape=kernel, pads=[k // 2 for k in kernel] * 2)
        chain.shape = (out_n, *space)

    def _larger(self) -> None:
        """Repeat pixels, or slide a transposed kernel."""
        chain = self._chain
        channels, *space = chain.shape
        factor = [self._pick((1, 2, 3)) for _ in space]
        if self._flip():
            scales = self._constant(np.array([1, 1, *factor]))
            chain.then("Resize", "", scales, mode="nearest", nearest_mode="floor",
                       coordinate_transformation_mode="asymmetric")  # fmt: skip
            chain.shape = (channels, *(n * f for n, f in zip(space, factor, strict=True)))
            return
        out_n, kernel = (
            self._draw(st.integers(1, 3)),
            [self._draw(st.integers(1, 3)) for _ in space],
        )
        pads = [self._draw(st.integers(0, k - 1)) // 2 for k in kernel]
        name = self._weights((channels, out_n, *kernel), uniform=True)
        chain.then("ConvTranspose", name, kernel_shape=kernel, strides=factor, pads=[*pads, *pads])
        axes = zip(space, factor, kernel, pads, strict=True)
        chain.shape = (out_n, *((n - 1) * f + k - 2 * p for n, f, k, p in axes))

    # ---- products --------------------------------------------------------------------------
    def _product(self) -> None:
        space = self._chain.shape[1:]
        match self._pick(("dense", "convolution", "depthwise", "pool")):
            case "convolution" if space:
                self._convolution(self._draw(st.integers(1, 4)), depthwise=False)
            case "depthwise" if space:
                self._convolution(self._chain.shape[0], depthwise=True)
            case "pool" if space:
                self._pool()
            case _:
                self._dense()

    def _dense(self) -> None:
        chain, out_n = self._chain, self._draw(st.integers(1, 6))
        if len(chain.shape) > 1:
            chain.then("Flatten", axis=1)
        name = self._weights((out_n, prod(chain.shape)))
        chain.shape = (out_n,)
        if self._pick(("MatMul", "Gemm")) == "MatMul":
            turned = chain.add("Transpose", [name], perm=[1, 0])
            chain.then("MatMul", turned)
            return
        gains: dict[str, Any] = {
            "alpha": self._pick((1.0, 0.5, -2.0)),
            "beta": self._pick((1.0, 2.0, -0.5)),
        }
        bias = [self._constant(self._values(out_n))] if self._flip() else []
        chain.then("Gemm", name, *bias, transB=1, **gains)

    def _convolution(self, out_n: int, depthwise: bool) -> None:
        chain = self._chain
        channels, *space = chain.shape
        pads = [(self._draw(st.integers(0, min(1, n - 1))),) * 2 for n in space]
        dilations = [self._pick((1, 2)) for _ in space]
        kernel, strides = self._kernel([n + sum(p) for n, p in zip(space, pads, strict=True)],
                                       dilations)  # fmt: skip
        name = self._weights((out_n, 1 if depthwise else channels, *kernel))
        bias = [self._constant(self._values(out_n))] if self._flip() else []
        chain.then(
            "Conv", name, *bias, kernel_shape=kernel, strides=strides, dilations=dilations,
            pads=[p[0] for p in pads] + [p[1] for p in pads], group=channels if depthwise else 1,
        )  # fmt: skip
        axes = zip(space, pads, kernel, strides, dilations, strict=True)
        chain.shape = (
            out_n, *((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, p, k, s, d in axes)
        )  # fmt: skip

    def _pool(self) -> None:
        channels, *space = self._chain.shape
        kernel, strides = self._kernel(space, [1] * len(space))
        if self._exact:
            kernel = [min(k, 2) for k in kernel]
        op = self._pick(("AveragePool", "MaxPool"))
        self._chain.then(op, kernel_shape=kernel, strides=strides)
        axes = zip(space, kernel, strides, strict=True)
        self._chain.shape = (channels, *((n - k) // s + 1 for n, k, s in axes))

    def _kernel(self, space: list[int], dilations: list[int]) -> tuple[list[int], list[int]]:
        """Return sizes and strides of a kernel that fits into the padded ``space``."""
        most = [min(3, (n - 1) // d + 1) for n, d in zip(space, dilations, strict=True)]
        return [self._draw(st.integers(1, m)) for m in most], [self._pick((1, 2)) for _ in space]

    def _weights(self, shape: tuple[int, ...], uniform: bool = False) -> str:
        """Return the tensor of quantized weights, output channels first; ``uniform``: one scale."""
        kind = self._pick(("quant", "bipolar", "whole"))
        bits = self._pick((3, 1, 2, 4, 8) if self._exact else _BITS)
        raw = self._bytes(prod(shape)).reshape(shape) / 256.0 * (1 << bits)
        if kind == "whole":
            return self._constant(np.rint(raw))
        count = shape[0] if self._flip() and not uniform else 1
        scale = np.array([self._scale() for _ in range(count)])
        scale = scale.reshape(count, *[1] * (len(shape) - 1))
        weights = self._constant(raw * scale)
        if kind == "bipolar":
            return self._chain.add("BipolarQuant", [weights, self._constant(scale)], domain=_QONNX)
        zero = self._pick((0.0, -0.5, 1.0)) if bits > 1 else -0.5
        operands = [self._constant(scale), self._constant(zero), self._constant(float(bits))]
        signed = int(bits > 1)
        return self._chain.add("Quant", [weights, *operands], domain=_QONNX, signed=signed,
                               narrow=signed * self._flip(), rounding_mode="ROUND")  # fmt: skip

    # ---- float operations ------------------------------------------------------------------
    def _elementwise(self, affine: bool) -> None:
        ops = ["Add", "Sub", "Mul", "Neg", "Identity"]
        ops += ["Reshape"] if len(self._chain.shape) == 1 else []
        ops += [] if affine else ["Relu", "Clip"]
        ops += [] if self._exact else ["Div", "BatchNormalization"]
        ops += [] if affine or self._exact else _CURVES
        op, chain = self._pick(ops), self._chain
        match op:
            case "Relu" | "Neg" | "Identity":
                chain.then(op)
            case "Reshape":
                chain.then(op, chain.constant(np.array([1, -1]), TensorProto.INT64))
            case "Clip":
                low, high = sorted((self._value(), self._value()))
                chain.then(op, self._constant(low), self._constant(high))
            case "BatchNormalization":
                count = chain.shape[0]
                gain, bias, mean = (self._constant(self._values(count)) for _ in range(3))
                variance = self._constant(np.abs(self._values(count)) + 0.25)
                chain.then(op, gain, bias, mean, variance, epsilon=1e-5)
            case "LeakyRelu" | "Elu":
                chain.then(op, alpha=self._pick((0.1, 0.01, 1.0, -0.5)))
            case "PRelu":
                chain.then(op, self._constant(self._per_channel(self._values(chain.shape[0]))))
            case "Swish":
                gate = chain.add("Sigmoid", [chain.here])
                chain.then("Mul", gate)
            case _ if op in _CURVES:
                chain.then(op)
            case "Mul" | "Div":
                chain.then(op, self._constant(self._gains()))
            case _:
                values = self._per_channel(self._values(chain.shape[0]))
                chain.then(op, self._constant(values), left=self._flip() == 1)

    def _gains(self) -> float | np.ndarray:
        """Return factors of either sign, none of them 0, for all channels or per channel."""
        count = self._pick((1, self._chain.shape[0]))
        signs = [self._pick((1.0, -1.0)) for _ in range(count)]
        values = np.array([self._scale() * sign for sign in signs])
        return float(values[0]) if count == 1 else self._per_channel(values)

    def _per_channel(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(-1, *[1] * (len(self._chain.shape) - 1))

    # ---- small choices ---------------------------------------------------------------------
    def _scale(self) -> float:
        if self._exact:
            return self._pick((1.0, 0.5, 2.0, 0.25))
        return self._pick((1.0, 0.5, 0.25, 0.125, 0.1, 0.137, 0.3, 1.7, 0.0123))

    def _value(self) -> float:
        return float(self._values(1)[0])

    def _values(self, count: int) -> np.ndarray:
        """Return multiples of 1/2 (``exact``) or 1/10."""
        return self._bytes(count) * (0.5 if self._exact else 0.1)

    def _bytes(self, count: int) -> np.ndarray:
        raw = np.frombuffer(self._draw(st.binary(min_size=count, max_size=count)), "u1")
        numbers = raw.astype(np.int64)
        return np.where(numbers % 2, (numbers + 1) // 2, -numbers // 2).astype(np.float64)

    def _constant(self, value: float | np.ndarray) -> str:
        return self._chain.constant(np.asarray(value, dtype=np.float32))

    def _flip(self) -> int:
        return int(self._draw(st.booleans()))

    def _pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(list(options)))
