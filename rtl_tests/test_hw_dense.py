"""hw_dense and hw_dense_col: bit-exact against NumPy, for every fold and arithmetic."""

import numpy as np
import pytest
from stimulus import corners

from hwgen.num.inttype import IntType
from hwgen.num.pack import dense_weight_lines

FOLDS = [  # in_n, out_n, simd, pe, x_w, x_signed, w_w, arith
    (8, 4, 4, 2, 4, True, 3, 0),
    (6, 3, 1, 1, 3, False, 4, 0),  # one lane
    (5, 7, 5, 7, 8, False, 8, 0),  # one fold
    (15, 6, 5, 2, 3, True, 2, 1),  # odd grid, not a power of two
    (12, 4, 3, 4, 4, False, 1, 1),  # bipolar weights, one group of rows
    (21, 6, 7, 3, 1, False, 1, 2),  # XNOR
    (48, 2, 24, 1, 8, False, 4, 0),  # widest
]


def check(simulate, order, fold, missing_bits=0, negative=True):
    """Simulate ``fold`` with the narrowest accumulator that holds every output.

    negative  False: no negative weight, so that sums are unsigned
    """
    in_n, out_n, simd, pe, x_w, x_signed, w_w, arith = fold
    x = corners((20, in_n), x_w, x_signed, seed=1)
    codes = corners((out_n, in_n), w_w, arith != 2, seed=2)
    codes = codes if negative else np.maximum(codes, 0)
    if arith == 2:
        y = (x[:, None, :] == codes).sum(axis=2)
    else:
        y = x @ (2 * codes + 1 if arith == 1 else codes).T
    acc = IntType.of_range(int(y.min()), int(y.max()))
    sf, nf = in_n // simd, out_n // pe
    simulate(
        "hw_dense" if order == "row" else "hw_dense_col",
        "stream_bench",
        memories={"w.mem": dense_weight_lines(codes, simd, pe, w_w, order)},
        vectors=dict(
            x=x.reshape(20, sf, simd), y=y.reshape(20, nf, pe), x_bits=x_w, y_bits=acc.bits,
            cycles_per_frame=sf * nf, latency=sf + 1 if order == "row" else (sf - 1) * nf + 2,
        ),
        IN_N=in_n, OUT_N=out_n, SIMD=simd, PE=pe, X_W=x_w, X_SIGNED=x_signed, W_W=w_w,
        ARITH=arith, ACC_W=acc.bits - missing_bits, Y_SIGNED=acc.signed, W_FILE="w.mem",
    )  # fmt: skip


@pytest.mark.parametrize("order", ["row", "column"])
@pytest.mark.parametrize("fold", FOLDS, ids=str)
def test_hw_dense(simulate, order, fold):
    check(simulate, order, fold)


@pytest.mark.parametrize("order", ["row", "column"])
def test_sums_that_are_never_negative_are_unsigned(simulate, order):
    check(simulate, order, FOLDS[0], negative=False)


@pytest.mark.parametrize("negative", [True, False])
@pytest.mark.parametrize("order", ["row", "column"])
def test_an_accumulator_overflow_stops_the_simulation(simulate, order, negative, capfd):
    with pytest.raises((SystemExit, RuntimeError)):
        check(simulate, order, FOLDS[0], missing_bits=1, negative=negative)
    assert "does not fit ACC_W=" in capfd.readouterr().out
