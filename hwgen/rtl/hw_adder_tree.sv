// Adder tree: sum_o = x_i[0] + ... + x_i[N-1], combinational.
//
// The output is wide enough for any input, so the sum is exact: no rounding, no overflow.
//
// Golden model: numpy.sum

module hw_adder_tree #(
  parameter  int unsigned N      = 4,                 // operands
  parameter  int unsigned IN_W   = 8,                 // operand width, bits
  parameter  bit          SIGNED = 1'b1,              // operands and sum are two's complement
  localparam int unsigned SUM_W  = IN_W + $clog2(N)   // sum width, bits
) (
  input  logic [N*IN_W-1:0] x_i,   // lane k at [k*IN_W +: IN_W]
  output logic [SUM_W-1:0]  sum_o
);

  if (N == 1) begin : gen_leaf
    assign sum_o = x_i;
  end else begin : gen_node
    localparam int unsigned LO_N = N / 2;
    localparam int unsigned HI_N = N - LO_N;
    localparam int unsigned LO_W = IN_W + $clog2(LO_N);
    localparam int unsigned HI_W = IN_W + $clog2(HI_N);
    logic [LO_W-1:0] lo;
    logic [HI_W-1:0] hi;

    hw_adder_tree #(.N(LO_N), .IN_W(IN_W), .SIGNED(SIGNED)) u_lo (
      .x_i(x_i[LO_N*IN_W-1:0]), .sum_o(lo)
    );
    hw_adder_tree #(.N(HI_N), .IN_W(IN_W), .SIGNED(SIGNED)) u_hi (
      .x_i(x_i[N*IN_W-1:LO_N*IN_W]), .sum_o(hi)
    );

    if (SIGNED) begin : gen_signed
      assign sum_o = SUM_W'($signed(lo)) + SUM_W'($signed(hi));
    end else begin : gen_unsigned
      assign sum_o = SUM_W'(lo) + SUM_W'(hi);
    end
  end

endmodule
