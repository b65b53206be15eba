"""One fault in each layer, of every origin: verify names layer, integer, cycle, and the culprit."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwgen import flow
from hwgen.cli import main
from hwgen.locate import changes, diagnosis
from hwgen.sim.compare import Verdict
from hwgen.witnesses import open_build
from models import Chain

SAMPLES = 12
SAVED = ("rtl", "graph.json", "model.onnx")


def every_layer() -> Chain:
    """Window, dense, thresholds, depthwise, requantizer, table, bits and argmax."""
    rng = np.random.default_rng(4)
    chain = Chain((2, 5, 4), name="kinds").quant(0.25, bits=5)
    chain.conv(rng.normal(0, 1, (4, 2, 3, 3)), 0.2, pads=[1] * 4).add("Relu")
    chain.quant(0.4, signed=0, bits=3)
    chain.conv(rng.normal(0, 1, (4, 1, 3, 3)), 0.25, group=4).quant(0.4, bits=8)
    chain.conv(rng.normal(0, 1, (4, 4, 1, 1)), 0.25, bits=2).add("Pow", chain.constant(2.0))
    chain.quant(0.25, bits=5)
    chain.add("Flatten", axis=1).dense(rng.normal(0, 1, (12, 24)), 0.2)
    chain.batch_norm(rng, 12).bipolar()
    chain.dense(rng.normal(0, 1, (5, 12)), 1.0, bipolar=True)
    return chain.add("ArgMax", axis=1)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    model = every_layer().model([1, 1])
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    out = tmp_path_factory.mktemp("kinds") / "out"
    return flow.build_from_model(model, out, target_cycles=200)


@pytest.fixture
def build(pristine, tmp_path):
    """The build, to be broken: what was compiled for it stays, what was broken is put back."""
    for name in SAVED:
        source = pristine / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, tmp_path / name)
    yield pristine
    shutil.rmtree(pristine / "rtl")
    for name in SAVED:
        source = tmp_path / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, pristine / name)


def flip(path: Path, bit: int, line: int = 0) -> None:
    """Flip one bit of a word."""
    words = path.read_text().split()
    words[line] = f"{int(words[line], 16) ^ 1 << bit:0{len(words[line])}x}"
    path.write_text("\n".join(words) + "\n")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def verify(build: Path, *witnesses: str) -> dict:
    return flow.verify(build, samples=SAMPLES, witnesses=witnesses)


def wire_at(vcd: str, name: str, time: int) -> int:
    """Return the value of a wire of the top at a time."""
    top = vcd[vcd.index("$scope module top ") :]
    code = re.search(rf"\$var wire +\d+ (\S+) {name} ", top)[1]
    value = 0
    for line in vcd[vcd.index("$enddefinitions") :].splitlines():
        if line.startswith("#") and int(line[1:]) > time:
            break
        if (found := re.fullmatch(rf"b?([01]+) ?{re.escape(code)}", line)) is not None:
            value = int(found[1], 2)
    return value


def assert_shown(build: Path, first: dict) -> None:
    """The waveform has the wrong beat in its cycle: transferred, with the wrong integer in it."""
    vcd = Path(first["waveform"]).read_text()
    probes = json.loads((build / "manifest.json").read_text())["streams"]["probes"]
    facts = next(p for p in probes if p["name"] == first["tensor"])
    time, bits = 2 * first["cycle"], facts["bits"]
    data, valid, ready = (
        wire_at(vcd, f"{first['tensor']}_{wire}", time) for wire in ("tdata", "tvalid", "tready")
    )
    assert valid == ready == 1
    lane = first["index"] % facts["lanes"]
    assert data >> bits * lane & (1 << bits) - 1 == first["got"] & (1 << bits) - 1
    assert set(re.findall(r"^   \$scope module (\w+)", vcd, re.M)) >= {first["instance"]}
    assert len(re.findall(r"^#", vcd, re.M)) <= 2 * 81


def test_a_clean_build_has_no_mismatch_and_no_old_waveform(pristine):
    (pristine / "mismatch.vcd").write_text("of an earlier fault")
    result = verify(pristine, "qonnx", "csim", "rtl")
    assert result["mismatches"] == 0
    assert result["first_mismatch"] is result["diagnosis"] is None
    assert not (pristine / "mismatch.vcd").exists()


@pytest.mark.parametrize(
    ("memory", "line", "bit", "layer", "channel", "rank"),
    [
        ("Conv_2_w.mem", 0, 1, "Conv_2", 0, 2),
        ("Quant_4_p.mem", 0, 5, "Quant_4", 1, 2),
        ("Conv_6_w.mem", 0, 1, "Conv_6", 0, 2),
        ("Quant_7_p.mem", 0, 2, "Quant_7", 0, 2),
        ("Conv_9_w.mem", 0, 1, "Conv_9", 0, 2),
        ("Quant_11_t.mem", 128, 2, "Quant_11", 3, 2),
        ("MatMul_15_w.mem", 0, 1, "MatMul_15", 0, 0),
        ("BipolarQuant_17_t_p000_s00.mem", 2, 4, "BipolarQuant_17", 2, 0),
        ("MatMul_20_w.mem", 0, 0, "MatMul_20", 0, 0),
    ],
)
def test_a_bit_of_a_memory_image(build, memory, line, bit, layer, channel, rank):
    flip(build / "rtl" / memory, bit, line)
    result = verify(build, "rtl")
    for witness in result["witnesses"]:
        first = witness["first_mismatch"]
        assert (first["layer"], first["channel"]) == (layer, channel), first
        assert len(first["position"]) == rank
        assert first["instance"] == f"u_{layer}"
    assert_shown(build, result["first_mismatch"])
    assert f"rtl/{memory}, line {line + 1}, is " in result["diagnosis"]


@pytest.mark.parametrize(
    ("module", "old", "new", "layer"),
    [
        ("hw_window.sv", "Y_W'(PAD)", "Y_W'(PAD + 1)", "Conv_2_window"),
        ("hw_argmax.sv", "|| value1_q > value2_q", "|| value1_q >= value2_q", "ArgMax_21"),
    ],
)
def test_a_line_of_the_rtl(build, module, old, new, layer):
    edit(build / "rtl" / module, old, new)
    result = verify(build, "csim", "rtl")
    first = result["first_mismatch"]
    assert (first["witness"], first["layer"], first["instance"]) == ("rtl", layer, f"u_{layer}")
    assert_shown(build, first)
    assert result["diagnosis"].startswith(
        "'rtl' and 'rtl, random stalls' against the reference and 'csim'. Changed since the "
        f"build: rtl/{module}, line "
    )


def test_the_command_says_all_of_it_in_one_table(build, capsys):
    flip(build / "rtl" / "Conv_6_w.mem", 1)
    assert main(["verify", str(build), "--samples", str(SAMPLES), "--witness", "rtl"]) == 1
    said = capsys.readouterr().out
    table = said[said.index("first difference") :].splitlines()
    assert table[1].split() == [
        "witness", "layer", "channel", "position", "sample", "cycle", "expected", "got",
    ]  # fmt: skip
    first = json.loads((build / "verify.json").read_text())["first_mismatch"]
    where = f"{', '.join(map(str, first['position']))} {first['sample']} {first['cycle']}"
    assert " ".join(table[2].split()) == (
        f"rtl Conv_6 0 {where} {first['expected']} {first['got']}"
    )
    assert table[3].split()[:3] == ["rtl,", "random", "stalls"]
    assert table[4] == (
        f"wrote {build}/mismatch.vcd: waveform around cycle {first['cycle']} of rtl, the top's "
        "streams and the inside of u_Conv_6; two time units a cycle, the wrong beat is on "
        f"Conv_6_out_tdata at {2 * first['cycle']}"
    )
    assert table[5].startswith("diagnosis: 'rtl' and 'rtl, random stalls' against the reference. ")
    assert table[6] == f"wrote {build}/verify.json"


@pytest.mark.parametrize(
    ("wrong", "suspect"),
    [
        ({"rtl", "rtl, random stalls"}, "the RTL module of that layer, the plumbing in front"),
        ({"rtl, random stalls"}, "the RTL loses its way only when streams stall"),
        ({"csim"}, "the C++ of that layer"),
        ({"brevitas"}, "the export: the file that was built does not compute what Brevitas does"),
        ({"qonnx"}, "the translation of the source into the integer graph"),
        ({"brevitas", "qonnx"}, "the translation of the source into the integer graph"),
        ({"qonnx", "csim", "rtl", "rtl, random stalls"}, "the integer graph or the reference"),
    ],
)
def test_without_a_change_the_dissenters_tell_where_to_look(pristine, wrong, suspect):
    names = ("brevitas", "qonnx", "reference", "csim", "rtl", "rtl, random stalls")
    verdicts = [Verdict(name, 9, int(name in wrong), 0, 0.0) for name in names]
    said = diagnosis(open_build(pristine), verdicts)
    assert f": {suspect}" in said
    assert said.endswith("so please report it with the build directory.")


def test_of_a_long_line_only_the_change_is_quoted(build):
    memory = build / "rtl" / "Conv_2_w.mem"
    first = memory.read_text().split()[0]
    memory.write_text(f"{first[:-1]}x{'y' * 300}{memory.read_text()[len(first) :]}")
    (change,) = changes(open_build(build))
    assert change == (
        f"rtl/Conv_2_w.mem, line 1, is '{first[:-1]}x{'y' * 19}...' and was '{first}'"
    )


def test_an_assertion_is_quoted_and_the_integer_still_found(build):
    memory = build / "rtl" / "MatMul_15_w.mem"
    memory.write_text(re.sub("[0-9a-f]", "7", memory.read_text()))
    result = verify(build, "rtl")
    assert result["first_mismatch"]["layer"] == "MatMul_15"
    for witness in result["witnesses"]:
        assert re.fullmatch(
            r"top\.u_MatMul_15\.(u_sums\.gen_lane|gen_pe)\[0\]\.a_no_overflow: -?\d+ does not fit "
            r"ACC_W=\d+ bits",
            witness["complaint"],
        )


def test_an_integer_graph_that_was_changed(build):
    path = build / "graph.json"
    graph = json.loads(path.read_text())
    next(e for e in graph["layers"] if e["name"] == "Conv_6")["weights"]["array"][2][4] ^= 1
    path.write_text(json.dumps(graph))
    result = verify(build, "qonnx", "csim", "rtl")
    firsts = {w["name"]: w["first_mismatch"] for w in result["witnesses"]}
    assert firsts["csim"] is None  # compiled from the changed graph
    assert (firsts["rtl"]["layer"], firsts["rtl"]["channel"]) == ("Conv_6", 2)
    assert firsts["qonnx"]["unseen"] == ("Conv_6_window", "Conv_6")
    assert (firsts["qonnx"]["layer"], firsts["qonnx"]["channel"]) == ("Quant_7", 2)
    assert result["first_mismatch"] == firsts["rtl"]
    assert "graph.json is not the one that the RTL was generated from" in result["diagnosis"]


def test_an_export_that_was_changed(build):
    model = onnx.load(build / "model.onnx")
    weights = next(t for t in model.graph.initializer if list(t.dims) == [4, 1, 3, 3])
    values = numpy_helper.to_array(weights).copy()
    values[3, 0, 1, 1] += 0.25
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(model, build / "model.onnx")
    result = verify(build, "qonnx", "rtl")
    first = result["first_mismatch"]
    assert (first["witness"], first["layer"], first["channel"]) == ("qonnx", "Quant_7", 3)
    assert first["unseen"] == ("Conv_6_window", "Conv_6")
    assert result["diagnosis"] == (
        "'qonnx' against the reference and 'rtl' and 'rtl, random stalls'. Changed since the "
        "build: model.onnx is not the file that was built. Build the model again."
    )


def test_a_layer_that_stops_taking_its_input(build, capsys):
    edit(build / "rtl" / "hw_depthwise.sv", "m_axis_tready || !m_axis_tvalid;", "1'b0;")
    assert main(["verify", str(build), "--samples", "2", "--witness", "rtl"]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"hwgen: error: simulation of \S+/rtl failed: deadlock: no transfer for 1000000 cycles up "
        r"to cycle \d+, after \d+ input and 0 output beats; stream Conv_6_window_out\w* has valid "
        r"without ready: u_Conv_6 does not take it, and no stream after it waits\. The last "
        r"stream moved in cycle \d+\. Waveform around cycle \d+: \S+/mismatch\.vcd\.\n",
        said,
    )
    assert "$scope module u_Conv_6 " in (build / "mismatch.vcd").read_text()
    assert not (build / "verify.json").exists()  # an earlier verdict would be a lie
