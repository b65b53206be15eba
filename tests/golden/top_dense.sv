// golden

// s_axis: 1 beats per frame, 12 lanes of 4 bits, two's complement, lane 0 lowest; tlast is ignored
// m_axis: 1 beats per frame, 1 lanes of 2 bits, unsigned, lane 0 lowest; tlast marks the last beat

module top (
  input  logic clk,
  input  logic rst,
  input  logic [47:0] s_axis_tdata,
  input  logic s_axis_tvalid,
  output logic s_axis_tready,
  input  logic s_axis_tlast,
  output logic [7:0] m_axis_tdata,
  output logic m_axis_tvalid,
  input  logic m_axis_tready,
  output logic m_axis_tlast
);

  // ---- input
  logic [47:0] codes_tdata;
  logic codes_tvalid;
  logic codes_tready;
  assign codes_tdata = s_axis_tdata[47:0];
  assign codes_tvalid = s_axis_tvalid;
  assign s_axis_tready = codes_tready;
  logic unused;
  assign unused = &{1'b0, s_axis_tlast};
  logic [47:0] codes_reg_tdata;
  logic codes_reg_tvalid;
  logic codes_reg_tready;
  hw_axis_register #(
    .DATA_W(48)
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
  logic [8:0] fc0_out_tdata;
  logic fc0_out_tvalid;
  logic fc0_out_tready;
  hw_dense #(
    .IN_N(12),
    .OUT_N(8),
    .SIMD(12),
    .PE(1),
    .X_W(4),
    .X_SIGNED(1),
    .W_W(3),
    .ARITH(0),
    .ACC_W(9),
    .Y_SIGNED(1),
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
  logic [2:0] act0_out_tdata;
  logic act0_out_tvalid;
  logic act0_out_tready;
  hw_threshold #(
    .CHANNELS(8),
    .PE(1),
    .X_W(9),
    .X_SIGNED(1),
    .Y_W(3),
    .LEVELS(7),
    .T_W(9),
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
  logic [11:0] act0_out_x4_tdata;
  logic act0_out_x4_tvalid;
  logic act0_out_x4_tready;
  hw_width #(
    .LANE_W(3),
    .IN_LANES(1),
    .OUT_LANES(4)
  ) u_act0_out_x4 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_tdata),
    .s_axis_tvalid(act0_out_tvalid),
    .s_axis_tready(act0_out_tready),
    .m_axis_tdata(act0_out_x4_tdata),
    .m_axis_tvalid(act0_out_x4_tvalid),
    .m_axis_tready(act0_out_x4_tready)
  );
  logic [11:0] act0_out_x4_fifo_tdata;
  logic act0_out_x4_fifo_tvalid;
  logic act0_out_x4_fifo_tready;
  hw_fifo #(
    .DATA_W(12),
    .DEPTH(2)
  ) u_act0_out_x4_fifo (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_x4_tdata),
    .s_axis_tvalid(act0_out_x4_tvalid),
    .s_axis_tready(act0_out_x4_tready),
    .m_axis_tdata(act0_out_x4_fifo_tdata),
    .m_axis_tvalid(act0_out_x4_fifo_tvalid),
    .m_axis_tready(act0_out_x4_fifo_tready)
  );
  logic [8:0] fc1_out_tdata;
  logic fc1_out_tvalid;
  logic fc1_out_tready;
  hw_dense_col #(
    .IN_N(8),
    .OUT_N(6),
    .SIMD(4),
    .PE(1),
    .X_W(3),
    .X_SIGNED(0),
    .W_W(3),
    .ARITH(1),
    .ACC_W(9),
    .Y_SIGNED(1),
    .W_FILE("fc1_w.mem")
  ) u_fc1 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act0_out_x4_fifo_tdata),
    .s_axis_tvalid(act0_out_x4_fifo_tvalid),
    .s_axis_tready(act0_out_x4_fifo_tready),
    .m_axis_tdata(fc1_out_tdata),
    .m_axis_tvalid(fc1_out_tvalid),
    .m_axis_tready(fc1_out_tready)
  );

  // ---- act1
  logic [4:0] act1_out_tdata;
  logic act1_out_tvalid;
  logic act1_out_tready;
  hw_requant #(
    .CHANNELS(6),
    .PE(1),
    .X_W(9),
    .X_SIGNED(1),
    .Y_W(5),
    .M_W(6),
    .B_W(8),
    .SHIFT(6),
    .UNIT_M(0),
    .ROUNDING(0),
    .OVERFLOW(0),
    .LO(-16),
    .HI(15),
    .P_FILE("act1_p.mem")
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
  logic [9:0] act1_out_x2_tdata;
  logic act1_out_x2_tvalid;
  logic act1_out_x2_tready;
  hw_width #(
    .LANE_W(5),
    .IN_LANES(1),
    .OUT_LANES(2)
  ) u_act1_out_x2 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_tdata),
    .s_axis_tvalid(act1_out_tvalid),
    .s_axis_tready(act1_out_tready),
    .m_axis_tdata(act1_out_x2_tdata),
    .m_axis_tvalid(act1_out_x2_tvalid),
    .m_axis_tready(act1_out_x2_tready)
  );
  logic [9:0] act1_out_x2_fifo_tdata;
  logic act1_out_x2_fifo_tvalid;
  logic act1_out_x2_fifo_tready;
  hw_fifo #(
    .DATA_W(10),
    .DEPTH(3)
  ) u_act1_out_x2_fifo (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_x2_tdata),
    .s_axis_tvalid(act1_out_x2_tvalid),
    .s_axis_tready(act1_out_x2_tready),
    .m_axis_tdata(act1_out_x2_fifo_tdata),
    .m_axis_tvalid(act1_out_x2_fifo_tvalid),
    .m_axis_tready(act1_out_x2_fifo_tready)
  );
  logic [8:0] fc2_out_tdata;
  logic fc2_out_tvalid;
  logic fc2_out_tready;
  hw_dense #(
    .IN_N(6),
    .OUT_N(4),
    .SIMD(2),
    .PE(1),
    .X_W(5),
    .X_SIGNED(1),
    .W_W(3),
    .ARITH(0),
    .ACC_W(9),
    .Y_SIGNED(1),
    .W_FILE("fc2_w.mem")
  ) u_fc2 (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(act1_out_x2_fifo_tdata),
    .s_axis_tvalid(act1_out_x2_fifo_tvalid),
    .s_axis_tready(act1_out_x2_fifo_tready),
    .m_axis_tdata(fc2_out_tdata),
    .m_axis_tvalid(fc2_out_tvalid),
    .m_axis_tready(fc2_out_tready)
  );

  // ---- class
  logic [1:0] class_out_tdata;
  logic class_out_tvalid;
  logic class_out_tready;
  hw_argmax #(
    .N(4),
    .PE(1),
    .X_W(9),
    .X_SIGNED(1),
    .Y_W(2)
  ) u_class (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(fc2_out_tdata),
    .s_axis_tvalid(fc2_out_tvalid),
    .s_axis_tready(fc2_out_tready),
    .m_axis_tdata(class_out_tdata),
    .m_axis_tvalid(class_out_tvalid),
    .m_axis_tready(class_out_tready)
  );

  // ---- output
  logic [1:0] class_out_reg_tdata;
  logic class_out_reg_tvalid;
  logic class_out_reg_tready;
  hw_axis_register #(
    .DATA_W(2)
  ) u_class_out_reg (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(class_out_tdata),
    .s_axis_tvalid(class_out_tvalid),
    .s_axis_tready(class_out_tready),
    .m_axis_tdata(class_out_reg_tdata),
    .m_axis_tvalid(class_out_reg_tvalid),
    .m_axis_tready(class_out_reg_tready)
  );
  assign m_axis_tdata = {{6{1'b0}}, class_out_reg_tdata};
  assign m_axis_tvalid = class_out_reg_tvalid;
  assign class_out_reg_tready = m_axis_tready;
  logic beat;
  logic beat_last;
  hw_counter #(
    .N(1)
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
