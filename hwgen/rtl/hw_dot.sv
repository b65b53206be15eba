// Dot product of SIMD lanes for one row of weights, combinational and exact.
//
//   ARITH = 0  two's complement weights:  sum_o = sum(w * x)
//   ARITH = 1  odd grid, weight 2c + 1 stored as c:  sum_o = 2 * sum(c * x) + sum(x);
//              xsum_i = sum(x) is the same for all rows, so one adder tree serves them all
//   ARITH = 2  XNOR-popcount of 1-bit lanes:  sum_o = popcount(x xnor w), as a non-negative number
//
// sum_o is two's complement and wide enough for any input.

module hw_dot #(
  parameter  int unsigned SIMD     = 4,     // lanes
  parameter  int unsigned X_W      = 8,     // input width, bits
  parameter  bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter  int unsigned W_W      = 4,     // stored weight width, bits (two's complement)
  parameter  int unsigned ARITH    = 0,     // see above
  localparam int unsigned XSUM_W   = X_W + $clog2(SIMD),
  localparam int unsigned SUM_W    = X_W + W_W + 1 + $clog2(SIMD)
) (
  input  logic [SIMD*X_W-1:0]     x_i,     // lane k at [k*X_W +: X_W]
  input  logic [SIMD*W_W-1:0]     w_i,     // lane k at [k*W_W +: W_W]
  input  logic [XSUM_W-1:0]       xsum_i,  // ARITH = 1 only; two's complement if X_SIGNED
  output logic signed [SUM_W-1:0] sum_o
);

  if (ARITH > 2) begin : gen_bad_arith
    $error("hw_dot: ARITH=%0d must be 0, 1 or 2", ARITH);
  end
  if (ARITH == 2 && (X_W != 1 || W_W != 1)) begin : gen_bad_binary
    $error("hw_dot: ARITH=2 needs X_W=%0d and W_W=%0d to be 1", X_W, W_W);
  end

  if (ARITH == 2) begin : gen_popcount
    logic unused;
    assign unused = &{1'b0, xsum_i};
    assign sum_o  = SUM_W'($countones(x_i ~^ w_i));
  end else begin : gen_multiply
    localparam int unsigned PROD_W = X_W + W_W;
    logic [SIMD*PROD_W-1:0]         product;
    logic [PROD_W+$clog2(SIMD)-1:0] tree;
    logic signed [SUM_W-1:0]        dot;

    for (genvar s = 0; s < SIMD; s++) begin : gen_lane
      logic signed [X_W:0]   x;  // one bit more: unsigned inputs are non-negative
      logic signed [W_W-1:0] w;
      assign x = {X_SIGNED && x_i[s*X_W+X_W-1], x_i[s*X_W +: X_W]};
      assign w = w_i[s*W_W +: W_W];
      assign product[s*PROD_W +: PROD_W] = PROD_W'(x * w);
    end

    hw_adder_tree #(.N(SIMD), .IN_W(PROD_W), .SIGNED(1'b1)) u_tree (
      .x_i(product), .sum_o(tree)
    );
    assign dot = SUM_W'($signed(tree));

    if (ARITH == 1) begin : gen_odd
      assign sum_o = (dot <<< 1) + (X_SIGNED ? SUM_W'($signed(xsum_i)) : SUM_W'(xsum_i));
    end else begin : gen_even
      logic unused;
      assign unused = &{1'b0, xsum_i};
      assign sum_o  = dot;
    end
  end

endmodule
