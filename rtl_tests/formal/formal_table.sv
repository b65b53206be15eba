// hw_table against the table itself.

module formal_table #(
  parameter int unsigned CHANNELS = 2,
  parameter int unsigned PE       = 1,
  parameter int unsigned X_W      = 2,
  parameter int unsigned Y_W      = 2,
  parameter bit          SHARED   = 1'b1,
  parameter logic [CHANNELS*2**X_W*Y_W-1:0] TABLE = '0,  // entry x, channel c at (c*2**X_W+x)*Y_W
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

  logic                             s_axis_tready, m_axis_tvalid;
  logic [PE*Y_W-1:0]                m_axis_tdata, expected;
  logic [CHANNELS*X_W-1:0]          frame;
  logic [$clog2(CHANNELS/PE+1)-1:0] beat;

  hw_table #(
    .CHANNELS(CHANNELS), .PE(PE), .X_W(X_W), .Y_W(Y_W), .INDEX_W(X_W), .SHARED(SHARED),
    .T_FILE(T_FILE)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic [X_W-1:0] x;

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      x = frame[(32'(beat)*PE+p)*X_W +: X_W];
      expected[p*Y_W +: Y_W] = TABLE[((32'(beat)*PE+p)*2**X_W+32'(x))*Y_W +: Y_W];
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
