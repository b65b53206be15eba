"""Some cells of the conversion matrix; its pairs are complete, its verdicts can be trusted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cells import FACTORS, Cell, impossible, pairwise, singles
from matrix import judge

from hwgen.num import float_rounding

CELLS = [*singles(), *pairwise()]
IMPOSSIBLE = {
    "weight_bits": {("weight_scales", "per channel")},
    "act_bits": {("activation", "relu"), ("activation", "unsigned identity"),
                 ("activation", "sigmoid"), ("zero_point", "asymmetric"), ("narrow", "yes"),
                 ("rounding", "FLOOR"), ("rounding", "CEIL"), ("rounding", "ROUND_TO_ZERO")},
}  # fmt: skip
TIED = [  # a sign of 0, which float32 misses, on codes that padding has doubled
    Cell("conv2d", weight_bits="6", act_scale="float", batch_norm="after", activation="prelu",
         act_bits="1"),
]  # fmt: skip
IN_RTL = [
    Cell("conv2d", activation="gelu", weight_scales="per channel", act_scale="float"),
    Cell("depthwise", weight_scale="float", zero_point="asymmetric", activation="identity",
         batch_norm="before", rounding="CEIL"),
    Cell("conv1d", activation="prelu", batch_norm="after", bias="float", act_bits="8"),
]  # fmt: skip


def test_every_possible_pair_of_values_occurs():
    seen = {
        pair
        for cell in pairwise()
        for pair in itertools.combinations([(f, getattr(cell, f)) for f in FACTORS], 2)
    }
    missing = {
        frozenset({(a, x), (b, y)})
        for a, b in itertools.combinations(FACTORS, 2)
        for x, y in itertools.product(FACTORS[a], FACTORS[b])
        if ((a, x), (b, y)) not in seen
    }
    assert missing == {
        frozenset({(bits, "1"), other}) for bits, others in IMPOSSIBLE.items() for other in others
    }
    assert not any(map(impossible, CELLS))


def test_every_value_occurs_alone():
    plain = Cell()
    odd = [{(f, getattr(c, f)) for f in FACTORS} - {(f, getattr(plain, f)) for f in FACTORS}
           for c in singles()]  # fmt: skip
    every = {(f, value) for f, values in FACTORS.items() for value in values}
    assert set.union(*odd) == every - {(f, getattr(plain, f)) for f in FACTORS}
    assert sorted(map(len, odd)) == [0, *[1] * (len(odd) - 2), 2]  # one bit needs a signed function


@pytest.mark.parametrize("cell", [*CELLS[::7], *TIED], ids=str)
def test_exact(tmp_path, cell):
    result = judge(cell, tmp_path)
    assert (result.reference, result.message) == ("exact", "")
    assert result.compared > 1000


@pytest.mark.parametrize("rounding", FACTORS["rounding"])
@pytest.mark.parametrize("layer", FACTORS["layer"])
def test_half_steps_are_rounded_as_the_model_rounds_them(tmp_path, layer, rounding):
    result = judge(Cell(layer, activation="identity", rounding=rounding), tmp_path)
    assert result.half_steps > 50
    assert (result.reference, result.float32) == ("exact", 0)


def test_a_wrong_rounding_is_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(float_rounding.ROUND, "ROUND", lambda x: np.floor(x + 0.5))
    result = judge(Cell(activation="identity"), tmp_path)
    assert result.reference == "wrong"
    assert result.message.endswith(" differ where float32 is exact")


@pytest.mark.parametrize("cell", IN_RTL, ids=str)
def test_exact_in_rtl(tmp_path, cell):
    result = judge(cell, tmp_path, rtl=True)
    assert (result.reference, result.rtl) == ("exact", "exact")


def test_what_is_too_wide_to_tabulate_is_refused(tmp_path):
    cell = Cell("conv1d", "float", "per channel", "16", act_bits="16", activation="gelu")
    result = judge(cell, tmp_path)
    assert result.reference == "refused"
    assert result.message.startswith("UnsupportedOp: /2/2.0/Mul: its function neither rises nor ")
    assert result.message.endswith("Quantize before the activation (a QuantIdentity in front of "
                                   "it), or use fewer bits.")  # fmt: skip
