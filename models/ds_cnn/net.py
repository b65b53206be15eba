"""Keyword spotting of MLPerf Tiny: depthwise separable convolutions on 49 frames of 10 MFCC.

Reference: mlcommons/tiny, benchmark/training/keyword_spotting (ds_cnn): 24,908 parameters.  Here
the first convolution pads (5, 1) on both sides; Keras pads (4, 5) and (1, 1) for the same 25 x 5.
"""

from torch import nn

from hwgen.train.blocks import Mean, conv2d, dense, input_quantizer, normed, relu

INPUT_SHAPE = (1, 49, 10)
PARAMETERS = 24_908  # weights, biases, batch norms
_CHANNELS, _BLOCKS = 64, 4


def build() -> nn.Module:
    """Return the untrained network."""
    n = _CHANNELS
    layers = [normed(conv2d(1, n, (10, 4), stride=2, padding=(5, 1)), n, relu())]
    for _ in range(_BLOCKS):
        layers.append(normed(conv2d(n, n, 3, padding=1, groups=n), n, relu()))
        layers.append(normed(conv2d(n, n, 1), n, relu()))
    return nn.Sequential(input_quantizer(), *layers, Mean((25, 5)), dense(n, 12))
