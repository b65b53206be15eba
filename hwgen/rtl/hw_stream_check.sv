// Simulation-only observer: tvalid and tdata must hold until the transfer.
//
// Instantiated under `ifndef SYNTHESIS on every output stream; it has no outputs.

module hw_stream_check #(
  parameter int unsigned DATA_W = 8  // tdata width, bits
) (
  input logic              clk,
  input logic              rst,
  input logic [DATA_W-1:0] tdata_i,
  input logic              tvalid_i,
  input logic              tready_i
);

  logic [DATA_W-1:0] held_q;
  logic              stalled_q;

  always_ff @(posedge clk) begin
    stalled_q <= !rst && tvalid_i && !tready_i;
    if (tvalid_i && !tready_i) held_q <= tdata_i;
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (stalled_q && !rst) begin
      a_stable: assert (tvalid_i && tdata_i == held_q)
        else $error("%m: the stream changed before its transfer");
    end
  end
`endif

endmodule
