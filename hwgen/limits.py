"""How large a model may be: what is larger is refused before memory or time is spent on it.

The figures leave room above every network that the largest known part holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path

from hwgen.errors import ModelError, UnsupportedOp

MAX_FILE_BYTES = 1 << 28
MAX_NODES = 1 << 11  # qonnx takes time in their square
MAX_ELEMENTS = 1 << 24  # of one tensor
MAX_AXES = 8
MAX_STEPS = 1 << 24  # of one activation: 256 channels of 16 bits, 65,536 of 8
MAX_CONSTANTS = 1 << 25  # elements of all constants of a model, folded ones included


def check_file(path: Path) -> None:
    """Raise ModelError if the file is larger than any model that hwgen builds."""
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ModelError(
            f"{path}: {size:,} bytes; hwgen reads models of up to {MAX_FILE_BYTES:,}. No part "
            "holds a network of this size: choose a smaller one."
        )


def check_nodes(count: int, where: str) -> None:
    """Raise ModelError if a model has too many nodes."""
    if count > MAX_NODES:
        raise ModelError(
            f"{where}: {count:,} nodes; hwgen reads models of up to {MAX_NODES:,}. Export a part "
            "of the model."
        )


def check_shape(shape: Iterable[int], where: str) -> int:
    """Return the number of elements; raises ModelError if it is too large or a size is negative."""
    sizes = [int(n) for n in shape]
    if any(n < 0 for n in sizes):
        raise ModelError(
            f"{where} has a negative size in its shape {sizes}; export the model again."
        )
    if len(sizes) > MAX_AXES:
        raise ModelError(f"{where} has {len(sizes)} axes; hwgen reads up to {MAX_AXES}.")
    if prod(sizes) > MAX_ELEMENTS:
        raise ModelError(
            f"{where} has the shape {sizes[:8]}: more than {MAX_ELEMENTS:,} elements, which hwgen "
            "does not read. No part holds a tensor of this size: choose a smaller network."
        )
    return prod(sizes)


def check_constants(elements: int, where: str) -> None:
    """Raise ModelError if all constants of a model together have too many elements."""
    if elements > MAX_CONSTANTS:
        raise ModelError(
            f"{where}: its constants have more than {MAX_CONSTANTS:,} elements, which hwgen does "
            "not read. No part holds a network of this size: choose a smaller one."
        )


def check_steps(channels: int, levels: int) -> None:
    """Raise UnsupportedOp if an activation has too many steps to be found one by one."""
    if channels * levels > MAX_STEPS:
        raise UnsupportedOp(
            f"an activation of {channels:,} channels with {levels:,} steps each; hwgen finds up to "
            f"{MAX_STEPS:,} steps in one layer. Choose fewer bits for this activation."
        )
