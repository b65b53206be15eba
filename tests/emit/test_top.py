"""The generated top: names and ports agree with the RTL library, text is deterministic."""

import os
from pathlib import Path

import numpy as np
import pyslang
import pytest
from chains import random_graph

from hwgen.emit import emit_top, replacing, write_rtl
from hwgen.errors import OutputError
from hwgen.graph.ir import Graph
from hwgen.schedule import schedule

GOLDEN = Path(__file__).parents[1] / "golden"
RTL = Path(__file__).parents[2] / "hwgen" / "rtl"
HEADER = "// golden\n\n"
# By slang; Verilator refuses them.
ONLY_WARNED = {"DiagCode(ParameterDoesNotExist)", "DiagCode(CannotIndexScalar)"}


def graphs() -> dict[str, Graph]:
    rng = np.random.default_rng(0)
    return {
        "dense": schedule(
            random_graph(rng, sizes=(12, 8, 6, 4), kinds=("threshold", "requant"), argmax=True),
            target_cycles=12,
        ),
        "xnor": schedule(random_graph(rng, sizes=(16, 6, 9, 3), binary=True), target_cycles=16),
    }


@pytest.mark.parametrize("name", ["dense", "xnor"])
def test_text_is_the_golden_file(name):
    text = emit_top(graphs()[name], HEADER).text
    path = GOLDEN / f"top_{name}.sv"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def errors(compilation: pyslang.ast.Compilation) -> list[str]:
    found = [(d.isError(), str(d.code)) for d in compilation.getAllDiagnostics()]
    return [code for is_error, code in found if is_error or code in ONLY_WARNED]


def elaborated(text: str) -> pyslang.ast.Compilation:
    compilation = pyslang.ast.Compilation()
    compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromText(text))
    for source in RTL.glob("hw_*.sv"):
        compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromFile(str(source)))
    return compilation


def test_output_of_one_signed_bit():
    graph = random_graph(np.random.default_rng(0), sizes=(1, 1), x=(-1, 0), weights=(1, 1))
    design = emit_top(schedule(graph), HEADER)
    assert design.output.width == 1
    assert design.output.type.signed
    assert errors(elaborated(design.text)) == []


@pytest.mark.parametrize("name", ["dense", "xnor"])
def test_every_parameter_and_port_exists_and_no_port_is_left_open(name):
    compilation = elaborated(emit_top(graphs()[name], HEADER).text)
    assert errors(compilation) == []
    top = next(i for i in compilation.getRoot().topInstances if i.name == "top")
    instances = [m for m in top.body if m.kind == pyslang.ast.SymbolKind.Instance]
    assert len(instances) >= 6
    for instance in instances:
        assert all(c.expression is not None for c in instance.portConnections), instance.name


def test_every_memory_that_the_top_names_is_written(tmp_path):
    design = emit_top(graphs()["dense"], HEADER)
    write_rtl(design, tmp_path / "rtl")
    files = {p.name for p in (tmp_path / "rtl").glob("*.mem")}
    assert files == set(design.memories)
    assert "fc0_w.mem" in files
    assert (tmp_path / "rtl" / "hw_dense.sv").is_file()


def test_one_signed_lane_is_padded_with_its_sign():
    graph = schedule(random_graph(np.random.default_rng(1), sizes=(6, 2, 3)), target_cycles=24)
    design = emit_top(graph, HEADER)
    width = design.output.width
    assert (design.output.lanes, design.output.type.signed) == (1, True)
    data = f"{design.output.name}_reg_tdata"
    pad = -width % 8
    assert pad
    assert f"m_axis_tdata = {{{{{pad}{{{data}[{width - 1}]}}}}, {data}}};" in design.text


def test_an_error_leaves_nothing_behind(tmp_path):
    def fail_half_way(stage):
        (stage / "half.sv").write_text("x")
        raise RuntimeError

    with pytest.raises(RuntimeError), replacing(tmp_path / "out") as stage:
        fail_half_way(stage)
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    foreign = pytest.raises(OutputError, match="exists and is not a hwgen build directory")
    with foreign, replacing(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_another_programs_manifest_does_not_make_a_build_directory(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "my web app"}')
    foreign = pytest.raises(OutputError, match="exists and is not a hwgen build directory")
    with foreign, replacing(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_the_current_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = pytest.raises(OutputError, match="is the current folder; name a folder in it")
    with refused, replacing(Path()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_rebuild_replaces_what_was_built_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    for content in ("old", "new"):
        with replacing(out) as stage:
            (stage / "manifest.json").write_text(content)
            (stage / f"{content}.sv").write_text("")
        (out / "sim").mkdir(exist_ok=True)
        (out / "notes.txt").write_text("the user's own")
        (out / "verify.json").write_text(content)
    with replacing(out) as stage:
        (stage / "manifest.json").write_text("newest")
    assert (out / "manifest.json").read_text() == "newest"
    names = sorted(p.name for p in out.iterdir())
    assert names == [".hwgen", "manifest.json", "notes.txt", "sim"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
