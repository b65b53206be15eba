// Column-wise folded matrix-vector product: y = W x, integer and exact.
//
// SIMD inputs are used up at a time: each input beat stays for OUT_N / PE cycles while all
// accumulators take their share.  The last input beat lets the finished outputs out at once.
//
//   s_axis      IN_N / SIMD beats per frame, SIMD lanes of X_W bits; each is accepted in the
//               last of the OUT_N / PE cycles that use it
//   m_axis      OUT_N / PE beats per frame, PE lanes of ACC_W bits (two's complement
//               if Y_SIGNED); all in a row during the last input beat
//   throughput  one frame every (IN_N / SIMD) * (OUT_N / PE) cycles, no bubbles between frames
//   latency     (IN_N / SIMD - 1) * (OUT_N / PE) + 2 cycles from first input to first output
//   ready       combinational from m_axis_tready to s_axis_tready
//   W_FILE      $readmemh image, one line per cycle in the order of use (inputs outer, rows
//               inner), weight of row p and lane s at [(p*SIMD+s)*W_W +: W_W]
//
// Golden model: x @ W.T;  memory image: hwgen.num.pack.dense_weight_lines(order="column")

module hw_dense_col #(
  parameter int unsigned IN_N     = 8,     // frame length, values
  parameter int unsigned OUT_N    = 4,     // rows
  parameter int unsigned SIMD     = 4,     // inputs per cycle, divides IN_N
  parameter int unsigned PE       = 2,     // rows per cycle, divides OUT_N
  parameter int unsigned X_W      = 4,     // input width, bits
  parameter bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter int unsigned W_W      = 3,     // stored weight width, bits
  parameter int unsigned ARITH    = 0,     // 0 two's complement, 1 odd grid, 2 XNOR; see hw_dot
  parameter int unsigned ACC_W    = 12,    // accumulator width, bits; proven by range analysis
  parameter bit          Y_SIGNED = 1'b1,  // sums can be negative
  parameter              W_FILE   = ""
) (
  input  logic                clk,
  input  logic                rst,  // synchronous, active high

  input  logic [SIMD*X_W-1:0] s_axis_tdata,
  input  logic                s_axis_tvalid,
  output logic                s_axis_tready,

  output logic [PE*ACC_W-1:0] m_axis_tdata,
  output logic                m_axis_tvalid,
  input  logic                m_axis_tready
);

  localparam int unsigned SF     = IN_N / SIMD;  // synapse folds
  localparam int unsigned NF     = OUT_N / PE;   // neuron folds
  localparam int unsigned SF_W   = (SF > 1) ? $clog2(SF) : 1;
  localparam int unsigned NF_W   = (NF > 1) ? $clog2(NF) : 1;
  localparam int unsigned ADDR_W = (SF * NF > 1) ? $clog2(SF * NF) : 1;
  localparam int unsigned XSUM_W = X_W + $clog2(SIMD);
  localparam int unsigned SUM_W  = X_W + W_W + 1 + $clog2(SIMD);

  if (IN_N % SIMD != 0) begin : gen_bad_simd
    $error("hw_dense_col: SIMD=%0d must divide IN_N=%0d", SIMD, IN_N);
  end
  if (OUT_N % PE != 0) begin : gen_bad_pe
    $error("hw_dense_col: PE=%0d must divide OUT_N=%0d", PE, OUT_N);
  end

  // ---- fold counters -------------------------------------------------------------------------
  logic [SF_W-1:0]   sf;
  logic [NF_W-1:0]   nf;
  logic [ADDR_W-1:0] addr;
  logic              sf_last, nf_last, advance, issue;
  logic              unused_last, addr_last;

  assign advance       = m_axis_tready || !m_axis_tvalid;
  assign issue         = advance && s_axis_tvalid;
  assign s_axis_tready = advance && nf_last;
  assign unused_last   = &{1'b0, addr_last};

  hw_counter #(.N(NF)) u_nf (
    .clk(clk), .rst(rst), .en(issue), .count_o(nf), .last_o(nf_last)
  );
  hw_counter #(.N(SF)) u_sf (
    .clk(clk), .rst(rst), .en(issue && nf_last), .count_o(sf), .last_o(sf_last)
  );
  hw_counter #(.N(SF * NF)) u_addr (
    .clk(clk), .rst(rst), .en(issue), .count_o(addr), .last_o(addr_last)
  );

  // ---- stage 1: operands ---------------------------------------------------------------------
  logic [SIMD*X_W-1:0]    x_q;
  logic [PE*SIMD*W_W-1:0] w;
  logic [XSUM_W-1:0]      xsum_q;
  logic [NF_W-1:0]        nf1_q;
  logic                   valid1_q, first1_q, last1_q;

  hw_rom #(.DATA_W(PE*SIMD*W_W), .DEPTH(SF*NF), .FILE(W_FILE)) u_weights (
    .clk(clk), .en(advance), .addr_i(addr), .data_o(w)
  );

  if (ARITH == 1) begin : gen_xsum
    logic [XSUM_W-1:0] xsum;
    hw_adder_tree #(.N(SIMD), .IN_W(X_W), .SIGNED(X_SIGNED)) u_xsum (
      .x_i(s_axis_tdata), .sum_o(xsum)
    );
    always_ff @(posedge clk) begin
      if (advance) xsum_q <= xsum;
    end
  end else begin : gen_no_xsum
    assign xsum_q = '0;
  end

  always_ff @(posedge clk) begin
    if (advance) begin
      x_q      <= s_axis_tdata;
      nf1_q    <= nf;
      first1_q <= sf == '0;
      last1_q  <= sf_last;
    end
  end

  // ---- stage 2: accumulate, the last pass into the output register ---------------------------
  logic [PE*SUM_W-1:0] sum;
  logic                accumulate, valid2_q;

  assign accumulate = advance && valid1_q;

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    hw_dot #(.SIMD(SIMD), .X_W(X_W), .X_SIGNED(X_SIGNED), .W_W(W_W), .ARITH(ARITH)) u_dot (
      .x_i(x_q), .w_i(w[p*SIMD*W_W +: SIMD*W_W]), .xsum_i(xsum_q),
      .sum_o(sum[p*SUM_W +: SUM_W])
    );
  end

  hw_accumulator #(
    .PE(PE), .DEPTH(NF), .X_W(SUM_W), .ACC_W(ACC_W), .Y_SIGNED(Y_SIGNED)
  ) u_sums (
    .clk(clk), .rst(rst), .en(accumulate), .first_i(first1_q), .last_i(last1_q), .addr_i(nf1_q),
    .x_i(sum), .sum_o(m_axis_tdata)
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
