// The shape of a keyword spotter, by hand: 490 -> 256 -> 256 -> 256 -> 12, 840 products per cycle.
//
// x and activations are 4-bit unsigned, weights 3-bit two's complement.

module mlp (
  input  logic        clk,
  input  logic        rst,
  input  logic [39:0] s_axis_tdata,
  input  logic        s_axis_tvalid,
  output logic        s_axis_tready,
  input  logic        s_axis_tlast,
  output logic [15:0] m_axis_tdata,
  output logic        m_axis_tvalid,
  input  logic        m_axis_tready,
  output logic        m_axis_tlast
);

  logic unused;
  logic [3:0] beat;
  assign unused = &{1'b0, s_axis_tlast, beat};

  logic [127:0] x0_tdata, x1_tdata, x2_tdata, x3_tdata;
  logic         x0_tvalid, x1_tvalid, x2_tvalid, x3_tvalid;
  logic         x0_tready, x1_tready, x2_tready, x3_tready;

  assign x0_tdata      = 128'(s_axis_tdata);
  assign x0_tvalid     = s_axis_tvalid;
  assign s_axis_tready = x0_tready;

  mlp_layer #(.IN_N(490), .IN_LANES(10), .SIMD(10), .W_FILE("w0.mem"), .T_FILE("t0")) u_layer0 (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x0_tdata[39:0]), .s_axis_tvalid(x0_tvalid), .s_axis_tready(x0_tready),
    .m_axis_tdata(x1_tdata), .m_axis_tvalid(x1_tvalid), .m_axis_tready(x1_tready)
  );
  mlp_layer #(.IN_N(256), .IN_LANES(32), .SIMD(8), .W_FILE("w1.mem"), .T_FILE("t1")) u_layer1 (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x1_tdata), .s_axis_tvalid(x1_tvalid), .s_axis_tready(x1_tready),
    .m_axis_tdata(x2_tdata), .m_axis_tvalid(x2_tvalid), .m_axis_tready(x2_tready)
  );
  mlp_layer #(.IN_N(256), .IN_LANES(32), .SIMD(8), .W_FILE("w2.mem"), .T_FILE("t2")) u_layer2 (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x2_tdata), .s_axis_tvalid(x2_tvalid), .s_axis_tready(x2_tready),
    .m_axis_tdata(x3_tdata), .m_axis_tvalid(x3_tvalid), .m_axis_tready(x3_tready)
  );

  logic [31:0] x4_tdata, x5_tdata;
  logic        x4_tvalid, x4_tready, x5_tvalid, x5_tready;

  hw_width #(.LANE_W(4), .IN_LANES(32), .OUT_LANES(8)) u_width (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x3_tdata), .s_axis_tvalid(x3_tvalid), .s_axis_tready(x3_tready),
    .m_axis_tdata(x4_tdata), .m_axis_tvalid(x4_tvalid), .m_axis_tready(x4_tready)
  );
  hw_fifo #(.DATA_W(32), .DEPTH(32)) u_fifo (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x4_tdata), .s_axis_tvalid(x4_tvalid), .s_axis_tready(x4_tready),
    .m_axis_tdata(x5_tdata), .m_axis_tvalid(x5_tvalid), .m_axis_tready(x5_tready)
  );
  hw_dense #(
    .IN_N(256), .OUT_N(12), .SIMD(8), .PE(1), .X_W(4), .W_W(3), .ACC_W(16), .W_FILE("w3.mem")
  ) u_dense (
    .clk(clk), .rst(rst),
    .s_axis_tdata(x5_tdata), .s_axis_tvalid(x5_tvalid), .s_axis_tready(x5_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  hw_counter #(.N(12)) u_last (
    .clk(clk), .rst(rst), .en(m_axis_tvalid && m_axis_tready),
    .count_o(beat), .last_o(m_axis_tlast)
  );

endmodule
