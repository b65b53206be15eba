"""How fine each part of the network is: bit widths and, once calibrated, power-of-two steps."""

from dataclasses import dataclass

FLOAT32_BITS = 24  # significand: integers up to 2^24 are exact


@dataclass(frozen=True, slots=True)
class Precision:
    """Bit widths; None leaves that part in float.

    weight       dense weights, after tanh (stage 1)
    input        network input, signed (stage 2, as all that follow)
    activation   after ReLU, unsigned
    scale        mantissa of the channel factors: gain and batch norm folded
    bias         channel offsets, on the integer grid of the scaled accumulator or a coarser one
    """

    weight: int | None = None
    input: int | None = None
    activation: int | None = None
    scale: int | None = None
    bias: int | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """Exponents ``e`` of the steps ``2^e`` of every linear quantizer.

    input        of the network input
    activation   one per hidden layer
    scale, bias  one per layer
    """

    input: int
    activation: tuple[int, ...]
    scale: tuple[int, ...]
    bias: tuple[int, ...]
