// Modulo-N counter: 0, 1, ..., N-1, 0, ...; one count per enabled cycle.
//
// N = 1 has no register: the count is constant and every count is the last.

module hw_counter #(
  parameter  int unsigned N   = 4,                       // period, counts
  localparam int unsigned N_W = (N > 1) ? $clog2(N) : 1  // count width, bits
) (
  input  logic           clk,
  input  logic           rst,     // synchronous, active high
  input  logic           en,
  output logic [N_W-1:0] count_o,
  output logic           last_o   // count_o == N-1
);

  if (N < 1) begin : gen_bad_n
    $error("hw_counter: N=%0d must be at least 1", N);
  end

  if (N == 1) begin : gen_constant
    logic unused;
    assign unused  = &{1'b0, clk, rst, en};
    assign count_o = '0;
    assign last_o  = 1'b1;
  end else begin : gen_count
    logic [N_W-1:0] count_q;

    always_ff @(posedge clk) begin
      if (rst) count_q <= '0;
      else if (en) count_q <= last_o ? '0 : count_q + 1'b1;
    end

    assign count_o = count_q;
    assign last_o  = count_q == N_W'(N - 1);
  end

endmodule
