// hw_depthwise against y[c] = sum over taps of w[c, k] * x[k, c], written as two loops.

module formal_depthwise #(
  parameter int unsigned CHANNELS = 2,
  parameter int unsigned TAPS     = 2,
  parameter int unsigned PE       = 1,
  parameter int unsigned X_W      = 1,
  parameter int unsigned W_W      = 2,
  parameter int unsigned ACC_W    = 4,
  parameter logic [CHANNELS*TAPS*W_W-1:0] W = '0,  // channel c, tap k at [(c*TAPS+k)*W_W +: W_W]
  parameter              W_FILE   = "",
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

  logic                             s_axis_tready, m_axis_tvalid;
  logic [PE*ACC_W-1:0]              m_axis_tdata, expected;
  logic [TAPS*CHANNELS*X_W-1:0]     frame;
  logic [$clog2(CHANNELS/PE+1)-1:0] beat;

  hw_depthwise #(
    .CHANNELS(CHANNELS), .TAPS(TAPS), .PE(PE), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W),
    .W_FILE(W_FILE)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic signed [ACC_W-1:0] sum, x, w;

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      sum = '0;
      for (int unsigned k = 0; k < TAPS; k++) begin
        w   = ACC_W'($signed(W[((32'(beat)*PE+p)*TAPS+k)*W_W +: W_W]));
        x   = ACC_W'(frame[(k*CHANNELS+32'(beat)*PE+p)*X_W +: X_W]);
        sum = sum + w * x;
      end
      expected[p*ACC_W +: ACC_W] = sum;
    end
  end

  stream_props #(
    .IN_W(PE*X_W), .IN_BEATS(TAPS*CHANNELS/PE), .OUT_W(PE*ACC_W), .OUT_BEATS(CHANNELS/PE),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
