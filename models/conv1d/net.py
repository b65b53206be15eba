"""Human activity recognition: a small 1-D network of 8, 4 or 2 bits on 6 inertial axes.

Method: F. Daghero et al., Human Activity Recognition on Microcontrollers with Quantized and
Adaptive Deep Neural Networks, ACM TECS 2022 (arXiv 2209.00839): Conv1D, pooling, dense, bits per
layer out of {2, 4, 8}.  The sizes are this project's choice: windows of 128 samples, 7 activities.
"""

from torch import nn

from hwgen.train.blocks import Mean, conv1d, dense, input_quantizer, normed, relu

INPUT_SHAPE = (6, 128)
PARAMETERS = 6_831  # weights, biases, batch norms
_WIDTHS = (6, 16, 24, 32)
CLASSES = 7


def build(bits: tuple[int, int, int] = (8, 4, 4)) -> nn.Module:
    """Return the untrained network; ``bits`` of the weights and activations of its convolutions."""
    layers: list[nn.Module] = []
    for i, o, b in zip(_WIDTHS[:-1], _WIDTHS[1:], bits, strict=True):
        layers.append(normed(conv1d(i, o, 5, padding=2, weight_bit_width=b), o, relu(b)))
        layers.append(nn.MaxPool1d(2))
    return nn.Sequential(input_quantizer(), *layers, Mean(16, rank=1), dense(_WIDTHS[-1], CLASSES))
