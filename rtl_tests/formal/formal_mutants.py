"""Planted bugs: one handshake line of a module changes, and its proof must fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``old``, which occurs once in the module's source, becomes ``new``."""

    module: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}: `{self.old}` -> `{self.new}`"


FREE = "m_axis_tready || !m_axis_tvalid"  # a registered stage may move
PIPELINED = [  # lines that the one-stall-for-all pipelines share
    (FREE, "1'b1"),  # moves under a stalled sink
    (FREE, "m_axis_tready"),  # tvalid waits for tready
    ("s_axis_tready = advance;", "s_axis_tready = 1'b1;"),
    (".en(s_axis_tvalid && advance)", ".en(advance)"),
    (".en(s_axis_tvalid && advance)", ".en(s_axis_tvalid)"),
]
LINES = {
    "hw_axis_register": [
        ("m_axis_tready || !out_valid_q", "1'b1"),
        ("m_axis_tready || !out_valid_q", "m_axis_tready"),
        ("s_axis_tready = !skid_valid_q", "s_axis_tready = 1'b1"),
        ("s_axis_tvalid || skid_valid_q", "s_axis_tvalid"),
        ("skid_valid_q <= 1'b1", "skid_valid_q <= 1'b0"),
        ("if (!skid_valid_q) skid_q", "skid_q"),
    ],
    "hw_fifo": [
        ("fill_q != FILL_W'(DEPTH)", "1'b1"),
        ("fill_q != '0", "1'b1"),
        ("push = s_axis_tvalid && s_axis_tready", "push = s_axis_tvalid"),
        ("pop  = m_axis_tvalid && m_axis_tready", "pop  = m_axis_tready"),
        ("pop  = m_axis_tvalid && m_axis_tready", "pop  = m_axis_tvalid"),
        ("FILL_W'(push) - FILL_W'(pop)", "FILL_W'(push)"),
    ],
    "hw_width": [
        (".en(m_axis_tvalid && m_axis_tready)", ".en(m_axis_tready)"),
        (".en(m_axis_tvalid && m_axis_tready)", ".en(m_axis_tvalid)"),
        ("s_axis_tready = m_axis_tready && last", "s_axis_tready = m_axis_tready"),
        ("s_axis_tready = m_axis_tready && last", "s_axis_tready = last"),
        (".en(s_axis_tvalid && s_axis_tready)", ".en(s_axis_tvalid)"),
        ("s_axis_tready = m_axis_tready || !last", "s_axis_tready = 1'b1"),
        ("s_axis_tready = m_axis_tready || !last", "s_axis_tready = m_axis_tready"),
        ("m_axis_tvalid = s_axis_tvalid && last", "m_axis_tvalid = s_axis_tvalid"),
    ],
    "hw_fork": [
        ("free0         = m0_axis_tready || done0_q", "free0         = m0_axis_tready"),
        ("s_axis_tready = free0 && free1", "s_axis_tready = free0"),
        ("s_axis_tready = free0 && free1", "s_axis_tready = free0 || free1"),
        ("rst || !s_axis_tvalid || s_axis_tready", "rst || s_axis_tready"),
        ("rst || !s_axis_tvalid || s_axis_tready", "!s_axis_tvalid || s_axis_tready"),
        ("done0_q <= free0", "done0_q <= 1'b0"),
        ("s_axis_tvalid && !done0_q", "s_axis_tvalid && !done0_q && m1_axis_tready"),
        ("s_axis_tvalid && !done0_q", "s_axis_tvalid && !done0_q && done1_q"),
    ],
    "hw_add": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        ("s0_axis_tready = advance && s1_axis_tvalid", "s0_axis_tready = advance"),
        ("s1_axis_tready = advance && s0_axis_tvalid", "s1_axis_tready = s0_axis_tvalid"),
        ("valid_q <= s0_axis_tvalid && s1_axis_tvalid", "valid_q <= s0_axis_tvalid"),
    ],
    "hw_concat": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        ("s0_axis_tready = advance && !second", "s0_axis_tready = advance"),
        ("s1_axis_tready = advance && second", "s1_axis_tready = second"),
        (".en(advance && offered)", ".en(advance)"),
        ("offered        = second ? s1_axis_tvalid", "offered        = second ? s0_axis_tvalid"),
    ],
    "hw_upsample": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        ("advance && (s_axis_tvalid || !wanted)", "advance && s_axis_tvalid"),
        ("s_axis_tready = advance && wanted", "s_axis_tready = advance"),
        ("held_q != HELD_W'(2 * ROW)", "1'b1"),
        ("push          = s_axis_tvalid && s_axis_tready", "push          = s_axis_tvalid"),
        ("advance && HELD_W'(beat_of_row_q) < held_q", "advance && held_q != '0"),
        ("row_end && (fy_last || row_last)", "row_end && fy_last"),
        ("row_end && (fy_last || row_last)", "row_end"),
    ],
    "hw_window": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        ("s_axis_tready = held_q < $signed(POS_W'(ROWS))", "s_axis_tready = 1'b1"),
        ("push          = s_axis_tvalid && s_axis_tready", "push          = s_axis_tvalid"),
        ("issue   = advance && need <= held_q", "issue   = need <= held_q"),
        ("issue   = advance && need <= held_q", "issue   = advance"),
        ("issue   = advance && need <= held_q", "issue   = advance && need <= held_q + 1"),
        ("else if (advance) valid_q", "else valid_q"),
    ],
    "hw_depthwise": [
        *PIPELINED[:3],
        ("issue         = advance && s_axis_tvalid", "issue         = s_axis_tvalid"),
        ("issue         = advance && s_axis_tvalid", "issue         = advance"),
        ("valid2_q <= valid1_q && last1_q", "valid2_q <= valid1_q"),
        ("accumulate = advance && valid1_q", "accumulate = valid1_q"),
    ],
    "hw_maxpool": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        ("issue         = advance && s_axis_tvalid", "issue         = s_axis_tvalid"),
        ("issue         = advance && s_axis_tvalid", "issue         = advance"),
        ("valid_q <= issue && tap_last", "valid_q <= issue"),
        ("if (issue) largest_mem", "largest_mem"),
    ],
    "hw_table": [
        ("m_axis_tready || !valid_q", "1'b1"),
        ("m_axis_tready || !valid_q", "m_axis_tready"),
        *PIPELINED[2:],
        ("else if (advance) valid_q", "else valid_q"),
    ],
    "hw_threshold": [
        *PIPELINED,
        ("else if (advance) valid_q", "else valid_q"),
        ("if (advance) cf_q <=", "cf_q <="),
    ],
    "hw_requant": [*PIPELINED, ("else if (advance) valid_q", "else valid_q")],
    "hw_argmax": [
        *PIPELINED,
        ("valid2_q <= valid1_q && last1_q", "valid2_q <= valid1_q"),
        ("valid2_q <= valid1_q && last1_q", "valid2_q <= last1_q"),
        ("advance && valid1_q && (first1_q", "advance && (first1_q"),
        ("advance && valid1_q && (first1_q", "valid1_q && (first1_q"),
    ],
    "hw_dense": [
        *PIPELINED[:2],
        ("s_axis_tready = advance && first_pass", "s_axis_tready = advance"),
        ("s_axis_tready = advance && first_pass", "s_axis_tready = first_pass"),
        ("issue         = s_axis_tvalid || !first_pass", "issue         = s_axis_tvalid"),
        ("issue         = s_axis_tvalid || !first_pass", "issue         = 1'b1"),
        (".en(advance && issue && sf_last)", ".en(issue && sf_last)"),
        ("valid2_q <= valid1_q && last1_q", "valid2_q <= valid1_q"),
        ("if (advance && valid1_q) acc_q", "if (advance) acc_q"),
    ],
    "hw_dense_col": [
        *PIPELINED[:2],
        ("s_axis_tready = advance && nf_last", "s_axis_tready = advance"),
        ("s_axis_tready = advance && nf_last", "s_axis_tready = nf_last"),
        ("issue         = advance && s_axis_tvalid", "issue         = s_axis_tvalid"),
        ("issue         = advance && s_axis_tvalid", "issue         = advance"),
        ("valid2_q <= valid1_q && last1_q", "valid2_q <= valid1_q"),
        ("accumulate = advance && valid1_q", "accumulate = valid1_q"),
    ],
}

MUTANTS = [Mutant(module, *lines) for module, pairs in LINES.items() for lines in pairs]
