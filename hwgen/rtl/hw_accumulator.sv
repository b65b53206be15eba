// PE accumulators of DEPTH places each: adds to the place addressed, hands on what is finished.
//
//   sum_o  the last sum of an enabled cycle with last_i, one cycle later: an output register
//
// Bits beyond ACC_W wrap; in simulation a finished sum that does not fit is an error.

module hw_accumulator #(
  parameter  int unsigned PE       = 2,     // lanes
  parameter  int unsigned DEPTH    = 4,     // places of a lane
  parameter  int unsigned X_W      = 8,     // width of what is added, bits (two's complement)
  parameter  int unsigned ACC_W    = 12,    // width of a place, bits
  parameter  bit          Y_SIGNED = 1'b1,  // finished sums can be negative
  localparam int unsigned ADDR_W   = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
  input  logic                clk,
  input  logic                rst,      // sums made under reset are not checked
  input  logic                en,
  input  logic                first_i,  // start from 0
  input  logic                last_i,   // finished with this
  input  logic [ADDR_W-1:0]   addr_i,
  input  logic [PE*X_W-1:0]   x_i,      // lane p at [p*X_W +: X_W]
  output logic [PE*ACC_W-1:0] sum_o     // lane p at [p*ACC_W +: ACC_W]
);

  logic [PE*ACC_W-1:0] mem [DEPTH];
  logic                unused_rst;
  logic [PE*ACC_W-1:0] held, held_d, sum_q;

  assign held       = first_i ? '0 : mem[addr_i];
  assign sum_o      = sum_q;
  assign unused_rst = &{1'b0, rst};

  always_ff @(posedge clk) begin
    if (en) mem[addr_i] <= held_d;
    if (en && last_i) sum_q <= held_d;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic signed [X_W-1:0] x;
    logic [ACC_W-1:0]      sum;

    assign x   = x_i[p*X_W +: X_W];
    assign sum = held[p*ACC_W +: ACC_W] + ACC_W'(x);
    assign held_d[p*ACC_W +: ACC_W] = sum;

`ifndef SYNTHESIS
    longint exact_mem [DEPTH];  // the same sums, too wide to overflow
    longint exact;
    assign exact = (first_i ? 0 : exact_mem[addr_i]) + 64'(x);
    always_ff @(posedge clk) begin
      if (en) exact_mem[addr_i] <= exact;
      if (en && last_i && !rst) begin
        a_no_overflow: assert (exact == (Y_SIGNED ? 64'($signed(sum)) : 64'(sum)))
          else $error("%m: %0d does not fit ACC_W=%0d bits", exact, ACC_W);
      end
    end
`endif
  end

endmodule
