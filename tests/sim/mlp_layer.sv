// One hidden layer of mlp: width converter, FIFO of one frame, dense, threshold.

module mlp_layer #(
  parameter int unsigned IN_N     = 490,
  parameter int unsigned IN_LANES = 10,
  parameter int unsigned SIMD     = 10,
  parameter              W_FILE   = "",
  parameter              T_FILE   = ""
) (
  input  logic                  clk,
  input  logic                  rst,
  input  logic [IN_LANES*4-1:0] s_axis_tdata,
  input  logic                  s_axis_tvalid,
  output logic                  s_axis_tready,
  output logic [127:0]          m_axis_tdata,
  output logic                  m_axis_tvalid,
  input  logic                  m_axis_tready
);

  logic [SIMD*4-1:0] narrow_tdata, x_tdata;
  logic              narrow_tvalid, narrow_tready, x_tvalid, x_tready;
  logic [32*16-1:0]  acc_tdata;
  logic              acc_tvalid, acc_tready;

  hw_width #(.LANE_W(4), .IN_LANES(IN_LANES), .OUT_LANES(SIMD)) u_width (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(narrow_tdata), .m_axis_tvalid(narrow_tvalid), .m_axis_tready(narrow_tready)
  );
  hw_fifo #(.DATA_W(SIMD*4), .DEPTH(IN_N/SIMD)) u_fifo (
    .clk(clk), .rst(rst),
    .s_axis_tdata(narrow_tdata), .s_axis_tvalid(narrow_tvalid), .s_axis_tready(narrow_tready),
    .m_axis_tdata(x_tdata), .m_axis_tvalid(x_tvalid), .m_axis_tready(x_tready)
  );
  hw_dense #(
    .IN_N(IN_N), .OUT_N(256), .SIMD(SIMD), .PE(32), .X_W(4), .W_W(3), .ACC_W(16), .W_FILE(W_FILE)
  ) u_dense (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x_tdata), .s_axis_tvalid(x_tvalid), .s_axis_tready(x_tready),
    .m_axis_tdata(acc_tdata), .m_axis_tvalid(acc_tvalid), .m_axis_tready(acc_tready)
  );
  hw_threshold #(
    .CHANNELS(256), .PE(32), .X_W(16), .Y_W(4), .LEVELS(15), .T_W(16), .T_FILE(T_FILE)
  ) u_threshold (
    .clk(clk), .rst(rst),
    .s_axis_tdata(acc_tdata), .s_axis_tvalid(acc_tvalid), .s_axis_tready(acc_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

endmodule
