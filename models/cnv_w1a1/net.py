"""Image classification of FINN: the VGG-like CNV with 1-bit weights and activations.

Brevitas' bnn_pynq examples (CNV_1W1A) and the MLPerf Tiny 0.7 submission: 1,542,848 weights,
without bias.
"""

from torch import nn

from hwgen.train.finn import cnv

INPUT_SHAPE = (3, 32, 32)
WEIGHTS = 1_542_848  # as published, without batch norms
PARAMETERS = WEIGHTS + 4 * (2 * (64 + 128 + 256) + 2 * 512)


def build() -> nn.Module:
    """Return the untrained network."""
    return cnv(bits=1)
