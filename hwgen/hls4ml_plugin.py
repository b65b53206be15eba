"""hwgen as an hls4ml backend: ``convert_from_{onnx,keras,pytorch}_model(..., backend="hwgen")``.

``compile()`` writes the accelerator and builds its Verilator simulator, ``predict(x)`` runs the
RTL, ``build()`` synthesises it with Yosys.  hls4ml finds ``register`` through the entry point
group ``hls4ml.backends``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.backends.backend import Backend, get_available_backends
from hls4ml.backends.fpga.fpga_backend import FPGABackend
from hls4ml.model.flow import register_flow
from hls4ml.writer.writers import Writer, writer_map

from hwgen.errors import ModelError
from hwgen.hls4ml_backend.fixed.front_end import (
    FIXED,
    install_fixed_configs,
    install_fixed_converters,
)
from hwgen.hls4ml_backend.front_end import install_config, install_converter
from hwgen.hls4ml_backend.layers import register_layers
from hwgen.hls4ml_backend.onnx_handlers import register_handlers
from hwgen.hls4ml_backend.options import BACKEND, FOLDING, warn_ignored


def register(
    register_backend: Callable[[str, type], None], register_writer: Callable[[str, type], None]
) -> None:
    """Register hwgen with hls4ml; a second call changes nothing.

    hls4ml prints the message of an error and goes on, but retries on TypeError and then prints the
    message of the second failure: no error leaves here as a TypeError.
    """
    try:
        if BACKEND not in writer_map:
            register_writer(BACKEND, HwgenWriter)
        if BACKEND not in get_available_backends():
            register_layers()
            register_backend(BACKEND, HwgenBackend)
            install_config()
            install_fixed_configs()
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


class HwgenWriter(Writer):
    """Writes the build directory: graph, RTL, memories, manifest."""

    def write_hls(self, model: Any) -> None:
        """Write the accelerator of ``model`` (an hls4ml ModelGraph) to its output directory."""
        from hwgen import flow
        from hwgen.sources import FixedSource, QonnxSource, Source

        config = model.config.config
        if FOLDING not in config:
            raise ModelError(
                "hwgen reads QONNX, Keras and PyTorch models: use convert_from_onnx_model, "
                "convert_from_keras_model or convert_from_pytorch_model of hls4ml.converters."
            )
        fold, fixed = config[FOLDING], config.get(FIXED)
        source: Source = QonnxSource(config["OnnxModel"]) if fixed is None else FixedSource(fixed)
        directory = flow.build_from_source(
            source,
            Path(config["OutputDir"]),
            reuse=fold.reuse,
            target_cycles=fold.target_cycles,
            part=config["Part"],
        )
        config["HwgenDirectory"] = str(directory)


class HwgenBackend(Backend):
    """hls4ml's view of hwgen; its flow has no pass of hls4ml, so the integers stay as they are."""

    def __init__(self) -> None:
        super().__init__(BACKEND)
        self.writer = HwgenWriter()
        self._flow = register_flow("translate", [], requires=[], backend=self.name)

    def _init_file_optimizers(self) -> dict[str, Any]:
        return {}

    def create_initial_config(
        self, part: str | None = None, io_type: str | None = None, **options: object
    ) -> dict[str, Any]:
        """Return the config of a conversion.

        part     a part that hwgen knows, whose resources the accelerator must not exceed
        io_type  "io_stream": every layer streams; warns of "io_parallel" and of other options
        """
        install_converter()
        install_fixed_converters()
        register_handlers()
        given = [name for name, value in options.items() if value is not None]
        warn_ignored(given + ["io_parallel"] * (io_type == "io_parallel"))
        writer = {"Namespace": None, "WriteWeightsTxt": False, "WriteTar": False}
        return {"Part": part, "IOType": "io_stream", "HLSConfig": {}, "WriterConfig": writer}

    def create_layer_class(self, layer_class: type) -> type:
        """Return the layer class as hls4ml names it for this backend."""
        origin = f"{layer_class.__module__}.{layer_class.__qualname__}"
        members = {"_expected_attributes": [], "_wrapped": origin}
        return type(self.name + layer_class.__name__, (layer_class,), members)

    def get_default_flow(self) -> str:
        """Return the flow that ends a conversion."""
        return str(self._flow)

    def get_writer_flow(self) -> str:
        """Return the flow that writes; ``write`` needs none of its own."""
        return str(self._flow)

    def convert_precision_string(self, precision: Any) -> Any:
        """Return hls4ml's type for a string such as "fixed<16,6>"."""
        return FPGABackend.convert_precision_string(precision)

    def write(self, model: Any) -> None:
        """Write the accelerator: what ``hls_model.write()`` calls."""
        self.writer.write_hls(model)

    def compile(self, model: Any) -> None:
        """Build the Verilator simulator and run it once; None tells hls4ml: no C++ library."""
        self.predict(model, np.zeros((1, *model.get_input_variables()[0].shape), np.float32))

    def predict(self, model: Any, x: np.ndarray) -> np.ndarray:
        """Return what the RTL answers, dequantized, in the dtype of ``x``.

        x        (batch, *input_shape), real units
        returns  (batch, outputs), and (outputs,) for one sample, as hls4ml's other backends do
        """
        from hwgen import flow

        samples = x.reshape(-1, *model.get_input_variables()[0].shape)
        y = flow.run(self._directory(model), samples, "rtl").reshape(len(samples), -1)
        y = y.astype(x.dtype if np.issubdtype(x.dtype, np.floating) else np.float32)
        return y[0] if len(y) == 1 else y

    def build(self, model: Any) -> dict[str, Any]:
        """Return the synthesis report of Yosys: LUT, FF, BRAM, DSP, part, tool version."""
        from hwgen import flow

        part = model.config.config["Part"]
        options = {} if part is None else {"part": part}
        return dict(flow.synthesise(self._directory(model), **options))

    def _directory(self, model: Any) -> Path:
        if "HwgenDirectory" not in model.config.config:
            self.write(model)
        return Path(model.config.config["HwgenDirectory"])
