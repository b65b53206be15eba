// What every stream module promises: assumptions on its source, assertions on its output.
//
// A frame is IN_BEATS beats in and OUT_BEATS beats out.  The solver picks any frame; the checker
// counts the frames ahead of it, remembers its beats, and compares each of its output
// beats with expected_i, the golden function of frame_o and beat_o.  As the frame and all data are
// arbitrary, a beat that is lost, duplicated, invented or out of order shows as a difference.
//
// (*) Cycles in which the sink refuses an output beat do not count.  As the sink may hold tready
// low until it sees tvalid, a module whose tvalid waits for tready breaks one of the bounds.
//
// rst may come at any time; the first cycle is a reset.

module stream_props #(
  parameter  int unsigned IN_W      = 1,  // input beat, bits
  parameter  int unsigned IN_BEATS  = 1,  // per frame
  parameter  int unsigned OUT_W     = 1,  // output beat, bits
  parameter  int unsigned OUT_BEATS = 1,  // per frame
  parameter  int unsigned INSIDE    = 1,  // most frames accepted and not yet handed on
  parameter  int unsigned WAIT_IN   = 0,  // most cycles that an offered beat waits (*)
  parameter  int unsigned WAIT_OUT  = 0,  // most cycles with a frame inside and no output offered
  localparam int unsigned BEAT_W    = $clog2(OUT_BEATS + 1)
) (
  input logic                      clk,
  input logic                      rst,

  input logic [IN_W-1:0]           s_tdata_i,
  input logic                      s_tvalid_i,
  input logic                      s_tready_i,

  input logic [OUT_W-1:0]          m_tdata_i,
  input logic                      m_tvalid_i,
  input logic                      m_tready_i,
  input logic                      refused_i = 1'b0,  // another sink refuses a beat (*)

  output logic [IN_BEATS*IN_W-1:0] frame_o,    // the frame that is followed
  output logic [BEAT_W-1:0]        beat_o,     // index of the output beat
  input  logic [OUT_W-1:0]         expected_i  // golden output beat
);

  localparam int unsigned IN_BEAT_W = $clog2(IN_BEATS + 1);
  localparam int unsigned INSIDE_W  = $clog2(INSIDE + 2) + 1;
  localparam int unsigned WAIT_W    = $clog2(WAIT_IN + WAIT_OUT + 3);

  logic push, pop, push_last, pop_last, started;
  logic [IN_BEAT_W-1:0] in_q;
  logic [BEAT_W-1:0]    out_q;
  logic signed [INSIDE_W-1:0] inside_q;  // whole frames in minus whole frames out

  assign push      = s_tvalid_i && s_tready_i;
  assign pop       = m_tvalid_i && m_tready_i;
  assign push_last = push && in_q == IN_BEAT_W'(IN_BEATS - 1);
  assign pop_last  = pop && out_q == BEAT_W'(OUT_BEATS - 1);
  assign started   = in_q != '0 || s_tvalid_i;
  assign beat_o    = out_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_q     <= '0;
      out_q    <= '0;
      inside_q <= '0;
    end else begin
      if (push) in_q <= push_last ? '0 : in_q + 1'b1;
      if (pop) out_q <= pop_last ? '0 : out_q + 1'b1;
      if (push_last && !pop_last) inside_q <= inside_q + 1;
      if (pop_last && !push_last) inside_q <= inside_q - 1;
    end
  end

  // ---- valid and data hold until the transfer ------------------------------------------------
  logic             started_q = 1'b0;
  logic             s_stalled_q, m_stalled_q;
  logic [IN_W-1:0]  s_held_q;
  logic [OUT_W-1:0] m_held_q;

  always_ff @(posedge clk) begin
    started_q   <= 1'b1;
    s_stalled_q <= !rst && s_tvalid_i && !s_tready_i;
    m_stalled_q <= !rst && m_tvalid_i && !m_tready_i;
    s_held_q    <= s_tdata_i;
    m_held_q    <= m_tdata_i;
  end

  always_comb begin
    if (!started_q) begin
      assume (rst);
    end else if (!rst) begin
      if (s_stalled_q) assume (s_tvalid_i && s_tdata_i == s_held_q);
      if (m_stalled_q) a_hold: assert (m_tvalid_i && m_tdata_i == m_held_q);
    end
  end

  // ---- no deadlock: every wait is bounded, and tvalid never waits for tready -----------------
  logic [WAIT_W-1:0] wait_in_q, wait_out_q;

  always_ff @(posedge clk) begin
    if (rst || push) wait_in_q <= '0;
    else if (s_tvalid_i && (m_tready_i || !m_tvalid_i) && !refused_i) begin
      wait_in_q <= wait_in_q + 1'b1;
    end
    if (rst || m_tvalid_i) wait_out_q <= '0;
    else if (inside_q > 0) wait_out_q <= wait_out_q + 1'b1;
  end

  always_comb begin
    if (started_q && !rst) begin
      a_accepts: assert (wait_in_q <= WAIT_W'(WAIT_IN));
      a_answers: assert (wait_out_q <= WAIT_W'(WAIT_OUT));
    end
  end

  // ---- any one frame comes out once, in its turn, as the golden function of what went in -----
  logic follow, tagged_q, captured_q, done_q;
  logic signed [INSIDE_W-1:0] ahead, ahead_q;  // frames to come out before the one that is followed
  logic [IN_BEATS*IN_W-1:0]   frame_q;
  (* anyseq *) logic                     tag;      // follow the next frame to come
  (* anyseq *) logic [IN_BEATS*IN_W-1:0] unknown;  // what no answer may depend on

  assign follow = tagged_q || (tag && in_q == '0 && inside_q >= 0);
  assign ahead  = tagged_q ? ahead_q : inside_q;

  // Beats that are not yet offered are arbitrary, so that an early answer cannot be right.
  for (genvar b = 0; b < IN_BEATS; b++) begin : gen_beat
    logic here, past;
    assign here = s_tvalid_i && in_q == IN_BEAT_W'(b);
    assign past = captured_q || in_q > IN_BEAT_W'(b);
    assign frame_o[b*IN_W +: IN_W] = past ? frame_q[b*IN_W +: IN_W]
                                     : here ? s_tdata_i : unknown[b*IN_W +: IN_W];
  end

  always_ff @(posedge clk) begin
    frame_q    <= frame_o;
    ahead_q    <= (pop_last && ahead != 0) ? ahead - 1 : ahead;
    tagged_q   <= !rst && follow;
    captured_q <= !rst && (captured_q || (follow && push_last));
    done_q     <= !rst && (done_q || (follow && ahead == 0 && pop_last));
  end

  always_comb begin
    if (started_q && !rst) begin
      a_room: assert (inside_q <= $signed(INSIDE_W'(INSIDE)));
      // A frame may be answered before its last beat is in, never before its first is offered.
      if (m_tvalid_i) a_none_invented: assert (inside_q > 0 || (inside_q == 0 && started));
      if (follow && !done_q && ahead == 0 && m_tvalid_i) begin
        a_golden: assert (m_tdata_i == expected_i);
      end
      c_through: cover (done_q);
    end
  end

endmodule
