// hw_upsample: each output value is the input value that the golden model takes, or FILL.

module formal_upsample #(
  parameter int unsigned IN_H     = 2,
  parameter int unsigned IN_W     = 1,
  parameter int unsigned FY       = 2,
  parameter int unsigned FX       = 1,
  parameter int unsigned OUT_H    = 4,
  parameter int unsigned OUT_W    = 1,
  parameter int unsigned CF       = 1,
  parameter int unsigned PE       = 1,
  parameter bit          STUFF    = 1'b0,
  parameter int          FILL     = 0,
  // index of the input value of each output value; IN_H*IN_W*CF*PE for FILL
  parameter logic [OUT_H*OUT_W*CF*PE*$clog2(IN_H*IN_W*CF*PE+1)-1:0] SOURCE = '0,
  parameter int unsigned INSIDE   = 2,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic          clk,
  input logic          rst,
  input logic [PE-1:0] s_axis_tdata,
  input logic          s_axis_tvalid,
  input logic          m_axis_tready
);

  localparam int unsigned IN_N      = IN_H * IN_W * CF * PE;
  localparam int unsigned OUT_BEATS = OUT_H * OUT_W * CF;
  localparam int unsigned SOURCE_W  = $clog2(IN_N + 1);

  logic                           s_axis_tready, m_axis_tvalid;
  logic [PE-1:0]                  m_axis_tdata, expected;
  logic [IN_N-1:0]                frame;
  logic [$clog2(OUT_BEATS+1)-1:0] beat;

  hw_upsample #(
    .IN_H(IN_H), .IN_W(IN_W), .FY(FY), .FX(FX), .OUT_H(OUT_H), .OUT_W(OUT_W), .CF(CF), .PE(PE),
    .X_W(1), .Y_W(1), .STUFF(STUFF), .FILL(FILL)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic [SOURCE_W-1:0] source;

  always_comb begin
    for (int unsigned p = 0; p < PE; p++) begin
      source      = SOURCE[(32'(beat)*PE+p)*SOURCE_W +: SOURCE_W];
      expected[p] = (source == SOURCE_W'(IN_N)) ? 1'(FILL) : frame[source];
    end
  end

  stream_props #(
    .IN_W(PE), .IN_BEATS(IN_N/PE), .OUT_W(PE), .OUT_BEATS(OUT_BEATS),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
