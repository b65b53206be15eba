// Sliding window: for each output pixel the input values under the kernel, row by row.
//
// A ring of ROWS input rows, written in order and read in the order of hw_window_walk.  Whole rows
// are released when no later window needs them, and the rows of the next frame follow those of
// this one.
//
//   s_axis      IN_H * IN_W pixels per frame, CHANNELS / SIMD beats each
//   m_axis      OUT_H * OUT_W windows per frame of KH * KW * CHANNELS / SIMD beats each: kernel
//               rows outer, kernel columns, channels inner; PAD outside the image
//   throughput  1 beat per cycle on each side: the larger of the two beat counts per frame,
//               no bubbles between frames where ROWS is at least the value below
//   latency     IN_W * CHANNELS / SIMD + 1 cycles from first input to first output
//   ready       registered: low while the ring is full
//   ROWS        at least (KH - 1) * DH + 1; hwgen.graph.ir.window_rows gives what keeps the rate
//
// A sequence is an image of width 1.  Golden model: hwgen.graph.execute.windows

module hw_window #(
  parameter int unsigned IN_H     = 6,     // image rows
  parameter int unsigned IN_W     = 5,     // image columns
  parameter int unsigned CHANNELS = 4,
  parameter int unsigned SIMD     = 2,     // channels per beat, divides CHANNELS
  parameter int unsigned X_W      = 4,     // input width, bits
  parameter bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter int unsigned Y_W      = 4,     // output width, bits; holds PAD as well
  parameter int          PAD      = 0,     // value outside the image
  parameter int unsigned KH       = 3,     // kernel rows
  parameter int unsigned KW       = 3,     // kernel columns
  parameter int unsigned SH       = 1,     // stride between rows
  parameter int unsigned SW       = 1,     // stride between columns
  parameter int unsigned DH       = 1,     // dilation of rows
  parameter int unsigned DW       = 1,     // dilation of columns
  parameter int unsigned PT       = 1,     // padding above
  parameter int unsigned PB       = 1,     // padding below
  parameter int unsigned PL       = 1,     // padding on the left
  parameter int unsigned PR       = 1,     // padding on the right
  parameter int unsigned ROWS     = 5      // rows of the ring
) (
  input  logic                clk,
  input  logic                rst,  // synchronous, active high

  input  logic [SIMD*X_W-1:0] s_axis_tdata,
  input  logic                s_axis_tvalid,
  output logic                s_axis_tready,

  output logic [SIMD*Y_W-1:0] m_axis_tdata,
  output logic                m_axis_tvalid,
  input  logic                m_axis_tready
);

  localparam int CF     = CHANNELS / SIMD;  // beats per pixel
  localparam int ROW    = IN_W * CF;        // beats per row
  localparam int DEPTH  = ROWS * ROW;
  localparam int ADDR_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
  localparam int COL_W  = (ROW > 1) ? $clog2(ROW) : 1;
  localparam int POS_W  = $clog2(IN_H + PT + PB + SH + ROWS + 1) + 1;

  if (CHANNELS % SIMD != 0) begin : gen_bad_simd
    $error("hw_window: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (ROWS < (KH - 1) * DH + 1) begin : gen_bad_rows
    $error("hw_window: ROWS=%0d do not hold a kernel of %0d rows", ROWS, (KH - 1) * DH + 1);
  end
  if (PT >= IN_H || PB >= IN_H || PL >= IN_W || PR >= IN_W) begin : gen_bad_pads
    $error("hw_window: the padding is as wide as the image of %0d x %0d", IN_H, IN_W);
  end

  // ---- writer: the next beat of the ring -----------------------------------------------------
  logic signed [POS_W-1:0] held_q;  // whole rows written minus rows released
  logic [ADDR_W-1:0]         write_addr;
  logic [COL_W-1:0]          column;
  logic                      push, row_done, write_last, unused_write;

  assign s_axis_tready = held_q < $signed(POS_W'(ROWS));
  assign push          = s_axis_tvalid && s_axis_tready;
  assign unused_write  = &{1'b0, write_last, column};

  hw_counter #(.N(DEPTH)) u_write (
    .clk(clk), .rst(rst), .en(push), .count_o(write_addr), .last_o(write_last)
  );
  hw_counter #(.N(ROW)) u_column (
    .clk(clk), .rst(rst), .en(push), .count_o(column), .last_o(row_done)
  );

  // ---- reader --------------------------------------------------------------------------------
  logic [ADDR_W-1:0]       read_addr;
  logic signed [POS_W-1:0] need, released;
  logic                    outside, advance, issue, valid_q;

  assign advance = m_axis_tready || !valid_q;
  assign issue   = advance && need <= held_q;

  hw_window_walk #(
    .IN_H(IN_H), .IN_W(IN_W), .CF(CF), .KH(KH), .KW(KW), .SH(SH), .SW(SW), .DH(DH), .DW(DW),
    .PT(PT), .PB(PB), .PL(PL), .PR(PR), .ROWS(ROWS)
  ) u_walk (
    .clk(clk), .rst(rst), .en(issue), .addr_o(read_addr), .outside_o(outside), .need_o(need),
    .released_o(released)
  );

  always_ff @(posedge clk) begin
    if (rst) held_q <= '0;
    else begin
      held_q <= held_q + $signed(POS_W'(push && row_done)) - (issue ? released : '0);
    end
  end

  // ---- ring and output -----------------------------------------------------------------------
  (* no_rw_check *) logic [SIMD*X_W-1:0] ring [DEPTH];  // a row is read only when it is whole
  logic [SIMD*X_W-1:0] beat_q;
  logic                outside_q;

  always_ff @(posedge clk) begin
    if (push) ring[write_addr] <= s_axis_tdata;
    if (advance) begin
      beat_q    <= ring[read_addr];
      outside_q <= outside;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= issue;
  end

  for (genvar s = 0; s < SIMD; s++) begin : gen_lane
    logic [X_W-1:0] x;
    assign x = beat_q[s*X_W +: X_W];
    assign m_axis_tdata[s*Y_W +: Y_W] = outside_q ? Y_W'(PAD)
                                        : X_SIGNED ? Y_W'($signed(x)) : Y_W'(x);
  end

  assign m_axis_tvalid = valid_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(SIMD*Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
