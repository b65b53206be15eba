"""Compare witnesses with the reference: how many integers differ, and where the first one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.num.inttype import IntArray

Trace = Mapping[str, IntArray]  # tensor name -> (samples, channels)
TieProof = Callable[[str, IntArray, IntArray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first integer that differs, in the order layer, sample, channel."""

    witness: str
    layer: str
    tensor: str
    sample: int
    channel: int
    expected: int
    got: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one witness says."""

    name: str
    compared: int  # integers
    mismatches: int
    ties: int  # differences proved to be float32 ties, with everything they cause
    seconds: float
    first: Mismatch | None = None


def compare(
    name: str,
    reference: Trace,
    trace: Trace,
    layers: Mapping[str, str],
    seconds: float,
    tie_proof: TieProof | None = None,
) -> Verdict:
    """Return the verdict of a witness over every tensor that it shows.

    layers     tensor name -> layer name, in execution order
    tie_proof  (tensor, ours, theirs) -> mask of differences that are proved ties; a sample with
               a tie is left out of the tensors after it, which it legitimately changes
    """
    compared = mismatches = ties = 0
    first: Mismatch | None = None
    samples = len(next(iter(reference.values())))
    valid = np.ones(samples, dtype=bool)
    for tensor, layer in layers.items():
        if tensor not in trace:
            continue
        ours, theirs = reference[tensor], trace[tensor]
        differs = (ours != theirs) & valid[:, None]
        compared += int(valid.sum()) * ours.shape[1]
        if tie_proof is not None and differs.any():
            tied = differs & tie_proof(tensor, ours, theirs)
            ties += int(tied.sum())
            valid &= ~tied.any(axis=1)
            differs &= ~tied
        mismatches += int(differs.sum())
        if first is None and differs.any():
            sample, channel = (int(i) for i in np.argwhere(differs)[0])
            expected, got = int(ours[sample, channel]), int(theirs[sample, channel])
            first = Mismatch(name, layer, tensor, sample, channel, expected, got)
    return Verdict(name, compared, mismatches, ties, seconds, first)
