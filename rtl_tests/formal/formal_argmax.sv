// hw_argmax against one pass over the frame that keeps the first maximum.

module formal_argmax #(
  parameter int unsigned N        = 2,
  parameter int unsigned PE       = 1,
  parameter int unsigned X_W      = 2,
  parameter int unsigned Y_W      = 2,
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

  logic             s_axis_tready, m_axis_tvalid;
  logic [Y_W-1:0]   m_axis_tdata, expected;
  logic [N*X_W-1:0] frame;
  logic [0:0]       beat;

  hw_argmax #(.N(N), .PE(PE), .X_W(X_W), .X_SIGNED(1'b1), .Y_W(Y_W)) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic signed [X_W-1:0] x, best;

  always_comb begin
    expected = '0;
    best     = frame[X_W-1:0];
    for (int unsigned i = 1; i < N; i++) begin
      x = frame[i*X_W +: X_W];
      if (x > best) begin
        best     = x;
        expected = Y_W'(i);
      end
    end
  end

  stream_props #(
    .IN_W(PE*X_W), .IN_BEATS(N/PE), .OUT_W(Y_W), .OUT_BEATS(1),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
