"""A sample of ``make formal``: three proofs, and three planted bugs that must be found."""

import os
import re

import pytest
from formal_cases import cases
from formal_mutants import MUTANTS
from sby import RTL, check, find, tools

from hwgen.errors import ToolNotFound

CASES = list(cases())


@pytest.fixture
def solver():
    try:
        tools()
    except ToolNotFound as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def test_every_stream_module_has_proofs_and_planted_bugs():
    streams = {
        path.stem
        for path in RTL.glob("hw_*.sv")
        if re.search(r"output logic +m0?_axis_tvalid", path.read_text())
    }
    assert {case.module for case in CASES} == streams
    assert {mutant.module for mutant in MUTANTS} == streams
    for mutant in MUTANTS:
        assert (RTL / f"{mutant.module}.sv").read_text().count(mutant.old) == 1, mutant


@pytest.mark.parametrize("module", ["hw_axis_register", "hw_width", "hw_dense"])
def test_a_proof_holds(solver, tmp_path, module):
    case = [case for case in CASES if case.module == module][-1]
    outcome = check(case, tmp_path / "proof")
    assert outcome.status == "PASS", outcome


@pytest.mark.parametrize("module", ["hw_axis_register", "hw_fifo", "hw_argmax"])
def test_a_broken_handshake_line_is_found(solver, tmp_path, module):
    mutant = next(mutant for mutant in MUTANTS if mutant.module == module)
    outcome = find(mutant, [case for case in CASES if case.module == module], tmp_path)
    assert outcome.status == "FAIL", outcome
    assert outcome.detail.startswith("a_")  # the broken property, replayed by the second solver
