"""Anomaly detection of hls4ml in MLPerf Tiny 0.7 (AD08): an autoencoder 64-72-72-8-72-72-64.

hls4ml-finn submission, tiny_results_v0.7: 21,096 weights and biases, 1,184 numbers of batch norms
and 5 counters that QKeras keeps: 22,285.  Weights ap_fixed<13,7>, activations ap_ufixed<7,6>.
"""

from itertools import pairwise

from torch import nn

from hwgen.train.blocks import dense, fixed_point, fixed_weights, input_quantizer, normed, relu

INPUT_SHAPE = (64,)
PARAMETERS = 22_285 - 5  # without QKeras's counters
_WIDTHS = (64, 72, 72, 8, 72, 72)


def build() -> nn.Module:
    """Return the untrained network."""
    blocks = [
        normed(dense(i, o, **fixed_weights(12)), o, relu(**fixed_point(6, signed=False)))
        for i, o in pairwise(_WIDTHS)
    ]
    return nn.Sequential(
        input_quantizer(**fixed_point(8)), *blocks, dense(72, 64, **fixed_weights(12))
    )
