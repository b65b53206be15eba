"""The MLPerf Tiny keyword reference: every tensor of the interpreter, integer for integer."""

from pathlib import Path

import numpy as np
import pytest
from tflite_compare import compared, random_codes

from hwgen.graph.ir import Requant, Threshold
from hwgen.tflite import left_to_host, to_graph

KWS = Path(__file__).parents[3] / "shared/zoo/kws_ref_model_int8.tflite"

pytestmark = pytest.mark.skipif(not KWS.exists(), reason="needs the model zoo in ../shared")


def test_keyword_reference_equals_the_interpreter():
    content = KWS.read_bytes()
    graph = to_graph(content, "kws")
    x = random_codes(graph, 320, 1)
    x[300:] = np.random.default_rng(2).integers(-4, 5, x[300:].shape) + 83  # near real zero
    assert compared(content, x) == 320 * 72_076
    assert left_to_host(content, "kws") == ["SOFTMAX"]


def test_keyword_reference_needs_no_31_bit_multiplier():
    layers = to_graph(KWS.read_bytes(), "kws").layers
    bits = [int(e.multiplier.max()).bit_length() for e in layers if isinstance(e, Requant)]
    assert len(bits) == 10
    assert max(bits) <= 25
    (signed,) = (e for e in layers if isinstance(e, Threshold))
    assert signed.thresholds.shape == (12, 255)
