"""hls4ml's own C++, compiled by g++, computes the integers of the reference."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.graph.execute import trace
from hwgen.hls4ml_backend import compile_csim, csim_output, csim_trace, write_vitis

NAMES = ["wide", "binary"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("vitis")


def codes(graph, batch):
    x = graph.tensor(graph.input)
    rows = np.random.default_rng(5).integers(x.lo, x.hi + 1, (batch, x.size))
    rows[0], rows[1] = x.lo, x.hi
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_equals_the_reference(name, request, directory):
    graph = request.getfixturevalue(name)
    csim, x = compile_csim(graph, directory / name), codes(graph, 300)
    expected, seen = trace(graph, x), csim_trace(csim, x)
    assert seen.keys() == expected.keys()
    for tensor, values in expected.items():
        np.testing.assert_array_equal(seen[tensor], values, err_msg=tensor)
        assert len(np.unique(values)) > 1, tensor
    np.testing.assert_array_equal(csim_output(csim, x), expected[graph.output])


@pytest.mark.parametrize("name", NAMES)
def test_compiles_once(name, request, directory):
    graph = request.getfixturevalue(name)
    first = compile_csim(graph, directory / name).library
    built = first.stat().st_mtime_ns
    again = compile_csim(graph, directory / name)
    assert (again.library, again.library.stat().st_mtime_ns) == (first, built)


def test_a_graph_that_comes_back_is_not_run_with_the_weights_of_another(wide, binary, directory):
    for graph in (wide, binary):
        compile_csim(graph, directory / "wide")
    (library,) = (directory / "wide").rglob("*.so")
    assert library == compile_csim(binary, directory / "wide").library


def test_writes_the_same_files_every_time(binary, directory):
    def files():
        write_vitis(binary, directory / "again")
        return {p: p.read_bytes() for p in (directory / "again").rglob("*") if p.is_file()}

    assert files() == files()


def test_hls4ml_predict_equals_the_reference(wide, directory):
    model = write_vitis(wide, directory / "predict")
    model.compile()
    x = codes(wide, 40)
    predicted = model.predict(np.ascontiguousarray(x, dtype=np.float64))
    np.testing.assert_array_equal(predicted, trace(wide, x)[wide.output])
