"""Image classification of hls4ml in MLPerf Tiny 0.7 (RN07): convolutions without skips.

hls4ml-finn submission, tiny_results_v0.7: 57,582 weights and biases, 528 numbers of batch norms and
5 counters that QKeras keeps: 58,115.  Weights ap_fixed<8,3>, activations ap_fixed<9,3> after ReLU.
"""

from torch import nn

from hwgen.train.blocks import (
    conv2d,
    dense,
    fixed_point,
    fixed_weights,
    input_quantizer,
    normed,
    relu,
)

INPUT_SHAPE = (3, 32, 32)
PARAMETERS = 58_115 - 5  # without QKeras's counters
_LAYERS = ((3, 32, 1, 1), (32, 4, 4, 1), (4, 32, 4, 1), (32, 32, 4, 4), (32, 32, 4, 1))


def build() -> nn.Module:
    """Return the untrained network."""
    blocks = [
        normed(
            conv2d(i, o, k, stride=s, padding="same" if s == 1 else 0, **fixed_weights(8)),
            o,
            relu(**fixed_point(8, signed=False)),
        )
        for i, o, k, s in _LAYERS
    ]
    return nn.Sequential(
        input_quantizer(**fixed_point(8)),
        *blocks,
        nn.Flatten(),
        dense(2048, 10, **fixed_weights(8)),
    )
