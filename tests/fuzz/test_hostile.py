"""Hostile files: a build or one paragraph, never a traceback, a hang or a memory blow-up."""

import re

import numpy as np
import onnx
import pytest
from fuzzing.hostile import HOSTILE, mutated, valid
from fuzzing.sandbox import attempt
from onnx import helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.limits import MAX_NODES
from hwgen.streamline.folding import check_foldable
from hwgen.streamline.read import load, read


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_paragraph(name):
    assert not attempt(HOSTILE[name]())


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_build_or_are_refused(seed):
    rng = np.random.default_rng(seed)
    for i in range(50):
        assert not attempt(mutated(rng)), f"mutation {i} of seed {seed}"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a constant of 2**31 elements", "the shape [2147483648]: more than 16,777,216 elements"),
        ("a negative size", "has a negative size in its shape [-1]"),
        ("raw data too short", "its data do not fit its type and shape"),
        ("weights in /etc/passwd", "'/etc/passwd', which is not a file beside the model"),
        ("weights above the folder", "which is not a file beside the model; save it as one file"),
        ("two writers", "is written twice"),
        ("a cycle", "model: the graph has a cycle ("),
        ("nested graphs", "If with a graph inside; hwgen builds chains without control flow"),
        ("50,000 nodes", f"nodes; hwgen reads models of up to {MAX_NODES:,}"),
        ("unknown ops", "is not the name of an op"),
    ],
)  # fmt: skip
def test_the_message_says_what_is_wrong(name, says, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(HOSTILE[name]())
    with pytest.raises(ModelError) as refused:
        read(load(path))
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("op", "operands", "says"),
    [
        ("Tile", ([[1, 2]], [1 << 31, 1]), "has the shape [2147483648, 2]: more than"),
        ("ConstantOfShape", ([1 << 20, 1 << 20],), "has the shape [1048576, 1048576]: more than"),
        ("MatMul", (np.ones((9000, 1)), np.ones((1, 9000))), "has the shape [9000, 9000]: more"),
        ("Range", (0, 1 << 40, 1), "has the shape [1099511627776]: more than"),
        ("OneHot", ([1], 1 << 40, [0, 1]), "is not one that hwgen evaluates; fold"),
    ],
)  # fmt: skip
def test_a_constant_expression_is_not_evaluated_if_it_is_too_large(op, operands, says):
    node = helper.make_node(op, [], ["y"], name="n")
    with pytest.raises(ModelError, match=re.escape(f"n: the constant expression {op} {says}")):
        check_foldable(node, [np.asarray(x) for x in operands])


def test_a_file_of_512_mebibytes_is_not_read(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 29)
    with pytest.raises(ModelError, match="536,870,912 bytes; hwgen reads models of up to"):
        load(path)


@pytest.mark.parametrize("most", [20, 150])  # the stored ones, and with those that are computed
def test_all_constants_together_have_a_limit(most, monkeypatch):
    monkeypatch.setattr("hwgen.limits.MAX_CONSTANTS", most)
    with pytest.raises(ModelError, match=f"its constants have more than {most} elements"):
        read(valid())


def test_weights_in_a_file_beside_the_model_are_read(tmp_path):
    path = tmp_path / "model.onnx"
    model = valid()
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    inline = read(model)
    onnx.save(model, path, save_as_external_data=True, location="model.data", size_threshold=0)
    beside = read(load(path))
    assert (tmp_path / "model.data").stat().st_size > 0
    assert inline.constants.keys() == beside.constants.keys()
    for name, constant in inline.constants.items():
        np.testing.assert_array_equal(constant.value, beside.constants[name].value)
