"""Three planted bugs: each is found, shrunk, and reproduced by the test file that is written."""

import runpy
from importlib import import_module

import numpy as np
import pytest
from fuzzing.agreement import agree, agree_in_rtl, agree_with_source
from fuzzing.campaign import hunt, write_repro
from fuzzing.graphs import cases, cases_of, structures
from fuzzing.models import models

from hwgen.graph.ir import Dense, Requant
from hwgen.graph.ranges import accumulator_bounds
from hwgen.num.pack import dense_weight_lines
from hwgen.num.rounding import Rounding, shift_round


@pytest.fixture
def planted():
    """Return a MonkeyPatch of the bug alone; undoing it repairs hwgen."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def reproduces(found, planted, folder, *arguments):
    """Require that the written test fails with the bug and passes without it."""
    path = write_repro(found, seed=1, folder=folder)
    test = runpy.run_path(str(path))["test_repro"]
    with pytest.raises(AssertionError):
        test(*arguments)
    planted.undo()
    test(*arguments)


def test_a_tie_rounded_up_instead_of_to_even(planted, tmp_path):
    def half_up(values, shift, rounding):
        if shift and rounding is Rounding.HALF_EVEN:
            return (values + (1 << shift - 1)) >> shift
        return shift_round(values, shift, rounding)

    planted.setattr("hwgen.graph.execute.shift_round", half_up)
    found = hunt(cases(spatial=False), lambda c: agree(c.graph, c.codes), seed=1, cases=2000)
    assert "C++ executor: Mismatch(" in found.error
    layers = found.failing.graph.layers
    assert [type(e) for e in layers] == [Dense, Requant]
    assert layers[0].weights.size <= 4
    assert layers[1].shift <= 3
    reproduces(found, planted, tmp_path, tmp_path)


def test_an_accumulator_one_bit_too_narrow(planted, tmp_path):
    def narrow(weights, lo, hi):
        low, high = accumulator_bounds(weights, lo, hi)
        return -(-low >> 1), high >> 1

    for module in ("hwgen.streamline.heads", "hwgen.graph.check"):
        planted.setattr(import_module(module), "accumulator_bounds", narrow)
    found = hunt(models(), lambda c: agree_with_source(c.model, c.exact, c.seed), seed=1, cases=500)
    assert "C++ executor: " in found.error
    nodes = [node.op_type for node in found.failing.model.graph.node]
    products = {"MatMul", "Gemm", "Conv", "ConvTranspose", "AveragePool"}
    assert sum(node in products for node in nodes) == 1
    assert len(nodes) <= 5  # the quantizers of data and weights, a transposition, the product
    reproduces(found, planted, tmp_path)


def test_weights_in_the_wrong_order_of_folds(planted, tmp_path):
    def swapped(codes, simd, pe, bits, order):
        other = {"row": "column", "column": "row"}[order]
        return dense_weight_lines(codes, simd, pe, bits, other)

    planted.setattr("hwgen.emit.layers.dense_weight_lines", swapped)
    cache = tmp_path / "cache"
    found = hunt(
        cases_of(structures(first=2, count=1)),
        lambda c: agree_in_rtl(c.graph, c.codes, c.stalls, cache), seed=1, cases=100,
    )  # fmt: skip
    assert "RTL: Mismatch(" in found.error
    weights = found.failing.graph.layers[0].weights
    assert np.count_nonzero(weights) <= 2  # the one that pins the width, and one out of place
    reproduces(found, planted, tmp_path, cache)
