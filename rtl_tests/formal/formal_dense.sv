// hw_dense and hw_dense_col against y = W x, written as two loops.

module formal_dense #(
  parameter bit          COL      = 1'b0,  // 1: hw_dense_col
  parameter int unsigned IN_N     = 2,
  parameter int unsigned OUT_N    = 2,
  parameter int unsigned SIMD     = 1,
  parameter int unsigned PE       = 1,
  parameter int unsigned X_W      = 1,
  parameter bit          X_SIGNED = 1'b0,
  parameter int unsigned W_W      = 2,
  parameter int unsigned ARITH    = 0,
  parameter int unsigned ACC_W    = 4,
  parameter logic [OUT_N*IN_N*W_W-1:0] W = '0,  // row o, input i at [(o*IN_N+i)*W_W +: W_W]
  parameter              W_FILE   = "",
  parameter int unsigned INSIDE   = 2,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic                clk,
  input logic                rst,
  input logic [SIMD*X_W-1:0] s_axis_tdata,
  input logic                s_axis_tvalid,
  input logic                m_axis_tready
);

  logic                             s_axis_tready, m_axis_tvalid;
  logic [PE*ACC_W-1:0]              m_axis_tdata, expected;
  logic [IN_N*X_W-1:0]              frame;
  logic [$clog2(OUT_N/PE+1)-1:0]    beat;

  if (COL) begin : gen_column
    hw_dense_col #(
      .IN_N(IN_N), .OUT_N(OUT_N), .SIMD(SIMD), .PE(PE), .X_W(X_W), .X_SIGNED(X_SIGNED),
      .W_W(W_W), .ARITH(ARITH), .ACC_W(ACC_W), .W_FILE(W_FILE)
    ) u_dut (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end else begin : gen_row
    hw_dense #(
      .IN_N(IN_N), .OUT_N(OUT_N), .SIMD(SIMD), .PE(PE), .X_W(X_W), .X_SIGNED(X_SIGNED),
      .W_W(W_W), .ARITH(ARITH), .ACC_W(ACC_W), .W_FILE(W_FILE)
    ) u_dut (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end

  logic signed [ACC_W-1:0] sum, x, w;

  always_comb begin
    expected = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      sum = '0;
      for (int unsigned i = 0; i < IN_N; i++) begin
        w = ACC_W'($signed(W[((32'(beat)*PE+p)*IN_N+i)*W_W +: W_W]));
        x = X_SIGNED ? ACC_W'($signed(frame[i*X_W +: X_W])) : ACC_W'(frame[i*X_W +: X_W]);
        if (ARITH == 0) sum = sum + w * x;
        else if (ARITH == 1) sum = sum + (2 * w + 1) * x;
        else if (w[0] == x[0]) sum = sum + 1;
      end
      expected[p*ACC_W +: ACC_W] = sum;
    end
  end

  stream_props #(
    .IN_W(SIMD*X_W), .IN_BEATS(IN_N/SIMD), .OUT_W(PE*ACC_W), .OUT_BEATS(OUT_N/PE),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
