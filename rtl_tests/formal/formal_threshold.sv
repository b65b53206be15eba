// hw_threshold against its definition: BASE and the number of thresholds reached, one by one.

module formal_threshold #(
  parameter int unsigned CHANNELS = 2,
  parameter int unsigned PE       = 1,
  parameter int unsigned X_W      = 2,
  parameter int unsigned Y_W      = 2,
  parameter int unsigned LEVELS   = 3,
  parameter int          BASE     = 0,
  // level k of channel c at [(c*LEVELS+k)*(X_W+1) +: X_W+1]
  parameter logic [CHANNELS*LEVELS*(X_W+1)-1:0] T = '0,
  parameter              T_FILE   = "",
  parameter int unsigned INSIDE   = 2,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic              clk,
  input logic              rst,
  input logic [PE*X_W-1:0] s_axis_tdata,
  input logic              s_axis_tvalid,
  input logic              m_axis_tready
);

  localparam int unsigned T_W = X_W + 1;

  logic                             s_axis_tready, m_axis_tvalid;
  logic [PE*Y_W-1:0]                m_axis_tdata, expected;
  logic [CHANNELS*X_W-1:0]          frame;
  logic [$clog2(CHANNELS/PE+1)-1:0] beat;

  hw_threshold #(
    .CHANNELS(CHANNELS), .PE(PE), .X_W(X_W), .X_SIGNED(1'b1), .Y_W(Y_W), .LEVELS(LEVELS),
    .T_W(T_W), .BASE(BASE), .T_FILE(T_FILE)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic signed [X_W-1:0] x;
  logic signed [T_W-1:0] t;
  logic [Y_W-1:0]        count;

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      x     = frame[(32'(beat)*PE+p)*X_W +: X_W];
      count = Y_W'(BASE);
      for (int unsigned k = 0; k < LEVELS; k++) begin
        t = T[((32'(beat)*PE+p)*LEVELS+k)*T_W +: T_W];
        if (x >= t) count = count + 1'b1;
      end
      expected[p*Y_W +: Y_W] = count;
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
