// Skid register: cuts every combinational path of a stream hop.
//
//   latency     1 cycle
//   throughput  1 beat per cycle
//   ready       registered
//   registers   2 * DATA_W + 2
//
// tdata is opaque here; lane meaning is fixed by the modules at either end.

module hw_axis_register #(
  parameter int unsigned DATA_W = 8  // tdata width, bits
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [DATA_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [DATA_W-1:0] m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  if (DATA_W < 1) begin : gen_bad_data_w
    $error("hw_axis_register: DATA_W=%0d must be at least 1", DATA_W);
  end

  logic [DATA_W-1:0] out_q, skid_q;
  logic              out_valid_q, skid_valid_q;
  logic              out_free;

  assign out_free      = m_axis_tready || !out_valid_q;
  assign s_axis_tready = !skid_valid_q;
  assign m_axis_tvalid = out_valid_q;
  assign m_axis_tdata  = out_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid_q  <= 1'b0;
      skid_valid_q <= 1'b0;
    end else if (out_free) begin
      out_valid_q  <= s_axis_tvalid || skid_valid_q;
      skid_valid_q <= 1'b0;
    end else if (s_axis_tvalid) begin
      skid_valid_q <= 1'b1;
    end
  end

  // Data registers carry no reset: the valid registers qualify them.
  always_ff @(posedge clk) begin
    if (out_free) out_q <= skid_valid_q ? skid_q : s_axis_tdata;
    if (!skid_valid_q) skid_q <= s_axis_tdata;
  end

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(DATA_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
