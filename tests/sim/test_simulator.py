"""The compiled simulator on a register stage that misbehaves on command (relay.sv)."""

import threading

import numpy as np
import pytest

from hwgen.errors import ToolFailed
from hwgen.sim import simulator
from hwgen.sim.simulator import Probe, build_simulator

BLOCK, WRONG_LAST, REPEAT, FAIL = 0xB0, 0xB1, 0xB2, 0xB3


def build(rtl, out):
    return build_simulator(
        rtl, "relay", out, in_bytes=3, out_bytes=3, probes=[Probe("middle", 24, 4)]
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("sim")


@pytest.fixture(scope="module")
def relay(rtl, out):
    return build(rtl, out)


@pytest.fixture
def beats():
    return np.random.default_rng(0).integers(0, BLOCK, (50, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize(("idle", "backpressure"), [(0, 0), (0.5, 0), (0, 0.9), (0.9, 0.5)])
def test_outputs_are_exact_under_stalls(relay, beats, idle, backpressure):
    result = relay.run(beats, 4, idle=idle, backpressure=backpressure, seed=3)
    np.testing.assert_array_equal(result.outputs, beats)


def test_counts_cycles(relay, beats):
    result = relay.run(beats, 4)
    assert result.ii_cycles == 4
    assert result.first_latency_cycles == 4  # three more beats and the register
    assert relay.run(beats[:1], 4).ii_cycles is None
    assert relay.run(beats, 4, backpressure=0.5).ii_cycles > 6


def test_same_seed_same_run(relay, beats):
    runs = [relay.run(beats, 4, idle=0.3, backpressure=0.3, seed=s).cycles for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_output_frames_may_have_another_length(relay, beats):
    with pytest.raises(ToolFailed, match="m_axis_tlast is 0 at output beat 1 of 2"):
        relay.run(beats, 2)


def test_a_reset_starts_again(relay, beats):
    result = relay.run(beats, 4, reset_at=37, probe=True)
    np.testing.assert_array_equal(result.outputs, beats)
    np.testing.assert_array_equal(result.probes["middle"], beats.reshape(-1, 3))
    assert result.cycles == relay.run(beats, 4).cycles + 37


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (BLOCK, "deadlock: no transfer for 1000 cycles up to cycle 1135, after 130 input and 130"),
        (WRONG_LAST, "cycle .*: m_axis_tlast is 1 at output beat 2 of 4"),
        (REPEAT, "cycle .*: m_axis_tlast is 0 at output beat 3 of 4"),
        (FAIL, "relay: told to fail"),
    ],
)
def test_names_what_went_wrong(relay, beats, command, message):
    beats[32, 2, 0] = command
    with pytest.raises(ToolFailed, match=message):
        relay.run(beats, 4, patience_cycles=1000)


def test_reports_a_beat_too_many(relay, beats):
    beats[-1, -1, 0] = REPEAT
    with pytest.raises(ToolFailed, match="an output beat too many"):
        relay.run(beats, 4)


def test_compiles_once(relay, rtl, out, monkeypatch):
    monkeypatch.setattr(simulator, "_compile", lambda *_: pytest.fail("compiled again"))
    assert build(rtl, out) == relay


def test_an_interrupted_build_leaves_nothing_that_counts(relay, rtl, out, tmp_path):
    (tmp_path / "building_1234").mkdir()  # what a killed build leaves
    assert build(rtl, tmp_path).executable.exists()


def test_two_builds_at_once(rtl, tmp_path, beats):
    built = []
    threads = [
        threading.Thread(target=lambda: built.append(build(rtl, tmp_path))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built[0] == built[1]
    assert [p.name for p in tmp_path.iterdir()] == [built[0].executable.parent.name]
    np.testing.assert_array_equal(built[0].run(beats, 4).outputs, beats)


def test_a_syntax_error_is_reported(rtl, tmp_path):
    (tmp_path / "bad.sv").write_text("module bad (input logic clk; endmodule\n")
    with pytest.raises(ToolFailed, match="syntax error"):
        build_simulator(tmp_path, "bad", tmp_path / "sim", in_bytes=1, out_bytes=1)
