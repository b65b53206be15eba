"""Keyword spotting of FINN in MLPerf Tiny 0.7: an MLP on 49 frames of 10 MFCC, 3 bits.

hls4ml-finn submission, tiny_results_v0.7: 490-256-256-256-12 without bias, 259,584 weights; narrow
8-bit input of constant scale, narrow weights of 3 bits with a learned scale per output channel (per
tensor in the last layer), unsigned activations of 3 bits in [0, 1].
"""

from itertools import pairwise

from brevitas.core.scaling import ScalingImplType
from brevitas.quant import Int8WeightPerChannelFloat, Int8WeightPerTensorFloat
from torch import nn

from hwgen.train.blocks import dense, input_quantizer, normed, relu

INPUT_SHAPE = (490,)
PARAMETERS = 259_584 + 4 * 3 * 256  # weights as published, and three batch norms
_WIDTHS = (490, 256, 256, 256)
_RANGE = 42.7662912750244  # 99th percentile of the MFCC
_CONSTANT = {"scaling_impl_type": ScalingImplType.CONST}
_LEARNED = {"scaling_impl_type": ScalingImplType.PARAMETER, "scaling_init": 0.1}


def build() -> nn.Module:
    """Return the untrained network."""
    entry = input_quantizer(min_val=-_RANGE, max_val=_RANGE, narrow_range=True, **_CONSTANT)
    weights = {"bias": False, "weight_bit_width": 3}
    per_channel = Int8WeightPerChannelFloat.let(**_LEARNED)
    blocks = [
        normed(
            dense(i, o, weight_quant=per_channel, **weights),
            o,
            relu(3, max_val=1.0, **_CONSTANT),
        )
        for i, o in pairwise(_WIDTHS)
    ]
    per_tensor = Int8WeightPerTensorFloat.let(**_LEARNED)
    return nn.Sequential(entry, *blocks, dense(256, 12, weight_quant=per_tensor, **weights))
