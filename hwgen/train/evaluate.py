"""Score a network on the held-out streams of a fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from hwgen.train.metrics import (
    DetCurve,
    Events,
    FloatArray,
    det_curve,
    operating_point,
    score_events,
    smooth,
)
from hwgen.train.recipe import Recipe, Stream

FLOAT_BITS = 32
CHUNK = 4096  # frames per forward pass
Row = dict[str, float | int | str | None]  # of metrics.json


@dataclass(frozen=True, slots=True)
class Score:
    """One network on the held-out streams of one fold.

    seed          of its training
    method        float, two-stage, ptq or one-stage
    weight_bits   32 for float
    accuracy      share of the frames whose class is right
    curve         DET curve over the events of all streams
    """

    fold: int
    seed: int
    held_out: str
    method: str
    weight_bits: int
    accuracy: float
    curve: DetCurve

    def row(self, reference: "Score", recipe: Recipe) -> Row:
        """Return the metrics at the operating point of the float network of the same fold and seed.

        FDR is read where FRR is at most the float network's FRR at its operating point;
        ``relative_fdr`` 1.0 is parity with float; None where float makes no false detection.
        """
        _, float_frr, float_fdr = operating_point(reference.curve, recipe.operating_frr)
        threshold, frr, fdr = operating_point(self.curve, float_frr)
        return {
            "fold": self.fold,
            "seed": self.seed,
            "held_out": self.held_out,
            "method": self.method,
            "weight_bits": self.weight_bits,
            "frr": frr,
            "fdr": fdr,
            "relative_fdr": fdr / float_fdr if float_fdr else None,
            "threshold": threshold if np.isfinite(threshold) else None,
            "accuracy": self.accuracy,
            "weight_kib": recipe.macs * self.weight_bits / 8 / 1024,
            "macs": recipe.macs,
        }


def score(net: nn.Module, streams: Sequence[Stream], recipe: Recipe) -> tuple[float, DetCurve]:
    """Return frame accuracy and DET curve over several streams."""
    posteriors = [posterior(net, stream) for stream in streams]
    right = [(p > 0.5) == stream.labels for p, stream in zip(posteriors, streams, strict=True)]
    events = [
        score_events(
            smooth(p, recipe.smoothing_frames),
            stream.keywords,
            lockout=recipe.lockout_frames,
            delay=recipe.smoothing_frames // 2,
        )
        for p, stream in zip(posteriors, streams, strict=True)
    ]
    return float(np.mean(np.concatenate(right))), det_curve(Events.pooled(events))


def posterior(net: nn.Module, stream: Stream) -> FloatArray:
    """Return the probability of the keyword at every frame of a stream, (frames,) float64."""
    net.eval()
    device = next(net.parameters()).device
    parts = []
    with torch.no_grad():
        for start in range(0, len(stream), CHUNK):
            positions = np.arange(start, min(start + CHUNK, len(stream)))
            logits = net(torch.from_numpy(stream.windows(positions)).to(device))
            parts.append(torch.softmax(logits.double(), dim=1)[:, 1].cpu().numpy())
    return np.concatenate(parts)
