// hw_add and hw_concat: two sources, of which the one whose turn it is may be taken, and no other.
//
// That is asserted here; the rest is what stream_props says about the stream of the beats in turn:
// of both beats at once for hw_add, of one side's and then the other's for hw_concat.

module formal_join #(
  parameter bit          CONCAT   = 1'b0,  // hw_concat instead of hw_add
  parameter int unsigned PE       = 1,
  parameter int unsigned BEATS0   = 1,  // hw_concat
  parameter int unsigned BEATS1   = 1,
  parameter bit          SIGNED0  = 1'b0,
  parameter bit          SIGNED1  = 1'b0,
  parameter int          G0       = 1,  // hw_add
  parameter int          G1       = 1,
  parameter int unsigned INSIDE   = 1,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic            clk,
  input logic            rst,
  input logic [PE*2-1:0] s0_axis_tdata,
  input logic            s0_axis_tvalid,
  input logic [PE*2-1:0] s1_axis_tdata,
  input logic            s1_axis_tvalid,
  input logic            m_axis_tready
);

  localparam int unsigned X_W   = 2;
  localparam int unsigned Y_W   = CONCAT ? 3 : 5;
  localparam int unsigned BEATS = CONCAT ? BEATS0 + BEATS1 : 1;

  logic                       s0_axis_tready, s1_axis_tready, m_axis_tvalid;
  logic [PE*Y_W-1:0]          m_axis_tdata, expected;
  logic [2*PE*X_W-1:0]        turn_tdata;
  logic                       turn_tvalid, turn_tready;
  logic [BEATS*2*PE*X_W-1:0]  frame;
  logic [$clog2(BEATS+1)-1:0] beat, turn_q;

  // ---- sources hold what they offer ----------------------------------------------------------
  logic            stalled0_q, stalled1_q;
  logic [PE*2-1:0] held0_q, held1_q;

  always_ff @(posedge clk) begin
    stalled0_q <= !rst && s0_axis_tvalid && !s0_axis_tready;
    stalled1_q <= !rst && s1_axis_tvalid && !s1_axis_tready;
    held0_q    <= s0_axis_tdata;
    held1_q    <= s1_axis_tdata;
    if (rst) turn_q <= '0;
    else if (turn_tvalid && turn_tready) begin
      turn_q <= (32'(turn_q) == BEATS - 1) ? '0 : turn_q + 1'b1;
    end
  end

  always_comb begin
    if (!rst && stalled0_q) assume (s0_axis_tvalid && s0_axis_tdata == held0_q);
    if (!rst && stalled1_q) assume (s1_axis_tvalid && s1_axis_tdata == held1_q);
  end

  // ---- whose turn it is ----------------------------------------------------------------------
  if (CONCAT) begin : gen_concat
    logic second;
    assign second      = 32'(turn_q) >= BEATS0;
    assign turn_tdata  = second ? {s1_axis_tdata, s1_axis_tdata} : {s0_axis_tdata, s0_axis_tdata};
    assign turn_tvalid = second ? s1_axis_tvalid : s0_axis_tvalid;
    assign turn_tready = second ? s1_axis_tready : s0_axis_tready;
    always_comb begin
      if (!rst) a_turn: assert (!(second ? s0_axis_tready : s1_axis_tready));
    end

    hw_concat #(
      .PE(PE), .BEATS0(BEATS0), .BEATS1(BEATS1), .X0_W(X_W), .X0_SIGNED(SIGNED0), .X1_W(X_W),
      .X1_SIGNED(SIGNED1), .Y_W(Y_W)
    ) u_dut (
      .clk(clk), .rst(rst),
      .s0_axis_tdata(s0_axis_tdata), .s0_axis_tvalid(s0_axis_tvalid),
      .s0_axis_tready(s0_axis_tready),
      .s1_axis_tdata(s1_axis_tdata), .s1_axis_tvalid(s1_axis_tvalid),
      .s1_axis_tready(s1_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end else begin : gen_add
    assign turn_tdata  = {s1_axis_tdata, s0_axis_tdata};
    assign turn_tvalid = s0_axis_tvalid && s1_axis_tvalid;
    assign turn_tready = s0_axis_tready;
    always_comb begin
      if (!rst) begin
        a_turn: assert ((s0_axis_tvalid && s0_axis_tready) == (s1_axis_tvalid && s1_axis_tready));
      end
    end

    hw_add #(
      .PE(PE), .X0_W(X_W), .X0_SIGNED(SIGNED0), .X1_W(X_W), .X1_SIGNED(SIGNED1), .G0(G0), .G1(G1),
      .Y_W(Y_W)
    ) u_dut (
      .clk(clk), .rst(rst),
      .s0_axis_tdata(s0_axis_tdata), .s0_axis_tvalid(s0_axis_tvalid),
      .s0_axis_tready(s0_axis_tready),
      .s1_axis_tdata(s1_axis_tdata), .s1_axis_tvalid(s1_axis_tvalid),
      .s1_axis_tready(s1_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end

  // ---- definition ----------------------------------------------------------------------------
  logic [2*PE*X_W-1:0] pair;
  logic signed [31:0]  x0, x1;
  logic [31:0]         y;

  assign pair = frame[beat*2*PE*X_W +: 2*PE*X_W];

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      x0 = {30'd0, pair[p*X_W +: X_W]};
      x1 = {30'd0, pair[(PE+p)*X_W +: X_W]};
      if (SIGNED0 && x0 > 1) x0 = x0 - 4;
      if (SIGNED1 && x1 > 1) x1 = x1 - 4;
      y = CONCAT ? ((32'(beat) < BEATS0) ? x0 : x1) : G0 * x0 + G1 * x1;
      expected[p*Y_W +: Y_W] = y[Y_W-1:0];
    end
  end

  stream_props #(
    .IN_W(2*PE*X_W), .IN_BEATS(BEATS), .OUT_W(PE*Y_W), .OUT_BEATS(BEATS),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(turn_tdata), .s_tvalid_i(turn_tvalid), .s_tready_i(turn_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
