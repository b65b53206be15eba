"""Stimulus shared by the benches."""

import numpy as np


def limits(bits: int, signed: bool) -> tuple[int, int]:
    """Return the lowest and highest number of ``bits`` bits."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def corners(shape: tuple[int, ...], bits: int, signed: bool, seed: int) -> np.ndarray:
    """Return random numbers whose first two rows are all lowest and all highest."""
    lo, hi = limits(bits, signed)
    values = np.random.default_rng(seed).integers(lo, hi, shape, endpoint=True)
    values[0], values[1] = lo, hi
    return values
