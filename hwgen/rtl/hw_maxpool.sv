// Maximum over the taps of a window: y[c] = max over k of x[k, c].
//
//   s_axis      TAPS * CHANNELS / PE beats per frame, PE lanes of X_W bits: taps outer
//   m_axis      CHANNELS / PE beats per frame, PE lanes of X_W bits; all in a row during the last
//               tap
//   throughput  1 input beat per cycle, no bubbles between frames
//   latency     (TAPS - 1) * CHANNELS / PE + 1 cycles from first input to first output
//   ready       combinational from m_axis_tready to s_axis_tready
//
// Golden model: numpy.max

module hw_maxpool #(
  parameter int unsigned CHANNELS = 4,
  parameter int unsigned TAPS     = 4,    // kernel size, pixels
  parameter int unsigned PE       = 2,    // channels per cycle, divides CHANNELS
  parameter int unsigned X_W      = 4,    // width of inputs and outputs, bits
  parameter bit          X_SIGNED = 1'b0  // they are two's complement
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [PE*X_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [PE*X_W-1:0] m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  localparam int unsigned CF    = CHANNELS / PE;  // channel folds
  localparam int unsigned CF_W  = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned TAP_W = (TAPS > 1) ? $clog2(TAPS) : 1;

  if (CHANNELS % PE != 0) begin : gen_bad_pe
    $error("hw_maxpool: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end

  logic [CF_W-1:0]   cf;
  logic [TAP_W-1:0]  tap;
  logic              cf_last, tap_last, advance, issue, valid_q;
  logic [PE*X_W-1:0] largest_mem [CF];
  logic [PE*X_W-1:0] largest, largest_d, out_q;

  assign advance       = m_axis_tready || !valid_q;
  assign issue         = advance && s_axis_tvalid;
  assign s_axis_tready = advance;
  assign largest       = largest_mem[cf];

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(issue), .count_o(cf), .last_o(cf_last)
  );
  hw_counter #(.N(TAPS)) u_tap (
    .clk(clk), .rst(rst), .en(issue && cf_last), .count_o(tap), .last_o(tap_last)
  );

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [X_W-1:0] x, best;
    logic           greater;

    assign x    = s_axis_tdata[p*X_W +: X_W];
    assign best = largest[p*X_W +: X_W];
    if (X_SIGNED) begin : gen_signed
      assign greater = $signed(x) > $signed(best);
    end else begin : gen_unsigned
      assign greater = x > best;
    end
    assign largest_d[p*X_W +: X_W] = (tap == '0 || greater) ? x : best;
  end

  always_ff @(posedge clk) begin
    if (issue) largest_mem[cf] <= largest_d;
    if (issue && tap_last) out_q <= largest_d;
  end

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= issue && tap_last;
  end

  assign m_axis_tdata  = out_q;
  assign m_axis_tvalid = valid_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*X_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
