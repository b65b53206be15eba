"""Random chains of casts, biases, scales and clamps: the integer graph equals one op at a time."""

from __future__ import annotations

import numpy as np

from hwgen.errors import UnsupportedOp
from hwgen.graph.execute import execute
from hwgen.hls4ml_backend.fixed.chain import FixedChain
from hwgen.hls4ml_backend.fixed.type import FixedType

MODES = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV")
SATURATIONS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")
SIZE = 3


def random_type(rng, least=3):
    width = int(rng.integers(least, 9))
    mode, saturation = rng.choice(MODES), rng.choice(SATURATIONS)
    return FixedType(width, int(rng.integers(-1, 8)), rng.random() < 0.7, mode, saturation)


def apply(rng, chain, values, fraction):
    """Append a random op to the chain; returns what it makes of values, codes of 2**-fraction."""
    op = rng.choice(["cast", "cast each", "add", "scale", "clamp"])
    if op == "cast":
        t = random_type(rng)
        chain.cast(t)
        return t.convert(values, fraction), t.fraction
    if op == "cast each":  # HGQ: a type per channel, one of them perhaps of no bits
        shared = random_type(rng)
        each = [
            FixedType(int(rng.integers(2, 8)), int(rng.integers(0, 6)), rng.random() < 0.6,
                      shared.mode, shared.saturation)
            for _ in range(SIZE)
        ]  # fmt: skip
        lo, hi, fine = (np.array([getattr(t, n) for t in each]) for n in ("lo", "hi", "fraction"))
        if rng.random() < 0.2:
            lo[0] = hi[0] = 0
        chain.cast(shared, fine, lo, hi)
        columns = [t.convert(values[:, i], fraction) for i, t in enumerate(each)]
        if lo[0] == hi[0] == 0:
            columns[0] = np.zeros_like(columns[0])
        most = int(fine.max())
        return np.stack([c << (most - f) for c, f in zip(columns, fine, strict=True)], 1), most
    constant, places = rng.integers(-9, 10, SIZE), int(rng.integers(0, 4))
    if op == "add":
        chain.add(constant, places)
        most = max(fraction, places)
        return (values << (most - fraction)) + (constant << (most - places)), most
    if op == "scale":
        chain.scale(constant, places)
        return values * constant, fraction + places
    chain.clamp(np.array(0))
    return np.maximum(values, 0), fraction


def run_random(seed):
    """Compare one chain; returns False if it is refused."""
    rng = np.random.default_rng(seed)
    entry = random_type(rng, least=6)
    chain = FixedChain(entry, SIZE, ())
    x = np.repeat(np.arange(entry.lo, entry.hi + 1)[:, None], SIZE, axis=1)
    values, fraction = x, entry.fraction
    try:
        for _ in range(int(rng.integers(1, 6))):
            values, fraction = apply(rng, chain, values, fraction)
        chain.flush()
    except UnsupportedOp:  # of SAT_ZERO in each channel
        return False
    codes = x
    for layer in chain.layers:
        codes = execute(layer, codes, next(t for t in chain.tensors if t.name == layer.x))
        y = next(t for t in chain.tensors if t.name == layer.y)
        assert y.lo <= codes.min() <= codes.max() <= y.hi, seed
    ours, expected = codes * 2.0**-chain.fraction, values * 2.0**-fraction
    np.testing.assert_array_equal(ours, expected, err_msg=f"seed {seed}")
    low, high = chain.bounds
    assert np.all((low <= codes) & (codes <= high)), seed
    return True


def test_equals_one_operation_at_a_time():
    assert sum(map(run_random, range(1000))) > 800
