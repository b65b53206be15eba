"""QKeras models, where QKeras and the Keras 2 that it was made for are installed."""

from __future__ import annotations

import hls4ml
import numpy as np
import pytest

from hwgen.graph.execute import decode, encode, run
from hwgen.hls4ml_backend import run_stock
from hwgen.hls4ml_backend.fixed.front_end import FIXED

keras = pytest.importorskip("keras")
if keras.__version__ >= "3":
    pytest.skip("QKeras needs Keras 2", allow_module_level=True)
qkeras = pytest.importorskip("qkeras")


def test_a_qkeras_mlp(tmp_path):
    from qkeras import QActivation, QDense, quantized_bits, quantized_relu

    keras.utils.set_random_seed(1)

    def dense(size, bits, integer):
        weights, bias = quantized_bits(bits, integer, alpha=1), quantized_bits(6, 1, alpha=1)
        return QDense(size, kernel_quantizer=weights, bias_quantizer=bias)

    model = keras.Sequential([
        keras.layers.Input((8,)), QActivation(quantized_bits(8, 3)), dense(10, 6, 1),
        QActivation(quantized_relu(6, 2)), dense(6, 4, 0), QActivation(quantized_bits(6, 2)),
        dense(4, 2, 0),
    ])  # fmt: skip
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="hwgen")
    converted = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="hwgen", output_dir=str(tmp_path)
    )
    fixed = converted.config.config[FIXED]
    x = np.random.default_rng(0).normal(0, 3, (300, 8)).astype(np.float32)
    ours = decode(fixed.graph, run(fixed.graph, encode(fixed.graph, x)))
    np.testing.assert_array_equal(ours, run_stock(fixed.project, tmp_path / "stock", x, 1000))
    assert len(np.unique(ours)) > 100
