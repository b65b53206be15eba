"""What is made of the last words of a simulator."""

import re

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
BRANCHES = """
  hw_fork #(.DATA_W(8)) u_x_fork (
    .s_axis_tvalid(x_tvalid), .m0_axis_tvalid(x_to_a_tvalid), .m1_axis_tvalid(x_to_sum_tvalid)
  );
  hw_fork #(.DATA_W(8)) u_a_fork (
    .s_axis_tvalid(x_to_a_tvalid), .m0_axis_tvalid(a_to_b_tvalid), .m1_axis_tvalid(a_to_row_tvalid)
  );
  hw_dense #(.IN_N(4)) u_b (
    .s_axis_tvalid(a_to_b_tvalid), .m_axis_tvalid(b_out_tvalid)
  );
  hw_fifo #(.DATA_W(8), .DEPTH(3)) u_row_fifo (
    .s_axis_tvalid(a_to_row_tvalid), .m_axis_tvalid(row_other_tvalid)
  );
  hw_concat #(.LANES(1)) u_row (
    .s0_axis_tvalid(b_out_tvalid), .s1_axis_tvalid(row_other_tvalid), .m_axis_tvalid(row_out_tvalid)
  );
  hw_fork #(.DATA_W(8)) u_c_fork (
    .s_axis_tvalid(row_out_tvalid), .m0_axis_tvalid(c_to_d_tvalid),
    .m1_axis_tvalid(c_to_late_tvalid)
  );
  hw_dense #(.IN_N(4)) u_d (
    .s_axis_tvalid(c_to_d_tvalid), .m_axis_tvalid(d_out_tvalid)
  );
  hw_fifo #(.DATA_W(8), .DEPTH(5)) u_late_fifo (
    .s_axis_tvalid(c_to_late_tvalid), .m_axis_tvalid(late_other_tvalid)
  );
  hw_add #(.LANES(1)) u_late (
    .s0_axis_tvalid(d_out_tvalid), .s1_axis_tvalid(late_other_tvalid),
    .m_axis_tvalid(late_out_tvalid)
  );
  hw_width #(.A(1)) u_x_to_sum_x2 (
    .s_axis_tvalid(x_to_sum_tvalid), .m_axis_tvalid(x_to_sum_x2_tvalid)
  );
  hw_fifo #(.DATA_W(8), .DEPTH(9)) u_sum_fifo (
    .s_axis_tvalid(x_to_sum_x2_tvalid), .m_axis_tvalid(sum_other_tvalid)
  );
  hw_add #(.LANES(1)) u_sum (
    .s0_axis_tvalid(late_out_tvalid), .s1_axis_tvalid(sum_other_tvalid),
    .m_axis_tvalid(m_axis_tvalid)
  );
"""
DEPTH = " joins two branches and waits for one of them, which the other holds up: FIFO "
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


@pytest.mark.parametrize(
    ("waiting", "instance", "place"),
    [
        (
            "x x_to_sum x_to_sum_x2 sum_other", "u_sum_fifo",
            f"u_sum{DEPTH}u_sum_fifo (9 beats) is full. It needs more depth",
        ),
        (  # beats for u_row that are not too many
            "x x_to_sum x_to_sum_x2 sum_other row_other", "u_sum_fifo",
            f"u_sum{DEPTH}u_sum_fifo (9 beats) is full. It needs more depth",
        ),
        (
            "x x_to_a a_to_row row_other sum_other", "u_row_fifo",
            f"u_row{DEPTH}u_row_fifo (3 beats) is full. It needs more depth",
        ),
        (  # what the shorter one holds up fills the other
            "x x_to_a a_to_row row_other x_to_sum x_to_sum_x2 sum_other", "u_row_fifo",
            f"u_row{DEPTH}u_row_fifo (3 beats) is full. It needs more depth; u_sum_fifo (9 beats) "
            "is full as well",
        ),
        (  # u_row waits for u_x_fork, that for u_sum, and that for u_late
            "x x_to_sum x_to_sum_x2 sum_other row_other row_out c_to_late late_other",
            "u_late_fifo",
            f"u_late{DEPTH}u_late_fifo (5 beats) is full. It needs more depth; u_sum_fifo "
            "(9 beats) is full as well",
        ),
        (  # no depth helps
            "x x_to_a a_to_b a_to_row row_other x_to_sum x_to_sum_x2 sum_other", "u_b",
            "u_sum waits for u_b, which has what it needs but gives nothing",
        ),
    ],
)  # fmt: skip
def test_a_deadlock_of_branches_names_the_fifo_that_is_too_short(
    tmp_path, waiting, instance, place
):
    (tmp_path / "top.sv").write_text(BRANCHES)
    streams = sorted(set(re.findall(r"(\w+)_tvalid\)", BRANCHES)) - set(waiting.split()))
    lines = [f"stream {name} 1 0" for name in waiting.split()]
    states = [*(f"stream {name} 0 1" for name in streams), *lines]
    words = "\n".join([*states, "last_movement 41", DEADLOCK])
    error = failure(tmp_path, "top", words, {})
    assert (error.cycle, error.instance) == (41, instance)
    assert f"{DEADLOCK}; {place}. The last stream moved in cycle 41." in str(error)


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
