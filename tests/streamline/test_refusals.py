"""What cannot be exact is refused: the whole message, with the node, the reason and a remedy."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import TensorProto, helper

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.graph.names import identifier
from hwgen.streamline import streamline
from models import Chain


def small() -> Chain:
    return Chain((4,)).quant(0.5, bits=4)


def weights(out=3, in_=4):
    return np.random.default_rng(0).normal(0, 1, (out, in_))


def refused(kind, chain_or_path, message):
    model = chain_or_path.model() if isinstance(chain_or_path, Chain) else chain_or_path
    with pytest.raises(kind, match=re.escape(message)):
        streamline(model)


def test_not_a_file(tmp_path):
    refused(ModelError, tmp_path / "none.onnx", "none.onnx: no such file; give the path")


@pytest.mark.parametrize("content", [b"hello", b"", bytes(range(256)) * 20])
def test_not_onnx(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    refused(ModelError, tmp_path / "x.onnx", "x.onnx: not an ONNX")


def test_float_weights():
    chain = small().add("MatMul", "w", name="fc1")
    chain.constants.append(helper.make_tensor("w", TensorProto.FLOAT, [4, 3], weights().ravel()))
    chain.out_size = 3
    refused(ModelError, chain, "fc1: the weights are float (first: 0.12573); hwgen needs quantized "
            "weights. Train with Brevitas layers (QuantLinear) and export QONNX")  # fmt: skip


def test_float_input():
    refused(ModelError, Chain((4,)).dense(weights(), 0.3, name="fc1"),
            "the input of fc1 is not quantized; add a quantizer (QuantIdentity) there")  # fmt: skip


def test_float_activation():
    chain = small().dense(weights(), 0.3, name="fc1").add("Relu").dense(weights(2, 3), 0.3)
    refused(ModelError, chain, "fc1: its output reaches MatMul_7 without a quantizer; add a")


def test_unsupported_op():
    chain = small().dense(weights(), 0.3).add("Sin", name="snake/sin").quant(0.5)
    refused(UnsupportedOp, chain, "snake/sin: op Sin has no integer form here. Replace it in the "
            "model, or move it to the host; supported: Quant, BipolarQuant, MatMul")  # fmt: skip


def test_dynamic_shape():
    model = small().dense(weights(), 0.3).model()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "n"
    refused(
        ModelError, model, "tensor 'x' has a dynamic shape (axis 1 is 'n'); hardware needs fixed"
    )


def test_a_symbolic_batch_is_fine():
    model = small().dense(weights(), 0.3).model()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    assert streamline(model).graph.node[0].op_type == "MatMul"


def test_branch():
    chain = small().dense(weights(4), 0.3).quant(0.5, name="q")
    fork = chain.here
    chain.dense(weights(4), 0.3, name="a").add("Mul", fork, name="gate")
    refused(UnsupportedOp, chain, "gate: Mul of two data tensors; hwgen joins branches with Add,")


def test_concat_of_one():
    chain = small().dense(weights(4), 0.3).quant(0.5).add("Concat", axis=1, name="one")
    refused(UnsupportedOp, chain.dense(weights(), 0.3), "one: op Concat has no integer form here.")


def test_scale_per_input_channel():
    chain = small().dense(weights(), np.full((1, 4), 0.3) * np.arange(1, 5), name="fc1")
    refused(
        UnsupportedOp, chain, "fc1: the weight scale differs between inputs of one output channel"
    )


def test_activation_scale_per_channel():
    chain = Chain((4,)).quant(np.array([0.1, 0.2, 0.3, 0.4])).dense(weights(), 0.3, name="fc1")
    refused(
        UnsupportedOp, chain, "fc1: its input has a scale or zero point per channel; a sum over"
    )


def test_clamp_after_the_last_quantizer():
    chain = small().dense(weights(), 0.3).add("Relu", name="last_relu")
    refused(
        UnsupportedOp, chain, "last_relu: Relu comes after the last quantizer and is not affine"
    )


def test_unknown_rounding():
    chain = small().dense(weights(), 0.3).quant(0.5, rounding="SIDEWAYS", name="q1")
    refused(UnsupportedOp, chain, "q1: rounding mode 'SIDEWAYS' is not one of ROUND, ")


def test_too_many_bits():
    refused(UnsupportedOp, small().dense(weights(), 0.3).quant(0.5, bits=24, name="q1"),
            "q1: bit width [24.0] is not one whole number from 1 to 16")  # fmt: skip


def test_bad_scale():
    refused(UnsupportedOp, small().dense(weights(), 0.3).quant(0.0, name="q1"),
            "q1: scale 0.0 is not positive; a quantizer's step must be")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "legal"),
    [("/features/fc1/MatMul", "features_fc1_MatMul"), ('a"; exec rm', "a_exec_rm"),
     ("3x", "n3x"), ("ünï code", "n_code"), ("", "layer"), ("$display('hi')", "display_hi")],
)  # fmt: skip
def test_identifiers_are_legal_everywhere(name, legal):
    assert re.fullmatch(r"[A-Za-z]\w*", identifier(name), flags=re.ASCII)
    if legal != "n_code":
        assert identifier(name) == legal


def test_equal_identifiers_stay_apart():
    chain = small().dense(weights(4), 0.3, name="a b").quant(0.5, name="q")
    chain.dense(weights(4), 0.3, name="a/b").quant(0.5, name="Q").dense(weights(), 0.3, name="A_b")
    names = [node.name for node in streamline(chain.model()).graph.node]
    assert names == ["a_b", "q", "a_b_2", "Q_2", "A_b_3"]


def test_constants_that_are_no_numbers():
    chain = small().dense(weights(), 0.3)
    refused(ModelError, chain.add("Add", chain.constant(np.full(3, np.nan))).quant(0.5),
            "holds NaN (not a number); check the training")  # fmt: skip
    chain = small().dense(weights(), 0.3)
    refused(ModelError, chain.add("Mul", chain.constant(np.inf), name="mul").quant(0.5),
            "mul: constant 'c7' is infinite; check the training of this layer.")  # fmt: skip


def test_operations_that_mean_nothing():
    chain = small().dense(weights(), 0.3)
    refused(ModelError, chain.add("Div", chain.constant(0.0), name="div").quant(0.5),
            "div: divides by 0; check the training of this constant.")  # fmt: skip
    chain = small().dense(weights(), 0.3)
    bounds = chain.constant(1.0), chain.constant(-1.0)
    refused(ModelError, chain.add("Clip", *bounds, name="clip").quant(0.5),
            "clip: Clip to 1.0 .. -1.0, an empty range; swap the bounds.")  # fmt: skip


def test_a_malformed_node():
    chain = small()
    chain.add("Reshape", chain.constant([1, 7], np.int64), name="view").dense(weights(), 0.3)
    refused(ModelError, chain, "view: Reshape on data of shape [1, 4] is malformed (cannot reshape")


def test_a_quantizer_with_too_few_inputs():
    chain = small()
    del chain.nodes[0].input[3:]
    refused(UnsupportedOp, chain.dense(weights(), 0.3), "Quant_0: Quant has 3 inputs; QONNX gives")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a__b", "a_b"), ("codes", "codes_n"), ("q_out_fifo", "q_out_fifo_n"), ("h_x12", "h_x12_n"),
     ("beat", "beat_n"), ("x" * 300, "x" * 64)],
)  # fmt: skip
def test_names_keep_clear_of_those_that_the_top_makes_up(name, expected):
    assert identifier(name) == expected
