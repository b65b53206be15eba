// golden

// s_axis: 2 beats per frame, 8 lanes of 1 bits, unsigned, lane 0 lowest; tlast is ignored
// m_axis: 3 beats per frame, 1 lanes of 4 bits, unsigned, lane 0 lowest; tlast marks the last beat

module top (
  input  logic clk,
  input  logic rst,
  input  logic [7:0] s_axis_tdata,
  input  logic s_axis_tvalid,
  output logic s_axis_tready,
  input  logic s_axis_tlast,
  output logic [7:0] m_axis_tdata,
  output logic m_axis_tvalid,
  input  logic m_axis_tready,
  output logic m_axis_tlast
);

  // ---- input
  logic [7:0] codes_tdata;
  logic codes_tvalid;
  logic codes_tready;
  assign codes_tdata = s_axis_tdata[7:0];
  assign codes_tvalid = s_axis_tvalid;
  assign s_axis_tready = codes_tready;
  logic unused;
  assign unused = &{1'b0, s_axis_tlast};
  logic [7:0] codes_reg_tdata;
  logic codes_reg_tvalid;
  logic codes_reg_tready;
  hw_axis_register #(
    .DATA_W(8)
  ) u_codes_reg (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(codes_tdata),
    .s_axis_tvalid(codes_tvalid),
    .s_axis_tready(codes_tready),
    .m_axis_tdata(codes_reg_tdata),
    .m_axis_tvalid(codes_reg_tvalid),
    .m_axis_tready(codes_reg_tready)
  );

  // ---- fc0
  logic [4:0] fc0_out_tdata;
  logic fc0_out_tvalid;
  logic fc0_out_tready;
  hw_dense #(
    .IN_N(16),
    .OUT_N(6),
    .SIMD(8),
    .PE(1),
    .X_W(1),
    .X_SIGNED(0),
    .W_W(1),
    .ARITH(2),
    .ACC_W(5),
    .Y_SIGNED(0),
    .W_FILE("fc0_w.mem")
  ) u_fc0 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(codes_reg_tdata),
    .s_axis_tvalid(codes_reg_tvalid),
    .s_axis_tready(codes_reg_tready),
    .m_axis_tdata(fc0_out_tdata),
    .m_axis_tvalid(fc0_out_tvalid),
    .m_axis_tready(fc0_out_tready)
  );

  // ---- act0
  logic act0_out_tdata;
  logic act0_out_tvalid;
  logic act0_out_tready;
  hw_threshold #(
    .CHANNELS(6),
    .PE(1),
    .X_W(5),
    .X_SIGNED(0),
    .Y_W(1),
    .LEVELS(1),
    .T_W(5),
    .BASE(0),
    .T_FILE("act0_t")
  ) u_act0 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(fc0_out_tdata),
    .s_axis_tvalid(fc0_out_tvalid),
    .s_axis_tready(fc0_out_tready),
    .m_axis_tdata(act0_out_tdata),
    .m_axis_tvalid(act0_out_tvalid),
    .m_axis_tready(act0_out_tready)
  );

  // ---- fc1
  logic [5:0] act0_out_x6_tdata;
  logic act0_out_x6_tvalid;
  logic act0_out_x6_tready;
  hw_width #(
    .LANE_W(1),
    .IN_LANES(1),
    .OUT_LANES(6)
  ) u_act0_out_x6 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_tdata),
    .s_axis_tvalid(act0_out_tvalid),
    .s_axis_tready(act0_out_tready),
    .m_axis_tdata(act0_out_x6_tdata),
    .m_axis_tvalid(act0_out_x6_tvalid),
    .m_axis_tready(act0_out_x6_tready)
  );
  logic [5:0] act0_out_x6_fifo_tdata;
  logic act0_out_x6_fifo_tvalid;
  logic act0_out_x6_fifo_tready;
  hw_fifo #(
    .DATA_W(6),
    .DEPTH(2)
  ) u_act0_out_x6_fifo (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_x6_tdata),
    .s_axis_tvalid(act0_out_x6_tvalid),
    .s_axis_tready(act0_out_x6_tready),
    .m_axis_tdata(act0_out_x6_fifo_tdata),
    .m_axis_tvalid(act0_out_x6_fifo_tvalid),
    .m_axis_tready(act0_out_x6_fifo_tready)
  );
  logic [2:0] fc1_out_tdata;
  logic fc1_out_tvalid;
  logic fc1_out_tready;
  hw_dense_col #(
    .IN_N(6),
    .OUT_N(9),
    .SIMD(6),
    .PE(1),
    .X_W(1),
    .X_SIGNED(0),
    .W_W(1),
    .ARITH(2),
    .ACC_W(3),
    .Y_SIGNED(0),
    .W_FILE("fc1_w.mem")
  ) u_fc1 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_x6_fifo_tdata),
    .s_axis_tvalid(act0_out_x6_fifo_tvalid),
    .s_axis_tready(act0_out_x6_fifo_tready),
    .m_axis_tdata(fc1_out_tdata),
    .m_axis_tvalid(fc1_out_tvalid),
    .m_axis_tready(fc1_out_tready)
  );

  // ---- act1
  logic act1_out_tdata;
  logic act1_out_tvalid;
  logic act1_out_tready;
  hw_threshold #(
    .CHANNELS(9),
    .PE(1),
    .X_W(3),
    .X_SIGNED(0),
    .Y_W(1),
    .LEVELS(1),
    .T_W(3),
    .BASE(0),
    .T_FILE("act1_t")
  ) u_act1 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(fc1_out_tdata),
    .s_axis_tvalid(fc1_out_tvalid),
    .s_axis_tready(fc1_out_tready),
    .m_axis_tdata(act1_out_tdata),
    .m_axis_tvalid(act1_out_tvalid),
    .m_axis_tready(act1_out_tready)
  );

  // ---- fc2
  logic [2:0] act1_out_x3_tdata;
  logic act1_out_x3_tvalid;
  logic act1_out_x3_tready;
  hw_width #(
    .LANE_W(1),
    .IN_LANES(1),
    .OUT_LANES(3)
  ) u_act1_out_x3 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_tdata),
    .s_axis_tvalid(act1_out_tvalid),
    .s_axis_tready(act1_out_tready),
    .m_axis_tdata(act1_out_x3_tdata),
    .m_axis_tvalid(act1_out_x3_tvalid),
    .m_axis_tready(act1_out_x3_tready)
  );
  logic [2:0] act1_out_x3_fifo_tdata;
  logic act1_out_x3_fifo_tvalid;
  logic act1_out_x3_fifo_tready;
  hw_fifo #(
    .DATA_W(3),
    .DEPTH(3)
  ) u_act1_out_x3_fifo (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_x3_tdata),
    .s_axis_tvalid(act1_out_x3_tvalid),
    .s_axis_tready(act1_out_x3_tready),
    .m_axis_tdata(act1_out_x3_fifo_tdata),
    .m_axis_tvalid(act1_out_x3_fifo_tvalid),
    .m_axis_tready(act1_out_x3_fifo_tready)
  );
  logic [3:0] fc2_out_tdata;
  logic fc2_out_tvalid;
  logic fc2_out_tready;
  hw_dense #(
    .IN_N(9),
    .OUT_N(3),
    .SIMD(3),
    .PE(1),
    .X_W(1),
    .X_SIGNED(0),
    .W_W(1),
    .ARITH(2),
    .ACC_W(4),
    .Y_SIGNED(0),
    .W_FILE("fc2_w.mem")
  ) u_fc2 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_x3_fifo_tdata),
    .s_axis_tvalid(act1_out_x3_fifo_tvalid),
    .s_axis_tready(act1_out_x3_fifo_tready),
    .m_axis_tdata(fc2_out_tdata),
    .m_axis_tvalid(fc2_out_tvalid),
    .m_axis_tready(fc2_out_tready)
  );

  // ---- output
  logic [3:0] fc2_out_reg_tdata;
  logic fc2_out_reg_tvalid;
  logic fc2_out_reg_tready;
  hw_axis_register #(
    .DATA_W(4)
  ) u_fc2_out_reg (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(fc2_out_tdata),
    .s_axis_tvalid(fc2_out_tvalid),
    .s_axis_tready(fc2_out_tready),
    .m_axis_tdata(fc2_out_reg_tdata),
    .m_axis_tvalid(fc2_out_reg_tvalid),
    .m_axis_tready(fc2_out_reg_tready)
  );
  assign m_axis_tdata = {{4{1'b0}}, fc2_out_reg_tdata};
  assign m_axis_tvalid = fc2_out_reg_tvalid;
  assign fc2_out_reg_tready = m_axis_tready;
  logic [1:0] beat;
  logic beat_last;
  hw_counter #(
    .N(3)
  ) u_beat (
    .clk(clk),
    .rst(rst),
    .en(m_axis_tvalid && m_axis_tready),
    .count_o(beat),
    .last_o(beat_last)
  );
  assign m_axis_tlast = beat_last;
  logic unused_beat;
  assign unused_beat = &{1'b0, beat};

endmodule
