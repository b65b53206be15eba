"""A few hundred random models and graphs; ``make fuzz`` runs ten thousand."""

import pytest
from fuzzing.agreement import agree, agree_in_rtl, agree_with_source
from fuzzing.campaign import hunt
from fuzzing.graphs import cases, cases_of, structures
from fuzzing.models import models

SEED = 3


def nothing(found, cases: int):
    assert not found.error, f"{found.error}\n{found.failing}"
    assert found.passed >= cases


def test_models_agree_with_the_qonnx_executor_and_the_cpp_executor():
    check = hunt(models(), lambda c: agree_with_source(c.model, c.exact, c.seed), seed=SEED,
                 cases=80)  # fmt: skip
    nothing(check, 80)


def test_integer_graphs_agree_with_the_cpp_executor():
    nothing(hunt(cases(), lambda c: agree(c.graph, c.codes), seed=SEED, cases=400), 400)


@pytest.mark.parametrize("structure", structures(first=11, count=2, spatial=True))
def test_integer_graphs_agree_with_their_rtl(structure, tmp_path):
    def check(case):
        agree_in_rtl(case.graph, case.codes, case.stalls, tmp_path)

    nothing(hunt(cases_of([structure], spatial=True), check, seed=SEED, cases=25), 25)
