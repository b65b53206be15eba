// hw_fork: to each of its sinks it is a relay.

module formal_fork #(
  parameter int unsigned DATA_W   = 2,
  parameter int unsigned INSIDE   = 0,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic              clk,
  input logic              rst,
  input logic [DATA_W-1:0] s_axis_tdata,
  input logic              s_axis_tvalid,
  input logic [1:0]        m_axis_tready
);

  logic                s_axis_tready;
  logic [1:0]          m_axis_tvalid;
  logic [2*DATA_W-1:0] m_axis_tdata;

  hw_fork #(.DATA_W(DATA_W)) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m0_axis_tdata(m_axis_tdata[0 +: DATA_W]), .m0_axis_tvalid(m_axis_tvalid[0]),
    .m0_axis_tready(m_axis_tready[0]),
    .m1_axis_tdata(m_axis_tdata[DATA_W +: DATA_W]), .m1_axis_tvalid(m_axis_tvalid[1]),
    .m1_axis_tready(m_axis_tready[1])
  );

  for (genvar k = 0; k < 2; k++) begin : gen_sink
    logic [DATA_W-1:0] frame;
    logic              beat;

    stream_props #(
      .IN_W(DATA_W), .IN_BEATS(1), .OUT_W(DATA_W), .OUT_BEATS(1),
      .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
    ) u_props (
      .clk(clk), .rst(rst), .refused_i(m_axis_tvalid[1-k] && !m_axis_tready[1-k]),
      .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
      .m_tdata_i(m_axis_tdata[k*DATA_W +: DATA_W]), .m_tvalid_i(m_axis_tvalid[k]),
      .m_tready_i(m_axis_tready[k]),
      .frame_o(frame), .beat_o(beat), .expected_i(frame)
    );
  end

endmodule
