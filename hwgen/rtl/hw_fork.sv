// Stream fork: each beat goes to both sinks, and each may take it in another cycle.
//
//   latency     0 cycles
//   throughput  1 beat per cycle, no bubbles
//   ready       combinational from both m_axis_tready, valid combinational from s_axis_tvalid; no
//               path from one sink to the other
//   registers   2: which sink has taken the present beat (upstream holds it)

module hw_fork #(
  parameter int unsigned DATA_W = 8  // tdata width, bits
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [DATA_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [DATA_W-1:0] m0_axis_tdata,
  output logic              m0_axis_tvalid,
  input  logic              m0_axis_tready,

  output logic [DATA_W-1:0] m1_axis_tdata,
  output logic              m1_axis_tvalid,
  input  logic              m1_axis_tready
);

  logic done0_q, done1_q;  // the sink has taken the beat that is offered
  logic free0, free1;      // it has, or does now

  assign free0         = m0_axis_tready || done0_q;
  assign free1         = m1_axis_tready || done1_q;
  assign s_axis_tready = free0 && free1;

  always_ff @(posedge clk) begin
    if (rst || !s_axis_tvalid || s_axis_tready) begin
      done0_q <= 1'b0;
      done1_q <= 1'b0;
    end else begin
      done0_q <= free0;
      done1_q <= free1;
    end
  end

  assign m0_axis_tdata  = s_axis_tdata;
  assign m1_axis_tdata  = s_axis_tdata;
  assign m0_axis_tvalid = s_axis_tvalid && !done0_q;
  assign m1_axis_tvalid = s_axis_tvalid && !done1_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(DATA_W)) u_check0 (
    .clk(clk), .rst(rst),
    .tdata_i(m0_axis_tdata), .tvalid_i(m0_axis_tvalid), .tready_i(m0_axis_tready)
  );
  hw_stream_check #(.DATA_W(DATA_W)) u_check1 (
    .clk(clk), .rst(rst),
    .tdata_i(m1_axis_tdata), .tvalid_i(m1_axis_tvalid), .tready_i(m1_axis_tready)
  );
`endif

endmodule
