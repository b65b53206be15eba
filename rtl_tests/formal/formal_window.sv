// hw_window: each output value is the input value that the golden model takes, or the padding.

module formal_window #(
  parameter int unsigned IN_H     = 2,
  parameter int unsigned IN_W     = 2,
  parameter int unsigned CHANNELS = 1,
  parameter int unsigned SIMD     = 1,
  parameter int          PAD      = 0,
  parameter int unsigned KH       = 1,
  parameter int unsigned KW       = 1,
  parameter int unsigned SH       = 1,
  parameter int unsigned SW       = 1,
  parameter int unsigned DH       = 1,
  parameter int unsigned DW       = 1,
  parameter int unsigned PT       = 0,
  parameter int unsigned PB       = 0,
  parameter int unsigned PL       = 0,
  parameter int unsigned PR       = 0,
  parameter int unsigned ROWS     = 2,
  parameter int unsigned OUT_N    = 4,  // values of an output frame
  // index of the input value of each output value; IN_H*IN_W*CHANNELS for the padding
  parameter logic [OUT_N*$clog2(IN_H*IN_W*CHANNELS+1)-1:0] SOURCE = '0,
  parameter int unsigned INSIDE   = 2,
  parameter int unsigned WAIT_IN  = 0,
  parameter int unsigned WAIT_OUT = 0
) (
  input logic            clk,
  input logic            rst,
  input logic [SIMD-1:0] s_axis_tdata,
  input logic            s_axis_tvalid,
  input logic            m_axis_tready
);

  localparam int unsigned IN_N     = IN_H * IN_W * CHANNELS;
  localparam int unsigned SOURCE_W = $clog2(IN_N + 1);

  logic                             s_axis_tready, m_axis_tvalid;
  logic [SIMD-1:0]                  m_axis_tdata, expected;
  logic [IN_N-1:0]                  frame;
  logic [$clog2(OUT_N/SIMD+1)-1:0]  beat;

  hw_window #(
    .IN_H(IN_H), .IN_W(IN_W), .CHANNELS(CHANNELS), .SIMD(SIMD), .X_W(1), .Y_W(1), .PAD(PAD),
    .KH(KH), .KW(KW), .SH(SH), .SW(SW), .DH(DH), .DW(DW), .PT(PT), .PB(PB), .PL(PL), .PR(PR),
    .ROWS(ROWS)
  ) u_dut (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  logic [SOURCE_W-1:0] source;

  always_comb begin
    for (int unsigned s = 0; s < SIMD; s++) begin
      source      = SOURCE[(32'(beat)*SIMD+s)*SOURCE_W +: SOURCE_W];
      expected[s] = (source == SOURCE_W'(IN_N)) ? 1'(PAD) : frame[source];
    end
  end

  stream_props #(
    .IN_W(SIMD), .IN_BEATS(IN_N/SIMD), .OUT_W(SIMD), .OUT_BEATS(OUT_N/SIMD),
    .INSIDE(INSIDE), .WAIT_IN(WAIT_IN), .WAIT_OUT(WAIT_OUT)
  ) u_props (
    .clk(clk), .rst(rst),
    .s_tdata_i(s_axis_tdata), .s_tvalid_i(s_axis_tvalid), .s_tready_i(s_axis_tready),
    .m_tdata_i(m_axis_tdata), .m_tvalid_i(m_axis_tvalid), .m_tready_i(m_axis_tready),
    .frame_o(frame), .beat_o(beat), .expected_i(expected)
  );

endmodule
