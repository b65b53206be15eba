"""Files that a careless exporter or an attacker could hand over, by name."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import ModelProto, TensorProto, helper

from fuzzing.models import Chain

_HUGE = 1 << 40


def valid() -> ModelProto:
    """Return a model with a bit of everything, to be damaged."""
    chain = Chain((8,))
    _quant(chain, 0.25, 6)
    shape = chain.add("Shape", [chain.here])
    zero = chain.constant(np.array([0]), TensorProto.INT64)
    batch = chain.add("Gather", [shape, zero], axis=0)
    rest = chain.constant(np.array([-1]), TensorProto.INT64)
    chain.then("Reshape", chain.add("Concat", [batch, rest], axis=0))
    _dense(chain, 6)
    values = [chain.constant(np.linspace(0.5, 1.5, 6)) for _ in range(4)]
    chain.then("BatchNormalization", *values, epsilon=1e-5)
    chain.then("Relu")
    _quant(chain, 0.5, 3, signed=0)
    _dense(chain, 4)
    chain.then("BipolarQuant", chain.constant(1.0), domain="qonnx.custom_op.general")
    weights = chain.constant(np.arange(12.0).reshape(3, 4) - 6)
    chain.then("Gemm", weights, chain.constant(np.arange(3.0)), transB=1)
    chain.shape = (3,)
    return chain.model((8,))


def _quant(chain: Chain, scale: float, bits: int, signed: int = 1) -> None:
    operands = [chain.constant(v) for v in (scale, 0.0, float(bits))]
    chain.then("Quant", *operands, domain="qonnx.custom_op.general", signed=signed, narrow=0,
               rounding_mode="ROUND")  # fmt: skip


def _dense(chain: Chain, size: int) -> None:
    weights = np.random.default_rng(size).normal(0, 0.5, (size, *chain.shape))
    operands = [chain.constant(v) for v in (weights, 0.125, 0.0, 4.0)]
    quantized = chain.add("Quant", operands, domain="qonnx.custom_op.general", signed=1, narrow=0,
                          rounding_mode="ROUND")  # fmt: skip
    chain.then("MatMul", chain.add("Transpose", [quantized], perm=[1, 0]))
    chain.shape = (size,)


def _with(change: Callable[[ModelProto], None]) -> Callable[[], bytes]:
    def damaged() -> bytes:
        model = valid()
        change(model)
        return model.SerializeToString()

    return damaged


def _expression(op: str, *operands: object, **attributes: Any) -> Callable[[], bytes]:
    """Return a file whose first bias is a constant expression of whole numbers."""

    def made() -> bytes:
        chain = Chain((4,))
        _quant(chain, 0.25, 6)
        _dense(chain, 3)
        names = [chain.constant(np.asarray(v), TensorProto.INT64) for v in operands]
        floats = chain.add("Cast", [chain.add(op, names, **attributes)], to=TensorProto.FLOAT)
        chain.then("Add", floats)
        _quant(chain, 0.5, 4)
        return chain.model((4,)).SerializeToString()

    return made


def _dims(*sizes: int) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(sizes)

    return change


def _input_shape(*sizes: int) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        shape = model.graph.input[0].type.tensor_type.shape
        del shape.dim[:]
        for size in sizes:
            shape.dim.add().dim_value = size

    return change


def _raw(data: bytes) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        tensor = max(model.graph.initializer, key=lambda t: len(t.float_data))
        del tensor.float_data[:]
        tensor.raw_data = data

    return change


def _external(location: str) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        tensor = model.graph.initializer[0]
        del tensor.float_data[:]
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location

    return change


def _cycle(model: ModelProto) -> None:
    model.graph.node[-1].output[0] = model.graph.node[0].output[0]


def _loop(model: ModelProto) -> None:
    model.graph.node[0].input[0] = model.graph.node[-2].output[0]


def _twice(model: ModelProto) -> None:
    model.graph.initializer.add().CopyFrom(model.graph.initializer[0])
    for node in model.graph.node:
        node.name = "the same"


def _nested(model: ModelProto) -> None:
    graph = helper.make_graph([], "inner", [], [])
    for _ in range(30):
        node = helper.make_node("If", ["c0"], ["y"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "outer", [], [])
        if graph.ByteSize() > 1 << 20:
            break
    model.graph.node.extend(graph.node)


def _many_nodes(model: ModelProto) -> None:
    last = model.graph.node[-1]
    for i in range(50_000):
        model.graph.node.append(helper.make_node("Relu", [last.output[0]], [f"more{i}"]))
        last = model.graph.node[-1]


def _long_chain(model: ModelProto) -> None:
    last = model.graph.output[0].name
    for i in range(3_000):
        model.graph.node.append(helper.make_node("Relu", [last], [f"more{i}"]))
        last = f"more{i}"
    model.graph.output[0].name = last


def _unknown_ops(model: ModelProto) -> None:
    for node in model.graph.node:
        node.op_type, node.domain = "Frobnicate\0\n\x1b[31m", "com.evil"


def _names(model: ModelProto) -> None:
    for node in model.graph.node:
        node.name = "$(rm)\0\n\x1b[2J`" + "x" * 100_000


def _opset(model: ModelProto) -> None:
    model.opset_import[0].version = 1_000_000_000


def _no_opset(model: ModelProto) -> None:
    del model.opset_import[:]


def _no_shapes(model: ModelProto) -> None:
    for info in (*model.graph.input, *model.graph.output):
        info.ClearField("type")


def _element_type(model: ModelProto) -> None:
    model.graph.initializer[0].data_type = 16_777


def _string_weights(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_type = TensorProto.STRING
    tensor.string_data.append(b"x")


def _wide_levels(model: ModelProto) -> None:
    """A legal model whose 16-bit activations of many channels have millions of levels."""
    chain = Chain((1,))
    _quant(chain, 0.25, 8)
    _dense(chain, 4096)
    chain.then("Mul", chain.constant(np.linspace(0.1, 1, 4096)))
    _quant(chain, 0.001, 16)
    _dense(chain, 1)
    model.CopyFrom(chain.model((1,)))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "not a protobuf": lambda: b"\xff" * 1000,
    "all zeros": lambda: bytes(10_000),
    "deep groups": lambda: b"\x3b" * 100_000,
    "length beyond the end": lambda: b"\x3a\xff\xff\xff\xff\x7f" + b"x" * 100,
    "a constant of 2**93 elements": _with(_dims(2**31, 2**31, 2**31)),
    "a constant of 2**31 elements": _with(_dims(2**31)),
    "a negative size": _with(_dims(-1)),
    "many sizes": _with(_dims(*[1] * 5000)),
    "a constant without elements": _with(_dims(0)),
    "raw data too short": _with(_raw(b"\0" * 3)),
    "raw data too long": _with(_raw(b"\0" * 10_000)),
    "weights in /etc/passwd": _with(_external("/etc/passwd")),
    "weights above the folder": _with(_external("../../../../../etc/passwd")),
    "weights in a device": _with(_external("/dev/zero")),
    "weights in no file": _with(_external("weights.bin")),
    "an element type that does not exist": _with(_element_type),
    "weights of text": _with(_string_weights),
    "an input of 2**62 elements": _with(_input_shape(1, 2**31, 2**31)),
    "an input of a negative size": _with(_input_shape(1, -8)),
    "an input without elements": _with(_input_shape(1, 0)),
    "an input with many axes": _with(_input_shape(*[1] * 100, 8)),
    "a scalar input": _with(_input_shape()),
    "two writers": _with(_cycle),
    "a cycle": _with(_loop),
    "every name twice": _with(_twice),
    "nested graphs": _with(_nested),
    "50,000 nodes": _with(_many_nodes),
    "3,000 nodes in a chain": _with(_long_chain),
    "unknown ops": _with(_unknown_ops),
    "control characters in names": _with(_names),
    "opset 1,000,000,000": _with(_opset),
    "no opset": _with(_no_opset),
    "no shapes": _with(_no_shapes),
    "millions of levels": _with(_wide_levels),
    "ConstantOfShape": _expression("ConstantOfShape", [_HUGE, _HUGE]),
    "Expand": _expression("Expand", [1], [1 << 31, 1 << 20]),
    "Tile": _expression("Tile", [[1, 2]], [1 << 31, 1 << 31]),
    "Range": _expression("Range", 0, _HUGE, 1),
    "Range of step 0": _expression("Range", 0, 1, 0),
    "Pad": _expression("Pad", [1, 2, 3], [_HUGE, _HUGE]),
    "outer product": _expression("MatMul", np.ones((5000, 1)), np.ones((1, 5000))),
    "OneHot": _expression("OneHot", [1], _HUGE, [0, 1]),
    "Pow": _expression("Pow", [10, 10, 10], [1 << 62]),
    "Reshape": _expression("Reshape", [1, 2, 3], [-1, -1]),
    "Gather": _expression("Gather", [1, 2, 3], [_HUGE]),
    "Gather of a large axis": _expression("Gather", [1, 2, 3], [0], axis=_HUGE),
    "Split": _expression("Split", [1, 2, 3, 4], [2, 2]),
    "a random constant": _expression("RandomNormal", shape=[1 << 30]),
}


def mutated(rng: np.random.Generator) -> bytes:
    """Return a valid file after one to four random changes of its fields or bytes."""
    model = valid()
    for _ in range(rng.integers(0, 4)):
        _change_field(model, rng)
    data = bytearray(model.SerializeToString())
    for _ in range(rng.integers(0, 4) if rng.integers(2) else 0):
        _change_bytes(data, rng)
    return bytes(data)


_INTEGERS = (0, 1, -1, 2, 3, 7, 16, 255, 1 << 20, 1 << 31, -(1 << 31), _HUGE, -(1 << 63))
_TEXTS = ("", "x", "t0", "c0", "Relu", "Quant", "MatMul", "Reshape", "\0\n")
_FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e-45, 3e38, 0.5)


def _change_field(model: ModelProto, rng: np.random.Generator) -> None:
    """Change one field, chosen among all fields of all messages inside."""
    places = list(_fields(model))
    message, field = places[rng.integers(len(places))]
    value = getattr(message, field.name)
    if field.is_repeated:
        _change_list(value, field, rng)
    elif field.type == field.TYPE_MESSAGE or not rng.integers(6):
        message.ClearField(field.name)
    else:
        with contextlib.suppress(ValueError):  # an enumerator that does not exist
            setattr(message, field.name, _other(value, field, rng))


def _change_list(values: Any, field: FieldDescriptor, rng: np.random.Generator) -> None:
    """Drop, double, move or change one element."""
    i, j = rng.integers(len(values), size=2)
    kept = [copy.deepcopy(value) for value in values]
    match rng.integers(4):
        case 0:
            del kept[i]
        case 1:
            kept.insert(j, copy.deepcopy(kept[i]))
        case 2:
            kept[i], kept[j] = kept[j], kept[i]
        case _ if field.type != field.TYPE_MESSAGE:
            kept[i] = _other(kept[i], field, rng)
    del values[:]
    values.extend(kept)


def _other(value: Any, field: FieldDescriptor, rng: np.random.Generator) -> Any:
    """Return another value of the field's type, an extreme one where there are some."""
    if isinstance(value, float):
        return _FLOATS[rng.integers(len(_FLOATS))]
    if isinstance(value, int):
        number = _INTEGERS[rng.integers(len(_INTEGERS))]
        narrow = field.type in (field.TYPE_INT32, field.TYPE_ENUM)
        return int(np.clip(number, -(1 << 31), (1 << 31) - 1)) if narrow else number
    if isinstance(value, bytes):
        return value[: rng.integers(len(value) + 1)] + bytes(rng.integers(0, 256, rng.integers(5)))
    texts = (*_TEXTS, value * 2)
    return texts[rng.integers(len(texts))]


def _fields(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """Yield every field that is set, here and in all messages inside."""
    for field, value in message.ListFields():
        yield message, field
        if field.type == field.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                yield from _fields(inner)


def _change_bytes(data: bytearray, rng: np.random.Generator) -> None:
    if not data:
        return
    at, count = int(rng.integers(len(data))), int(rng.integers(1, 16))
    match rng.integers(5):
        case 0:
            data[at] ^= 1 << int(rng.integers(8))
        case 1:
            del data[at : at + count]
        case 2:
            data[at:at] = bytes(rng.integers(0, 256, count, dtype=np.uint8))
        case 3:
            data[at : at + count] = data[:count]
        case _:
            del data[at:]
