// Read-only memory with a registered output: data_o is the word addressed one enabled cycle ago.
//
// The read is synchronous, so that it fits a block RAM as well as LUTs; the tool chooses.
//
//   FILE  $readmemh image, DEPTH lines of DATA_W bits; "" leaves the contents undefined

module hw_rom #(
  parameter  int unsigned DATA_W = 8,   // word width, bits
  parameter  int unsigned DEPTH  = 16,  // words
  parameter               FILE   = "",
  localparam int unsigned ADDR_W = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
  input  logic              clk,
  input  logic              en,
  input  logic [ADDR_W-1:0] addr_i,
  output logic [DATA_W-1:0] data_o
);

  logic [DATA_W-1:0] mem [DEPTH];
  logic [DATA_W-1:0] data_q;

  if (FILE != "") begin : gen_init
    initial $readmemh(FILE, mem);
  end

  always_ff @(posedge clk) begin
    if (en) data_q <= mem[addr_i];
  end

  assign data_o = data_q;

endmodule
