"""The multiply-add-shift form: found whenever there is one, with the smallest shift."""

import numpy as np
import pytest

from hwgen.closing import Line, staircase
from hwgen.closing.affine import fit
from hwgen.num.rounding import shift_round

CHANNELS, REACH = 3, 40


def lines(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    rng = np.random.default_rng(seed)
    shift = int(rng.integers(0, 8))
    return rng.integers(0, 60, CHANNELS), rng.integers(-900, 900, CHANNELS), shift


def brute(values: np.ndarray, base: int, top: int, shift: int) -> bool:
    """Whether some multiplier and bias at ``shift`` give ``values`` at -REACH .. REACH."""
    a = np.arange(-REACH, REACH + 1)
    biases = np.arange(-1500, 1500)[:, None]
    for multiplier in range(80):
        found = np.clip((multiplier * a + biases) >> shift, base, top)
        if (found == values).all(axis=1).any():
            return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_smallest_shift_of_all(seed):
    multiplier, bias, shift = lines(seed)

    def f(a: np.ndarray) -> np.ndarray:
        return np.clip((multiplier * a + bias) >> shift, -5, 6)

    ends = np.full(CHANNELS, REACH)
    stairs = staircase(f, -ends, ends)
    slope = (multiplier + np.random.default_rng(seed).uniform(-0.4, 0.4, CHANNELS)) / 2.0**shift
    form = fit(stairs, Line(slope, bias / 2.0**shift))
    assert form is not None
    assert form.shift <= shift
    a = np.arange(-REACH, REACH + 1)[:, None]
    scaled = form.multiplier * a + form.bias
    got = np.clip(shift_round(scaled, form.shift, form.rounding), stairs.base, stairs.top)
    assert np.array_equal(got, f(a))
    if form.shift:
        columns = f(a).T
        below = [brute(c, stairs.base, stairs.top, form.shift - 1) for c in columns]
        assert not all(below)


def test_none_where_two_steps_are_too_close():
    def f(a: np.ndarray) -> np.ndarray:  # even steps, but for one that is two early
        return np.clip(a // 16 + (a % 16 >= 14) * (a // 16 == 1), -20, 20)

    ends = np.array([300])
    assert fit(staircase(f, -ends, ends), Line(np.array([1 / 16]), np.zeros(1))) is None
