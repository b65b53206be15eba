// hw_axis_register, hw_fifo and hw_width: what goes in comes out, lane for lane.

module formal_relay #(
  parameter int unsigned KIND      = 0,  // 0 hw_axis_register, 1 hw_fifo, 2 hw_width
  parameter int unsigned DEPTH     = 2,  // hw_fifo
  parameter int unsigned LANE_W    = 2,
  parameter int unsigned IN_LANES  = 1,  // hw_width
  parameter int unsigned OUT_LANES = 1,
  parameter int unsigned INSIDE    = 2,
  parameter int unsigned WAIT_IN   = 0,
  parameter int unsigned WAIT_OUT  = 0
) (
  input logic                       clk,
  input logic                       rst,
  input logic [IN_LANES*LANE_W-1:0] s_axis_tdata,
  input logic                       s_axis_tvalid,
  input logic                       m_axis_tready
);

  localparam int unsigned FRAME     = (IN_LANES > OUT_LANES) ? IN_LANES : OUT_LANES;
  localparam int unsigned OUT_W     = OUT_LANES * LANE_W;
  localparam int unsigned OUT_BEATS = FRAME / OUT_LANES;

  logic                           s_axis_tready, m_axis_tvalid;
  logic [OUT_W-1:0]               m_axis_tdata;
  logic [FRAME*LANE_W-1:0]        frame;
  logic [$clog2(OUT_BEATS+1)-1:0] beat;

  if (KIND == 0) begin : gen_register
    hw_axis_register #(.DATA_W(OUT_W)) u_dut (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end else if (KIND == 1) begin : gen_fifo
    hw_fifo #(.DATA_W(OUT_W), .DEPTH(DEPTH)) u_dut (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end else begin : gen_width
    hw_width #(.LANE_W(LANE_W), .IN_LANES(IN_LANES), .OUT_LANES(OUT_LANES)) u_dut (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end

  stream_props #(
    .IN_W(IN_LANES*LANE_W), .IN_BEATS(FRAME/IN_LANES), .OUT_W(OUT_W), .OUT_BEATS(OUT_BEATS),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat),
    .expected_i(frame[beat*OUT_W +: OUT_W])
  );

endmodule
