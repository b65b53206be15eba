"""Read a QONNX file: one static input, one output, constants folded, every node named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, ValueInfoProto, helper
from onnx.external_data_helper import load_external_data_for_model, uses_external_data
from onnx.reference import ReferenceEvaluator
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

from hwgen.errors import ModelError, UnsupportedOp
from hwgen.limits import check_constants, check_file
from hwgen.num.elementwise import Segment, Step, codes
from hwgen.num.inttype import FloatArray
from hwgen.streamline.folding import check_foldable
from hwgen.streamline.quantizers import MAX_CONSTANT_BITS, QUANT_OPS, quant_step
from hwgen.streamline.remedies import refuse_foreign
from hwgen.streamline.validate import check_declared, constant, printable, validate

_RESHAPES = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A constant; if quantized, ``value = scale * (codes - zero_point)``, all of one shape."""

    value: FloatArray
    codes: FloatArray | None = None
    scale: FloatArray | None = None
    zero_point: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A QONNX graph with only the nodes that depend on the input left, in order."""

    name: str
    input: str
    output: str
    input_shape: tuple[int, ...]  # without batch
    nodes: tuple[NodeProto, ...]
    constants: dict[str, Constant]

    def branch(self, tensor: str) -> UnsupportedOp:
        """Return the error of a tensor whose readers hwgen cannot join."""
        names = ", ".join(n.name for n in self.nodes if tensor in n.input) or "nobody"
        return UnsupportedOp(
            f"tensor {tensor!r} is read by {names}; hwgen joins branches with Add, Sub and Concat, "
            "and its one output is read by nobody. Change the model, or export a part of it."
        )

    def constant(self, node: NodeProto, name: str) -> FloatArray:
        """Return an operand of ``node`` that must be constant; raises UnsupportedOp, ModelError."""
        constant = self.constants.get(name)
        if constant is None:
            raise UnsupportedOp(
                f"{node.name}: {node.op_type} of two data tensors ({name!r} is not constant); "
                "hwgen joins branches with Add, Sub and Concat. Change the model, or export a part."
            )
        if not np.all(np.isfinite(constant.value)):
            raise ModelError(
                f"{node.name}: constant {name!r} is infinite; check the training of this layer."
            )
        return np.asarray(constant.value, dtype=np.float64)


def read(model: ModelProto | str | Path) -> Source:
    """Return the model as a :class:`Source`.

    raises  ModelError   not an ONNX file, several inputs or outputs, dynamic shapes
            UnsupportedOp a constant expression that cannot be evaluated
    """
    proto = model if isinstance(model, ModelProto) else load(model)
    name = printable(proto.graph.name or "model")
    validate(proto)
    try:
        wrapper = ModelWrapper(proto, make_deepcopy=True)
    except Exception as error:  # qonnx raises many kinds on malformed graphs
        raise _malformed(name, error) from None
    initialized = {t.name for t in proto.graph.initializer}
    inputs = [i for i in wrapper.graph.input if i.name not in initialized]
    _check_one("input", [i.name for i in inputs], name)
    input_shape = _static_shape(inputs[0], name)
    for node in wrapper.graph.node:  # a protobuf domain alias that older exporters write
        if node.op_type in QUANT_OPS:
            node.domain = "qonnx.custom_op.general"
    _name_nodes(wrapper)
    refuse_foreign(wrapper.graph.node)
    nodes, constants = _fold(_inferred(wrapper, name))
    # A Brevitas QuantTensor brings its scale, zero point, bit width, ... as constant outputs.
    known = initialized | set(constants)
    outputs = [o.name for o in wrapper.graph.output if o.name not in known]
    _check_one("output", outputs, name)
    return Source(
        name=name,
        input=inputs[0].name,
        output=outputs[0],
        input_shape=input_shape,
        nodes=nodes,
        constants=constants,
    )


def _check_one(role: str, tensors: list[str], name: str) -> None:
    if len(tensors) != 1:
        raise ModelError(
            f"{name}: {len(tensors)} {role}s ({', '.join(tensors[:8])}); hwgen builds "
            "models with one input and one output. Export the part between two such tensors."
        )


def load(path: str | Path) -> ModelProto:
    """Return the ONNX model in a file, named after it; raises ModelError if it is not one."""
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give the path of a QONNX model (.onnx).")
    check_file(path)
    try:
        proto = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise ModelError(
            f"{path}: not an ONNX file ({str(error).strip() or type(error).__name__}); export the "
            "model with brevitas.export.export_qonnx or another QONNX exporter."
        ) from None
    if not proto.graph.node:
        raise ModelError(f"{path}: not an ONNX model, or one without nodes; export it again.")
    _load_external(proto, path)
    proto.graph.name = path.stem
    return proto


def _load_external(proto: ModelProto, path: Path) -> None:
    """Read the weights that exporters put into files beside the model: those and no others."""
    places = {
        entry.value
        for tensor in proto.graph.initializer
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    for place in places:
        beside = path.parent / place
        if Path(place).name != place or beside.is_symlink() or not beside.is_file():
            raise ModelError(
                f"{path}: its weights are in {place!r}, which is not a file beside the model; save "
                "it as one file: onnx.save(onnx.load(path), path, save_as_external_data=False)."
            )
        check_file(beside)
    try:
        load_external_data_for_model(proto, str(path.parent))
    except Exception as error:  # of many kinds
        raise ModelError(
            f"{path}: its external weights cannot be read ({str(error).splitlines()[0][:200]}); "
            "save it as one file."
        ) from None


def _static_shape(info: ValueInfoProto, name: str) -> tuple[int, ...]:
    """Return the shape without batch; the batch may be symbolic and is then set to 1."""
    dims = info.type.tensor_type.shape.dim
    for axis, dim in enumerate(dims):
        if dim.dim_value > 0:
            continue
        if axis == 0:
            dim.dim_value = 1
            continue
        raise ModelError(
            f"{name}: tensor {info.name!r} has a dynamic shape (axis {axis} is "
            f"{dim.dim_param or '?'!r}); hardware needs fixed sizes. Export with a static shape, "
            "only the batch may be dynamic."
        )
    if not dims or dims[0].dim_value != 1:
        raise ModelError(
            f"{name}: tensor {info.name!r} has shape {[d.dim_value for d in dims]}; the first axis "
            "must be a batch of 1. Export with a batch of 1."
        )
    return tuple(d.dim_value for d in dims[1:])


def _name_nodes(wrapper: ModelWrapper) -> None:
    for i, node in enumerate(wrapper.graph.node):
        node.name = printable(node.name or f"{node.op_type}_{i}")


def _inferred(wrapper: ModelWrapper, name: str) -> ModelWrapper:
    try:
        inferred = wrapper.transform(InferShapes())
    except Exception as error:  # onnx and qonnx raise many kinds on malformed graphs
        raise _malformed(name, error) from None
    check_declared(inferred.graph)
    return inferred


def _malformed(name: str, error: Exception) -> ModelError:
    reason = printable(next(iter(str(error).strip().splitlines()), type(error).__name__))
    return ModelError(
        f"{name}: shape inference fails ({reason}); the file is not a valid QONNX model. "
        "Check it with onnx.checker and export it again."
    )


def _fold(wrapper: ModelWrapper) -> tuple[tuple[NodeProto, ...], dict[str, Constant]]:
    constants = {t.name: Constant(constant(t)) for t in wrapper.graph.initializer}
    elements = sum(c.value.size for c in constants.values())
    dynamic = []
    for node in wrapper.graph.node:
        used = [name for name in node.input if name]
        shape = wrapper.get_tensor_shape(used[0]) if used and node.op_type == "Shape" else None
        if shape is not None:
            constants[node.output[0]] = Constant(np.array(shape))
        elif all(name in constants for name in used):
            _fold_node(node, constants, wrapper)
            elements += constants[node.output[0]].value.size
            check_constants(elements, node.name)
        else:
            dynamic.append(node)
    return tuple(dynamic), constants


def _fold_node(node: NodeProto, constants: dict[str, Constant], wrapper: ModelWrapper) -> None:
    first = constants[node.input[0]] if node.input and node.input[0] else None
    if node.op_type in QUANT_OPS and first is not None:
        constants[node.output[0]] = _quantized(node, first, constants)
        return
    result = _execute(node, {n: constants[n].value for n in node.input if n}, wrapper)
    if first is None or first.codes is None or node.op_type not in _RESHAPES:
        constants[node.output[0]] = Constant(result)
        return
    moved = []
    for part in (first.codes, first.scale, first.zero_point):
        assert part is not None
        values = {n: constants[n].value for n in node.input if n}
        moved.append(_execute(node, values | {node.input[0]: part}, wrapper))
    constants[node.output[0]] = Constant(result, *moved)


def _execute(node: NodeProto, values: dict[str, FloatArray], wrapper: ModelWrapper) -> FloatArray:
    try:
        check_foldable(node, [values[n] for n in node.input if n])
        evaluator = ReferenceEvaluator(_as_model(node, wrapper))
        return np.asarray(evaluator.run(None, values)[0])
    except ModelError:
        raise
    except Exception as error:  # the evaluator raises many kinds
        raise UnsupportedOp(
            f"{node.name}: the constant expression {node.op_type} cannot be evaluated "
            f"({printable(str(error))}); fold constants in the exporter."
        ) from None


def _as_model(node: NodeProto, wrapper: ModelWrapper) -> ModelProto:
    untyped = [[ValueInfoProto(name=n) for n in names if n] for names in (node.input, node.output)]
    graph = helper.make_graph([node], node.name, *untyped)
    return helper.make_model(graph, opset_imports=wrapper.model.opset_import)


def _quantized(node: NodeProto, x: Constant, constants: dict[str, Constant]) -> Constant:
    operands = {n: constants[n].value for n in node.input[1:] if n in constants}
    step: Step = quant_step(node, operands, MAX_CONSTANT_BITS)
    segment: Segment = (step,)
    code = codes(segment, np.asarray(x.value, dtype=np.float32)).astype(np.float64)
    scale, zero_point = (np.broadcast_to(o, code.shape) for o in step.operands)
    return Constant(scale * (code - zero_point), code, scale, zero_point)
