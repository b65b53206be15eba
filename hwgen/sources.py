"""What hwgen builds from: each kind of model file, its way to integers and who witnesses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

if TYPE_CHECKING:
    from onnx import ModelProto

    from hwgen.hls4ml_backend.fixed.front_end import FixedModel


class Source(Protocol):
    """A model that can be built; a build directory keeps its file."""

    FILE: ClassVar[str]  # its name in a build directory
    WITNESSES: ClassVar[tuple[str, ...]]  # that run the source itself

    @property
    def content(self) -> bytes:
        """The file."""

    @property
    def left_to_host(self) -> list[str]:
        """Kinds of the ops at the end that the accelerator leaves to the host."""

    def integer_qonnx(self) -> ModelProto:
        """Return the integer graph as QONNX, hls4ml's input.

        raises  ModelError, UnsupportedOp  naming the node, the reason and a remedy
        """


@dataclass(frozen=True, eq=False)
class QonnxSource:
    """A QONNX model."""

    FILE: ClassVar[str] = "model.onnx"
    WITNESSES: ClassVar[tuple[str, ...]] = ("brevitas", "qonnx")
    model: ModelProto

    @property
    def content(self) -> bytes:
        """The file."""
        return self.model.SerializeToString()

    @property
    def left_to_host(self) -> list[str]:
        """Nothing: a QONNX model is built to its end."""
        return []

    def integer_qonnx(self) -> ModelProto:
        """Return the streamlined model."""
        from hwgen.streamline import streamline

        return streamline(self.model)


@dataclass(frozen=True, eq=False)
class TfliteSource:
    """An int8 TFLite model; ``name`` is for messages and the graph."""

    FILE: ClassVar[str] = "model.tflite"
    WITNESSES: ClassVar[tuple[str, ...]] = ("tflite",)
    content: bytes
    name: str

    @property
    def left_to_host(self) -> list[str]:
        """A final softmax, and what follows it."""
        from hwgen.tflite import left_to_host

        return left_to_host(self.content, self.name)

    def integer_qonnx(self) -> ModelProto:
        """Return the model's integer graph as QONNX."""
        from hwgen.streamline.write import integer_qonnx
        from hwgen.tflite import to_graph

        return integer_qonnx(to_graph(self.content, self.name))


@dataclass(frozen=True, eq=False)
class FixedSource:
    """A Keras or PyTorch model that hls4ml gave fixed-point types; the file is its own project."""

    FILE: ClassVar[str] = "hls4ml.tar.gz"
    WITNESSES: ClassVar[tuple[str, ...]] = ("hls4ml",)
    model: FixedModel

    @property
    def content(self) -> bytes:
        """The project that hls4ml's Vitis backend writes of the model."""
        return self.model.project

    @property
    def left_to_host(self) -> list[str]:
        """Nothing: the model is built to its end."""
        return []

    def integer_qonnx(self) -> ModelProto:
        """Return the model's integer graph as QONNX."""
        from hwgen.streamline.write import integer_qonnx

        return integer_qonnx(self.model.graph)


Kind: TypeAlias = type[QonnxSource] | type[TfliteSource] | type[FixedSource]
KINDS: tuple[Kind, ...] = (QonnxSource, TfliteSource, FixedSource)


def load_source(path: Path) -> Source:
    """Return the model in a file, named after it: TFLite by its suffix, else QONNX.

    raises  ModelError  if the file is not such a model
    """
    if path.suffix.lower() == ".tflite":
        from hwgen.tflite import load

        return TfliteSource(load(path), path.stem)
    from hwgen.streamline.read import load as load_qonnx

    return QonnxSource(load_qonnx(path))


def kind_in(folder: Path) -> Kind:
    """Return the kind of the model that the build in ``folder`` keeps."""
    return next((kind for kind in KINDS if (folder / kind.FILE).is_file()), QonnxSource)
