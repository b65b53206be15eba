// Concatenation of channels: for each pixel the beats of s0_axis and then those of s1_axis.
//
//   s0_axis     BEATS0 beats per pixel, PE lanes of X0_W bits
//   s1_axis     BEATS1 beats per pixel, PE lanes of X1_W bits
//   m_axis      BEATS0 + BEATS1 beats per pixel, PE lanes of Y_W bits: zeros or the sign on top
//   latency     1 cycle
//   throughput  1 output beat per cycle, no bubbles between pixels and frames
//   ready       combinational from m_axis_tready; low on the side whose turn it is not
//
// Golden model: numpy.concatenate

module hw_concat #(
  parameter int unsigned PE        = 2,     // lanes
  parameter int unsigned BEATS0    = 2,     // beats per pixel of s0_axis
  parameter int unsigned BEATS1    = 1,     // beats per pixel of s1_axis
  parameter int unsigned X0_W      = 4,     // width of s0_axis lanes, bits
  parameter bit          X0_SIGNED = 1'b0,  // they are two's complement
  parameter int unsigned X1_W      = 4,     // width of s1_axis lanes, bits
  parameter bit          X1_SIGNED = 1'b0,  // they are two's complement
  parameter int unsigned Y_W       = 4      // output width, bits; holds both
) (
  input  logic               clk,
  input  logic               rst,  // synchronous, active high

  input  logic [PE*X0_W-1:0] s0_axis_tdata,
  input  logic               s0_axis_tvalid,
  output logic               s0_axis_tready,

  input  logic [PE*X1_W-1:0] s1_axis_tdata,
  input  logic               s1_axis_tvalid,
  output logic               s1_axis_tready,

  output logic [PE*Y_W-1:0]  m_axis_tdata,
  output logic               m_axis_tvalid,
  input  logic               m_axis_tready
);

  localparam int unsigned BEATS  = BEATS0 + BEATS1;
  localparam int unsigned BEAT_W = $clog2(BEATS);

  if (BEATS0 < 1 || BEATS1 < 1) begin : gen_bad_beats
    $error("hw_concat: BEATS0=%0d and BEATS1=%0d must be at least 1", BEATS0, BEATS1);
  end
  if (X0_W > Y_W || X1_W > Y_W) begin : gen_bad_y_w
    $error("hw_concat: Y_W=%0d must be at least X0_W=%0d and X1_W=%0d", Y_W, X0_W, X1_W);
  end

  logic [BEAT_W-1:0] beat;
  logic              second, offered, advance, valid_q, beat_last, unused_last;
  logic [PE*Y_W-1:0] out_q;

  assign advance        = m_axis_tready || !valid_q;
  assign second         = beat >= BEAT_W'(BEATS0);
  assign offered        = second ? s1_axis_tvalid : s0_axis_tvalid;
  assign s0_axis_tready = advance && !second;
  assign s1_axis_tready = advance && second;
  assign unused_last    = beat_last;

  hw_counter #(.N(BEATS)) u_beat (
    .clk(clk), .rst(rst), .en(advance && offered), .count_o(beat), .last_o(beat_last)
  );

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic [X0_W-1:0] x0;
    logic [X1_W-1:0] x1;
    logic [Y_W-1:0]  wide0, wide1;

    assign x0    = s0_axis_tdata[p*X0_W +: X0_W];
    assign x1    = s1_axis_tdata[p*X1_W +: X1_W];
    assign wide0 = X0_SIGNED ? Y_W'($signed(x0)) : Y_W'(x0);
    assign wide1 = X1_SIGNED ? Y_W'($signed(x1)) : Y_W'(x1);

    always_ff @(posedge clk) begin
      if (advance) out_q[p*Y_W +: Y_W] <= second ? wide1 : wide0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= offered;
  end

  assign m_axis_tdata  = out_q;
  assign m_axis_tvalid = valid_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
