"""QONNX models built by hand, with the quantizer nodes as exporters write them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper


@dataclass
class Chain:
    """Grow a chain of nodes from one input; ``model()`` returns the ModelProto."""

    in_shape: tuple[int, ...]
    name: str = "chain"
    nodes: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    here: str = "x"
    out_size: int = 0
    shapes: dict = field(default_factory=dict)  # of tensors whose shape no exporter would leave out

    def constant(self, value, dtype=np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def add(
        self, op: str, *inputs: str, domain: str = "", first: bool = True, **attributes
    ) -> Chain:
        out = f"t{len(self.nodes)}"
        ins = [self.here, *inputs] if first else [*inputs, self.here]
        name = attributes.pop("name", f"{op}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(op, ins, [out], name=name, domain=domain, **attributes))
        self.here = out
        return self

    def quant(self, scale, zero=0.0, bits=8, signed=1, narrow=0, rounding="ROUND", **kw) -> Chain:
        operands = [self.constant(scale), self.constant(zero), self.constant(float(bits))]
        return self.add("Quant", *operands, domain="qonnx.custom_op.general", signed=signed,
                        narrow=narrow, rounding_mode=rounding, **kw)  # fmt: skip

    def bipolar(self, scale=1.0) -> Chain:
        return self.add("BipolarQuant", self.constant(scale), domain="qonnx.custom_op.general")

    def dense(self, weights, scale, bits=4, zero=0.0, narrow=1, bipolar=False, name=None) -> Chain:
        """``weights`` (out, in) float; ``scale`` () or (out, 1)."""
        raw, s = self.constant(weights), self.constant(scale)
        quantized, transposed = f"q_{raw}", f"qt_{raw}"
        if bipolar:
            node = helper.make_node("BipolarQuant", [raw, s], [quantized], name=f"wq_{raw}",
                                    domain="qonnx.custom_op.general")  # fmt: skip
        else:
            ins = [raw, s, self.constant(zero), self.constant(float(bits))]
            node = helper.make_node("Quant", ins, [quantized], name=f"wq_{raw}", signed=1,
                                    narrow=narrow, rounding_mode="ROUND",
                                    domain="qonnx.custom_op.general")  # fmt: skip
        self.nodes.append(node)
        self.nodes.append(
            helper.make_node("Transpose", [quantized], [transposed], perm=[1, 0], name=f"wt_{raw}")
        )
        self.out_size = len(weights)
        return self.add("MatMul", transposed, name=name or f"MatMul_{len(self.nodes)}")

    def conv(self, weights, scale, bits=4, zero=0.0, bias=None, **attributes) -> Chain:
        """``weights`` (out, in / group, *kernel) float; ``scale`` () or (out, 1, ...)."""
        raw = self.constant(weights)
        quantized = f"q_{raw}"
        ins = [raw, self.constant(scale), self.constant(zero), self.constant(float(bits))]
        self.nodes.append(
            helper.make_node("Quant", ins, [quantized], name=f"wq_{raw}", signed=1, narrow=1,
                             rounding_mode="ROUND", domain="qonnx.custom_op.general")
        )  # fmt: skip
        operands = [quantized] if bias is None else [quantized, self.constant(bias)]
        attributes.setdefault("kernel_shape", list(np.shape(weights)[2:]))
        return self.add("Conv", *operands, **attributes)

    def batch_norm(self, rng, channels) -> Chain:
        values = (
            rng.normal(0, 1, channels),
            rng.normal(0, 0.5, channels),
            rng.normal(0, 1, channels),
            rng.uniform(0.1, 2, channels),
        )
        return self.add("BatchNormalization", *(self.constant(v) for v in values), epsilon=1e-5)

    def model(self, out_shape=None) -> ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *self.in_shape])
        out_shape = [1, self.out_size] if out_shape is None else out_shape
        y = helper.make_tensor_value_info(self.here, TensorProto.FLOAT, out_shape)
        inner = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in self.shapes.items()
        ]
        graph = helper.make_graph(
            self.nodes, self.name, [x], [y], initializer=self.constants, value_info=inner
        )
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)
