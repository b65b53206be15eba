// Elementwise sum of two streams: y = G0 * x0 + G1 * x1.
//
//   s0_axis, s1_axis  beats of PE lanes; a beat is taken from both in the same cycle
//   m_axis            as many beats, PE lanes of Y_W bits, which hold every sum exactly
//   latency           1 cycle
//   throughput        1 beat per cycle, no bubbles between frames
//   ready             combinational from m_axis_tready and from the other side's tvalid
//
// Golden model: hwgen.graph.execute, Add

module hw_add #(
  parameter int unsigned PE        = 2,     // lanes
  parameter int unsigned X0_W      = 4,     // width of s0_axis lanes, bits
  parameter bit          X0_SIGNED = 1'b0,  // they are two's complement
  parameter int unsigned X1_W      = 4,     // width of s1_axis lanes, bits
  parameter bit          X1_SIGNED = 1'b0,  // they are two's complement
  parameter int          G0        = 1,     // gain of s0_axis
  parameter int          G1        = 1,     // gain of s1_axis
  parameter int unsigned Y_W       = 5      // output width, bits
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

  // Sums modulo 2**Y_W are the sums themselves, as Y_W bits hold them.
  localparam logic [Y_W-1:0] GAIN0 = Y_W'($signed(G0));
  localparam logic [Y_W-1:0] GAIN1 = Y_W'($signed(G1));

  logic              advance, valid_q;
  logic [PE*Y_W-1:0] sum, out_q;

  assign advance        = m_axis_tready || !valid_q;
  assign s0_axis_tready = advance && s1_axis_tvalid;
  assign s1_axis_tready = advance && s0_axis_tvalid;

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic [X0_W-1:0] x0;
    logic [X1_W-1:0] x1;
    logic [Y_W-1:0]  wide0, wide1;

    assign x0    = s0_axis_tdata[p*X0_W +: X0_W];
    assign x1    = s1_axis_tdata[p*X1_W +: X1_W];
    assign wide0 = X0_SIGNED ? Y_W'($signed(x0)) : Y_W'(x0);
    assign wide1 = X1_SIGNED ? Y_W'($signed(x1)) : Y_W'(x1);
    assign sum[p*Y_W +: Y_W] = GAIN0 * wide0 + GAIN1 * wide1;
  end

  always_ff @(posedge clk) begin
    if (advance) out_q <= sum;
  end

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= s0_axis_tvalid && s1_axis_tvalid;
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
