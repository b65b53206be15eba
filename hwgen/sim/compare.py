"""Compare witnesses with the reference: how many integers differ, and where the first one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.graph.ir import Graph, Tensor
from hwgen.num.inttype import IntArray

Trace = Mapping[str, IntArray]  # tensor name -> (samples, values)
TieProof = Callable[[str, IntArray, IntArray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first integer that differs, in the order layer, sample, position, channel."""

    witness: str
    layer: str
    unseen: tuple[str, ...]  # layers right before it whose outputs the witness does not show
    tensor: str
    sample: int
    channel: int
    position: tuple[int, ...]  # in space; () in a vector
    expected: int
    got: int
    index: int  # of the integer in its frame
    # of the RTL only
    instance: str | None = None
    cycle: int | None = None  # of the transfer
    waveform: str | None = None  # path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one witness says."""

    name: str
    compared: int  # integers
    mismatches: int
    ties: int  # differences proved to be float32 ties, with everything they cause
    seconds: float
    first: Mismatch | None = None
    complaint: str = ""  # the first assertion of the hardware that failed in simulation


def compare(
    name: str,
    graph: Graph,
    reference: Trace,
    trace: Trace,
    seconds: float,
    tie_proof: TieProof | None = None,
) -> Verdict:
    """Return the verdict of a witness over every tensor that it shows, in execution order.

    tie_proof  (tensor, ours, theirs) -> mask of differences that are proved ties; a sample with
               a tie is left out of the tensors after it, which it legitimately changes
    """
    compared = mismatches = ties = 0
    first: Mismatch | None = None
    unseen: tuple[str, ...] = ()
    samples = len(next(iter(reference.values())))
    valid = np.ones(samples, dtype=bool)
    for tensor, layer in layers(graph).items():
        if tensor not in trace:
            unseen += (layer,) if tensor != graph.input else ()
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
            sample, index = (int(i) for i in np.argwhere(differs)[0])
            channel, position = _place(graph.tensor(tensor), index)
            first = Mismatch(
                name, layer, unseen, tensor, sample, channel, position,
                int(ours[sample, index]), int(theirs[sample, index]), index,
            )  # fmt: skip
        unseen = ()
    return Verdict(name, compared, mismatches, ties, seconds, first)


def layers(graph: Graph) -> dict[str, str]:
    """Return the name of the layer that makes each tensor, in execution order."""
    return {graph.input: "input"} | {layer.y: layer.name for layer in graph.layers}


def _place(tensor: Tensor, index: int) -> tuple[int, tuple[int, ...]]:
    """Return channel and position of the integer ``index`` of a frame."""
    pixel, channel = divmod(index, tensor.size)
    return channel, tuple(int(i) for i in np.unravel_index(pixel, tensor.space))
