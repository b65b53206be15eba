"""Anomaly detection of MLPerf Tiny: the reference autoencoder on 5 frames of 128 mel bands.

Reference: mlcommons/tiny, benchmark/training/anomaly_detection: 640-128-128-128-128-8-128-128-128-
128-640, dense, batch norm, ReLU: 269,992 parameters.
"""

from itertools import pairwise

from torch import nn

from hwgen.train.blocks import dense, input_quantizer, normed, relu

INPUT_SHAPE = (640,)
PARAMETERS = 269_992  # weights, biases, batch norms
_WIDTHS = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128)


def build() -> nn.Module:
    """Return the untrained network."""
    blocks = [normed(dense(i, o), o, relu()) for i, o in pairwise(_WIDTHS)]
    return nn.Sequential(input_quantizer(), *blocks, dense(128, 640))
