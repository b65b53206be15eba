// hw_adder_tree one level down: Verilator 5.48 loses the logic of a top that instantiates itself.

module adder_tree_top #(
  parameter  int unsigned N      = 4,
  parameter  int unsigned IN_W   = 8,
  parameter  bit          SIGNED = 1'b1,
  localparam int unsigned SUM_W  = IN_W + $clog2(N)
) (
  input  logic [N*IN_W-1:0] x_i,
  output logic [SUM_W-1:0]  sum_o
);

  hw_adder_tree #(.N(N), .IN_W(IN_W), .SIGNED(SIGNED)) u_tree (.x_i(x_i), .sum_o(sum_o));

endmodule
