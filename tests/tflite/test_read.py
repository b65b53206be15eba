"""Files that are not what they should be: one paragraph, never a traceback or a blow-up."""

import contextlib

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_models import Chain

from hwgen.errors import HwgenError, ModelError
from hwgen.sources import load_source
from hwgen.tflite import load, read, to_graph


def network() -> Chain:
    rng = np.random.default_rng(0)
    chain = Chain((6, 5, 2), (0.1, 3))
    chain.conv(rng.integers(-9, 9, (3, 2, 2, 2)), np.arange(3), [0.1, 0.2, 0.3], (0.3, 1))
    chain.depthwise(rng.integers(-9, 9, (2, 2, 3)), np.arange(3), [0.1, 0.2, 0.3], (0.3, 1))
    chain.pool((2, 2)).reshape(18).dense(rng.integers(-9, 9, (4, 18)), None, 0.1, (0.3, 2))
    return chain.elementwise("LEAKY_RELU", (0.2, 5)).softmax()


def test_what_is_read():
    net = read(network().content(), "net")
    kinds = [op.kind for op in net.operators]
    assert kinds == [
        "CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED",
        "LEAKY_RELU", "SOFTMAX",
    ]  # fmt: skip
    conv = net.operators[0]
    assert conv.options["Padding"] == "VALID"
    assert conv.inputs[1].scale.tolist() == [np.float32(s) for s in (0.1, 0.2, 0.3)]
    assert conv.inputs[1].data.shape == (3, 2, 2, 2)
    assert len({v.name for op in net.operators for v in op.outputs}) == len(kinds)


@pytest.mark.parametrize("block", range(4))
def test_mutated_bytes_give_a_graph_or_one_paragraph(block):
    content = network().content()
    messages = []
    for seed in range(250 * block, 250 * block + 250):
        rng = np.random.default_rng(seed)
        broken = np.frombuffer(content, dtype=np.uint8).copy()
        where = rng.integers(8, len(broken), rng.integers(1, 9))
        broken[where] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)], len(where))
        cut = rng.integers(8, len(broken)) if seed % 5 == 0 else len(broken)
        with contextlib.suppress(HwgenError):
            to_graph(broken[:cut].tobytes(), "net")
            continue
        messages.append(to_error(broken[:cut].tobytes()))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_vector_longer_than_the_file():
    builder = flatbuffers.Builder(64)
    model = schema.ModelT()
    model.subgraphs, model.buffers = [schema.SubGraphT()], [schema.BufferT()]
    builder.Finish(model.Pack(builder), b"TFL3")
    content = bytearray(builder.Output())
    assert to_error(bytes(content)).startswith("net: 0 inputs and 0 outputs")
    broken = bytearray(network().content())
    shape = broken.index(np.array([1, 6, 5, 2], dtype="<i4").tobytes())
    broken[shape - 4 : shape] = np.array([1 << 30], dtype="<u4").tobytes()
    assert to_error(bytes(broken)) == "x: 1073741824 axes; hwgen reads 8."


def to_error(content: bytes) -> str:
    with pytest.raises(HwgenError) as caught:
        to_graph(content, "net")
    return str(caught.value)


def test_not_a_tflite_file(tmp_path):
    with pytest.raises(ModelError, match=r"net: not a TFLite file \(bytes 4 to 8 are not 'TFL3'\)"):
        read(b"", "net")
    with pytest.raises(ModelError, match=r"net: a broken TFLite file \(.*\); convert the model"):
        read(b"\xff\xff\xff\x7fTFL3", "net")
    with pytest.raises(ModelError, match="no such file; give the path of a TFLite model"):
        load(tmp_path / "none.tflite")


def test_a_source_is_told_by_its_suffix(tmp_path):
    path = tmp_path / "net.TFLITE"
    path.write_bytes(network().content())
    source = load_source(path)
    assert (source.FILE, source.left_to_host) == ("model.tflite", ["SOFTMAX"])
    assert source.content == path.read_bytes()


def test_a_shape_that_would_fill_the_memory():
    chain = network()
    chain.tensors[0].shape = [1, 60_000, 60_000, 2]
    assert to_error(chain.content()) == (
        "x: shape [1, 60000, 60000, 2]; hwgen needs fixed sizes of at least 1 and at most 16777216 "
        "values. Convert with a static input shape and a batch of 1."
    )


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-30, float("nan"), float("inf")])
def test_a_scale_that_is_none(scale):
    chain = network()
    chain.tensors[1].quantization.scale[1] = scale
    assert "a scale must be positive, from 1e-18 to 1e+18" in to_error(chain.content())


def test_a_zero_point_outside_the_type():
    chain = network()
    chain.tensors[0].quantization.zeroPoint = [128]
    assert to_error(chain.content()) == (
        "x: a zero point outside -128 .. 127, the range of int8; quantize the model again."
    )


def test_scales_that_do_not_fit_the_axis():
    chain = network()
    chain.tensors[1].quantization.quantizedDimension = 3
    assert "3 scales on axis 3 of shape [3, 2, 2, 2]" in to_error(chain.content())


def test_data_of_another_size():
    chain = network()
    chain.tensors[1].shape = [3, 2, 2, 3]
    assert "a broken TFLite file" in to_error(chain.content())
