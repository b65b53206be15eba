"""Image classification of MLPerf Tiny: a residual network of 8 layers on 32 x 32 x 3 images.

Reference: mlcommons/tiny, benchmark/training/image_classification (Keras resnet_v1_eembc): 78,666
parameters.  Here strided convolutions pad (1, 1), not (0, 1) as Keras does.
"""

from torch import Tensor, nn

from hwgen.train.blocks import Mean, conv2d, dense, input_quantizer, normed, relu

INPUT_SHAPE = (3, 32, 32)
PARAMETERS = 78_666  # weights, biases, batch norms


class Residual(nn.Module):
    """Two convolutions beside a skip; one quantizer brings both to one scale."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            normed(conv2d(inputs, outputs, 3, stride=stride, padding=1), outputs, relu()),
            normed(conv2d(outputs, outputs, 3, padding=1), outputs),
        )
        plain = stride == 1
        self.skip = nn.Identity() if plain else conv2d(inputs, outputs, 1, stride=stride)
        self.shared, self.relu = input_quantizer(), relu()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation after the sum."""
        joined: Tensor = self.relu(self.shared(self.main(x)) + self.shared(self.skip(x)))
        return joined


def build() -> nn.Module:
    """Return the untrained network."""
    return nn.Sequential(
        input_quantizer(),
        normed(conv2d(3, 16, 3, padding=1), 16, relu()),
        Residual(16, 16, 1),
        Residual(16, 32, 2),
        Residual(32, 64, 2),
        Mean(8),
        dense(64, 10),
    )
