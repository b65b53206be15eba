"""Visual wake words of MLPerf Tiny: MobileNet v1, a quarter as wide, on 96 x 96 x 3 images.

Reference: mlcommons/tiny, benchmark/training/visual_wake_words: 221,794 parameters in Keras.  Here
strided convolutions pad (1, 1), not (0, 1) as Keras does.
"""

from torch import nn

from hwgen.train.blocks import Mean, conv2d, dense, input_quantizer, normed, relu

INPUT_SHAPE = (3, 96, 96)
PARAMETERS = 221_794  # weights, biases, batch norms
_WIDTHS = (8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)
_STRIDED = (2, 4, 6, 12)  # blocks


def build() -> nn.Module:
    """Return the untrained network."""
    layers = [normed(conv2d(3, 8, 3, stride=2, padding=1), 8, relu())]
    for block in range(1, len(_WIDTHS)):
        i, o = _WIDTHS[block - 1], _WIDTHS[block]
        stride = 2 if block in _STRIDED else 1
        layers.append(normed(conv2d(i, i, 3, stride=stride, padding=1, groups=i), i, relu()))
        layers.append(normed(conv2d(i, o, 1), o, relu()))
    return nn.Sequential(input_quantizer(), *layers, Mean(3), dense(256, 2))
