// hw_requant against quotient and remainder: round, then confine to LO..HI.

module formal_requant #(
  parameter int unsigned CHANNELS  = 2,
  parameter int unsigned PE        = 1,
  parameter int unsigned X_W       = 2,
  parameter int unsigned Y_W       = 2,
  parameter bit          UNIT_M    = 1'b0,
  parameter int unsigned M_W       = 2,
  parameter int unsigned B_W       = 3,
  parameter int unsigned SHIFT     = 1,
  parameter int unsigned ROUNDING  = 1,
  parameter int unsigned OVERFLOW  = 0,
  parameter int          LO        = -2,
  parameter int          HI        = 1,
  parameter logic [CHANNELS*M_W-1:0] M = '0,
  parameter logic [CHANNELS*B_W-1:0] B = '0,
  parameter              P_FILE    = "",
  parameter int unsigned INSIDE    = 2,
  parameter int unsigned WAIT_IN   = 0,
  parameter int unsigned WAIT_OUT  = 0
) (
  input logic              clk,
  input logic              rst,
  input logic [PE*X_W-1:0] s_axis_tdata,
  input logic              s_axis_tvalid,
  input logic              m_axis_tready
);

  logic                             s_axis_tready, m_axis_tvalid;
  logic [PE*Y_W-1:0]                m_axis_tdata, expected;
  logic [CHANNELS*X_W-1:0]          frame;
  logic [$clog2(CHANNELS/PE+1)-1:0] beat;

  hw_requant #(
    .CHANNELS(CHANNELS), .PE(PE), .X_W(X_W), .X_SIGNED(1'b1), .Y_W(Y_W), .UNIT_M(UNIT_M),
    .M_W(M_W), .B_W(B_W), .SHIFT(SHIFT), .ROUNDING(ROUNDING), .OVERFLOW(OVERFLOW), .LO(LO), .HI(HI),
    .P_FILE(P_FILE)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  localparam int signed DIVISOR = 1 << SHIFT;

  logic signed [X_W-1:0] x;
  logic signed [M_W-1:0] m;
  logic signed [B_W-1:0] b;
  logic signed [15:0]    quotient, twice_rest;
  logic                  negative, above, tie, up;

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      x = frame[(32'(beat)*PE+p)*X_W +: X_W];
      m = UNIT_M ? M_W'(1) : M[(32'(beat)*PE+p)*M_W +: M_W];
      b = B[(32'(beat)*PE+p)*B_W +: B_W];
      quotient   = (16'(x) * 16'(m) + 16'(b)) >>> SHIFT;
      twice_rest = 2 * (16'(x) * 16'(m) + 16'(b) - 16'(quotient) * 16'(DIVISOR));
      negative   = quotient < 0;  // as is the exact value
      above      = twice_rest > 16'(DIVISOR);
      tie        = twice_rest == 16'(DIVISOR);
      case (ROUNDING)
        0: up = 1'b0;                                // floor
        1: up = above || (tie && quotient[0]);       // half to even
        2: up = negative && twice_rest != 0;         // towards zero
        3: up = above || (tie && !negative);         // half away from zero
        default: up = above || (tie && negative);    // half to zero
      endcase
      if (up) quotient = quotient + 1'b1;
      if (quotient < 16'(LO) || quotient > 16'(HI)) begin
        if (OVERFLOW == 0) quotient = (quotient < 16'(LO)) ? 16'(LO) : 16'(HI);
        if (OVERFLOW == 2) quotient = '0;
      end
      expected[p*Y_W +: Y_W] = quotient[Y_W-1:0];
    end
  end

  stream_props #(
    .IN_W(PE*X_W), .IN_BEATS(CHANNELS/PE), .OUT_W(PE*Y_W), .OUT_BEATS(CHANNELS/PE),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
