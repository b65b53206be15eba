// Stream FIFO: any depth, full rate, no combinational path from one side to the other.
//
//   latency     1 cycle
//   throughput  1 beat per cycle
//   capacity    DEPTH beats; 2 when DEPTH is 1, because one register cannot run at full rate
//               without a combinational ready path
//   ready       registered (a function of the fill level)
//
// The memory is read asynchronously: it maps to distributed RAM.

module hw_fifo #(
  parameter int unsigned DATA_W = 8,  // tdata width, bits
  parameter int unsigned DEPTH  = 4   // capacity, beats
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [DATA_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [DATA_W-1:0] m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  if (DEPTH < 1) begin : gen_bad_depth
    $error("hw_fifo: DEPTH=%0d must be at least 1", DEPTH);
  end

  if (DEPTH <= 2) begin : gen_register
    hw_axis_register #(.DATA_W(DATA_W)) u_register (
      .clk(clk), .rst(rst),
      .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
  end else begin : gen_memory
    localparam int unsigned ADDR_W = $clog2(DEPTH);
    localparam int unsigned FILL_W = $clog2(DEPTH + 1);

    logic [DATA_W-1:0] mem [DEPTH];
    logic [ADDR_W-1:0] write_addr, read_addr;
    logic [FILL_W-1:0] fill_q;
    logic              push, pop, unused_last;
    logic              write_last, read_last;

    assign push = s_axis_tvalid && s_axis_tready;
    assign pop  = m_axis_tvalid && m_axis_tready;
    assign unused_last = &{1'b0, write_last, read_last};

    hw_counter #(.N(DEPTH)) u_write (
      .clk(clk), .rst(rst), .en(push), .count_o(write_addr), .last_o(write_last)
    );
    hw_counter #(.N(DEPTH)) u_read (
      .clk(clk), .rst(rst), .en(pop), .count_o(read_addr), .last_o(read_last)
    );

    always_ff @(posedge clk) begin
      if (rst) fill_q <= '0;
      else fill_q <= fill_q + FILL_W'(push) - FILL_W'(pop);
    end

    always_ff @(posedge clk) begin
      if (push) mem[write_addr] <= s_axis_tdata;
    end

    assign s_axis_tready = fill_q != FILL_W'(DEPTH);
    assign m_axis_tvalid = fill_q != '0;
    assign m_axis_tdata  = mem[read_addr];
  end

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(DATA_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
