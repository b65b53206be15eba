"""What is made of the last words of a simulator."""

import pytest

from hwgen.sim.failure import AssertionFailed, failure

TOP = """
  hw_dense #(.IN_N(4)) u_fc (
    .s_axis_tvalid(x_reg_tvalid), .m_axis_tvalid(fc_out_tvalid)
  );
  hw_width #(.A(1)) u_fc_out_x2 (
    .s_axis_tvalid(fc_out_tvalid), .m_axis_tvalid(fc_out_x2_tvalid)
  );
  hw_threshold #(.T("}")) u_act (
    .s_axis_tvalid(fc_out_x2_tvalid), .m_axis_tvalid(act_out_tvalid)
  );
"""
DEADLOCK = "deadlock: no transfer for 9 cycles up to cycle 50, after 8 input and 0 output beats"
EXPECTED = {"fc_out": 10, "act_out": 10}


def said(states: str, fc: int, act: int, sentence: str = DEADLOCK) -> str:
    """``states``: valid and ready of each stream."""
    names = ("s_axis", "x_reg", "fc_out", "fc_out_x2", "act_out", "m_axis")
    streams = [f"stream {n} {s[0]} {s[1]}" for n, s in zip(names, states.split(), strict=True)]
    return "\n".join(
        [*streams, f"passed fc_out {fc}", f"passed act_out {act}", "last_movement 41", sentence]
    )


@pytest.fixture
def rtl(tmp_path):
    (tmp_path / "top.sv").write_text(TOP)
    return tmp_path


@pytest.mark.parametrize(
    ("states", "passed", "instance", "place"),
    [
        (
            "10 10 10 10 01 01", (7, 6), "u_act",
            "stream fc_out_x2 has valid without ready: u_act does not take it, and no stream "
            "after it waits",
        ),
        (
            "10 10 10 01 01 01", (7, 6), "u_fc_out_x2",
            "stream fc_out has valid without ready: u_fc_out_x2 does not take it, and no stream "
            "after it waits",
        ),
        (
            "01 01 01 01 01 01", (10, 6), "u_act",
            "no stream waits for ready, but u_act of stream act_out gave only 6 beats of 10",
        ),
        (
            "01 01 01 01 01 01", (10, 10), "",
            "no stream waits for ready: an instance took its input and gave nothing",
        ),
    ],
)  # fmt: skip
def test_a_deadlock_names_where_the_streams_stand_still(rtl, states, passed, instance, place):
    error = failure(rtl, "top", said(states, *passed), EXPECTED)
    assert (error.cycle, error.instance) == (41, instance)
    assert str(error) == (
        f"simulation of {rtl} failed: {DEADLOCK}; {place}. The last stream moved in cycle 41."
    )


def test_a_beat_too_many_names_the_first_stream_with_too_many(rtl):
    words = said("11 11 11 11 11 11", 10, 12, "cycle 77: an output beat too many")
    error = failure(rtl, "top", words, EXPECTED)
    assert (error.cycle, error.instance) == (77, "u_act")
    assert str(error) == (
        f"simulation of {rtl} failed: cycle 77: an output beat too many; stream act_out passed 12 "
        "beats where all frames have 10, by u_act or the streams in front of it"
    )


def test_a_failed_assertion_is_one_sentence_with_cycle_and_instance(rtl):
    words = (
        "[74] %Error: hw_dense.sv:138: Assertion failed in TOP.top.u_fc.gen_pe[0].a_no_overflow: "
        "TOP.top.u_fc.gen_pe[0].a_no_overflow: 392 does not fit ACC_W=9 bits\n"
        "%Error: hw_dense.sv:138: Verilog $stop\nAborting...\n"
    )
    error = failure(rtl, "top", words, EXPECTED)
    assert isinstance(error, AssertionFailed)
    assert (error.cycle, error.instance) == (37, "u_fc")
    assert str(error) == (
        f"simulation of {rtl} failed: cycle 37, top.u_fc.gen_pe[0].a_no_overflow: 392 does not fit "
        "ACC_W=9 bits"
    )
