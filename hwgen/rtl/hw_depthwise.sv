// Folded depthwise product: y[c] = sum over taps k of w[c, k] * x[k, c], integer and exact.
//
// PE channels in each cycle.  The channels of one tap pass by, then those of the next; all
// accumulators take their share, and the last tap lets the finished ones out.
//
//   s_axis      TAPS * CHANNELS / PE beats per frame, PE lanes of X_W bits: taps outer
//   m_axis      CHANNELS / PE beats per frame, PE lanes of ACC_W bits (two's complement if
//               Y_SIGNED); all in a row during the last tap
//   throughput  1 input beat per cycle, no bubbles between frames
//   latency     (TAPS - 1) * CHANNELS / PE + 2 cycles from first input to first output
//   ready       combinational from m_axis_tready to s_axis_tready
//   W_FILE      $readmemh image, one line per beat of a frame, weight of lane p at [p*W_W +: W_W]
//
// Golden model: einsum("nkc,ck->nc");  memory image: hwgen.num.pack.depthwise_weight_lines

module hw_depthwise #(
  parameter int unsigned CHANNELS = 4,
  parameter int unsigned TAPS     = 9,     // kernel size, pixels
  parameter int unsigned PE       = 2,     // channels per cycle, divides CHANNELS
  parameter int unsigned X_W      = 4,     // input width, bits
  parameter bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter int unsigned W_W      = 3,     // weight width, bits (two's complement)
  parameter int unsigned ACC_W    = 12,    // accumulator width, bits; proven by range analysis
  parameter bit          Y_SIGNED = 1'b1,  // sums can be negative
  parameter              W_FILE   = ""
) (
  input  logic                clk,
  input  logic                rst,  // synchronous, active high

  input  logic [PE*X_W-1:0]   s_axis_tdata,
  input  logic                s_axis_tvalid,
  output logic                s_axis_tready,

  output logic [PE*ACC_W-1:0] m_axis_tdata,
  output logic                m_axis_tvalid,
  input  logic                m_axis_tready
);

  localparam int unsigned CF     = CHANNELS / PE;  // channel folds
  localparam int unsigned CF_W   = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned TAP_W  = (TAPS > 1) ? $clog2(TAPS) : 1;
  localparam int unsigned ADDR_W = (TAPS * CF > 1) ? $clog2(TAPS * CF) : 1;
  localparam int unsigned PROD_W = X_W + W_W;

  if (CHANNELS % PE != 0) begin : gen_bad_pe
    $error("hw_depthwise: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end

  // ---- beat counters -------------------------------------------------------------------------
  logic [CF_W-1:0]   cf;
  logic [TAP_W-1:0]  tap;
  logic [ADDR_W-1:0] addr;
  logic              cf_last, tap_last, advance, issue;
  logic              unused_last, addr_last;

  assign advance       = m_axis_tready || !m_axis_tvalid;
  assign issue         = advance && s_axis_tvalid;
  assign s_axis_tready = advance;
  assign unused_last   = &{1'b0, addr_last};

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(issue), .count_o(cf), .last_o(cf_last)
  );
  hw_counter #(.N(TAPS)) u_tap (
    .clk(clk), .rst(rst), .en(issue && cf_last), .count_o(tap), .last_o(tap_last)
  );
  hw_counter #(.N(TAPS * CF)) u_addr (
    .clk(clk), .rst(rst), .en(issue), .count_o(addr), .last_o(addr_last)
  );

  // ---- stage 1: operands ---------------------------------------------------------------------
  logic [PE*X_W-1:0] x_q;
  logic [PE*W_W-1:0] w;
  logic [CF_W-1:0]   cf1_q;
  logic              valid1_q, first1_q, last1_q;

  hw_rom #(.DATA_W(PE*W_W), .DEPTH(TAPS*CF), .FILE(W_FILE)) u_weights (
    .clk(clk), .en(advance), .addr_i(addr), .data_o(w)
  );

  always_ff @(posedge clk) begin
    if (advance) begin
      x_q      <= s_axis_tdata;
      cf1_q    <= cf;
      first1_q <= tap == '0;
      last1_q  <= tap_last;
    end
  end

  // ---- stage 2: accumulate, the last tap into the output register -----------------------------
  logic [PE*PROD_W-1:0] product;
  logic                 accumulate, valid2_q;

  assign accumulate = advance && valid1_q;

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic signed [X_W:0]   lane_x;  // one bit more: unsigned inputs are non-negative
    logic signed [W_W-1:0] lane_w;

    assign lane_x = {X_SIGNED && x_q[p*X_W+X_W-1], x_q[p*X_W +: X_W]};
    assign lane_w = w[p*W_W +: W_W];
    assign product[p*PROD_W +: PROD_W] = PROD_W'(lane_x * lane_w);
  end

  hw_accumulator #(
    .PE(PE), .DEPTH(CF), .X_W(PROD_W), .ACC_W(ACC_W), .Y_SIGNED(Y_SIGNED)
  ) u_sums (
    .clk(clk), .rst(rst), .en(accumulate), .first_i(first1_q), .last_i(last1_q), .addr_i(cf1_q),
    .x_i(product), .sum_o(m_axis_tdata)
  );

  always_ff @(posedge clk) begin
    if (rst) begin
      valid1_q <= 1'b0;
      valid2_q <= 1'b0;
    end else if (advance) begin
      valid1_q <= issue;
      valid2_q <= valid1_q && last1_q;
    end
  end

  assign m_axis_tvalid = valid2_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*ACC_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
