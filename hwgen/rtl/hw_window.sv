// Sliding window: for each output pixel the input values under the kernel, row by row.
//
// A ring of ROWS input rows; the reader walks it by adding one of six constants to its address,
// so there is no multiplier.  Whole rows are released when no later window needs them, and the
// rows of the next frame follow those of this one.
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
  localparam int OUT_H  = (IN_H + PT + PB - DH * (KH - 1) - 1) / SH + 1;
  localparam int OUT_W  = (IN_W + PL + PR - DW * (KW - 1) - 1) / SW + 1;
  localparam int ADDR_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
  localparam int COL_W  = (ROW > 1) ? $clog2(ROW) : 1;
  // Image coordinates are signed: they begin in the padding, and strides leave the image behind.
  localparam int Y_POS_W = $clog2(IN_H + PT + PB + SH + ROWS + 1) + 1;
  localparam int X_POS_W = $clog2(IN_W + PL + PR + SW + 1) + 1;

  // What the reader adds to its address when one loop goes on and the loops inside it restart.
  localparam int BACK     = (KH - 1) * DH * ROW + (KW - 1) * DW * CF + CF - 1;  // a whole window
  localparam int STEP_KX  = (DW - 1) * CF + 1;
  localparam int STEP_KY  = DH * ROW - (KW - 1) * DW * CF - (CF - 1);
  localparam int STEP_OX  = SW * CF - BACK;
  localparam int STEP_OY  = SH * ROW - (OUT_W - 1) * SW * CF - BACK;
  localparam int STEP_END = IN_H * ROW - (OUT_H - 1) * SH * ROW - (OUT_W - 1) * SW * CF - BACK;

  function automatic logic [ADDR_W-1:0] in_ring(input int beats);
    in_ring = ADDR_W'(((beats % DEPTH) + DEPTH) % DEPTH);
  endfunction

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
  logic signed [Y_POS_W-1:0] held_q;  // whole rows written minus rows released
  logic [ADDR_W-1:0]         write_addr;
  logic [COL_W-1:0]          column;
  logic                      push, row_done, write_last;

  assign s_axis_tready = held_q < $signed(Y_POS_W'(ROWS));
  assign push          = s_axis_tvalid && s_axis_tready;

  hw_counter #(.N(DEPTH)) u_write (
    .clk(clk), .rst(rst), .en(push), .count_o(write_addr), .last_o(write_last)
  );
  hw_counter #(.N(ROW)) u_column (
    .clk(clk), .rst(rst), .en(push), .count_o(column), .last_o(row_done)
  );

  // ---- reader: loops over output rows, columns, kernel rows, columns, beats of a pixel -------
  localparam int CF_W = (CF > 1) ? $clog2(CF) : 1;
  localparam int KX_W = (KW > 1) ? $clog2(KW) : 1;
  localparam int KY_W = (KH > 1) ? $clog2(KH) : 1;
  localparam int OX_W = (OUT_W > 1) ? $clog2(OUT_W) : 1;
  localparam int OY_W = (OUT_H > 1) ? $clog2(OUT_H) : 1;
  logic [CF_W-1:0] cf;
  logic [KX_W-1:0] kx;
  logic [KY_W-1:0] ky;
  logic [OX_W-1:0] ox;
  logic [OY_W-1:0] oy;
  logic cf_last, kx_last, ky_last, ox_last, oy_last;
  logic next_kx, next_ky, next_ox, next_oy, frame_done, row_read;
  logic advance, issue, unused_counts;

  assign next_kx       = issue && cf_last;
  assign next_ky       = next_kx && kx_last;
  assign next_ox       = next_ky && ky_last;
  assign next_oy       = next_ox && ox_last;
  assign frame_done    = next_oy && oy_last;
  assign row_read      = next_oy;
  assign unused_counts = &{1'b0, write_last, column, cf, kx, ky, ox, oy};

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(issue), .count_o(cf), .last_o(cf_last)
  );
  hw_counter #(.N(KW)) u_kx (
    .clk(clk), .rst(rst), .en(next_kx), .count_o(kx), .last_o(kx_last)
  );
  hw_counter #(.N(KH)) u_ky (
    .clk(clk), .rst(rst), .en(next_ky), .count_o(ky), .last_o(ky_last)
  );
  hw_counter #(.N(OUT_W)) u_ox (
    .clk(clk), .rst(rst), .en(next_ox), .count_o(ox), .last_o(ox_last)
  );
  hw_counter #(.N(OUT_H)) u_oy (
    .clk(clk), .rst(rst), .en(next_oy), .count_o(oy), .last_o(oy_last)
  );

  logic [ADDR_W-1:0]         addr_q, step;
  logic [ADDR_W:0]           addr_sum;
  logic signed [X_POS_W-1:0] x_q, left_q;          // column under the kernel; of the window's left
  logic signed [Y_POS_W-1:0] y_q, top_q;           // row under the kernel; of the window's top
  logic signed [Y_POS_W-1:0] base_q, next_base;    // first row of the frame still in the ring
  logic signed [Y_POS_W-1:0] next_top, released;

  always_comb begin
    if (!cf_last) step = in_ring(1);
    else if (!kx_last) step = in_ring(STEP_KX);
    else if (!ky_last) step = in_ring(STEP_KY);
    else if (!ox_last) step = in_ring(STEP_OX);
    else if (!oy_last) step = in_ring(STEP_OY);
    else step = in_ring(STEP_END);
    addr_sum = {1'b0, addr_q} + {1'b0, step};
  end

  assign next_top = top_q + $signed(Y_POS_W'(SH));

  always_comb begin  // rows above the next window go; after the last window all rows go
    if (oy_last || next_top > $signed(Y_POS_W'(IN_H))) next_base = $signed(Y_POS_W'(IN_H));
    else if (next_top < 0) next_base = '0;
    else next_base = next_top;
    released = row_read ? next_base - base_q : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      held_q <= '0;
      addr_q <= in_ring(-(PT * ROW + PL * CF));
      x_q    <= -$signed(X_POS_W'(PL));
      left_q <= -$signed(X_POS_W'(PL));
      y_q    <= -$signed(Y_POS_W'(PT));
      top_q  <= -$signed(Y_POS_W'(PT));
      base_q <= '0;
    end else begin
      held_q <= held_q + $signed(Y_POS_W'(push && row_done)) - released;
      if (issue) begin
        addr_q <= (addr_sum >= (ADDR_W + 1)'(DEPTH)) ? ADDR_W'(addr_sum - (ADDR_W + 1)'(DEPTH))
                                                     : ADDR_W'(addr_sum);
      end
      if (next_oy) begin
        left_q <= -$signed(X_POS_W'(PL));
        x_q    <= -$signed(X_POS_W'(PL));
      end else if (next_ox) begin
        left_q <= left_q + $signed(X_POS_W'(SW));
        x_q    <= left_q + $signed(X_POS_W'(SW));
      end else if (next_ky) begin
        x_q <= left_q;
      end else if (next_kx) begin
        x_q <= x_q + $signed(X_POS_W'(DW));
      end
      if (frame_done) begin
        base_q <= '0;
        top_q  <= -$signed(Y_POS_W'(PT));
        y_q    <= -$signed(Y_POS_W'(PT));
      end else if (next_oy) begin
        base_q <= next_base;
        top_q  <= next_top;
        y_q    <= next_top;
      end else if (next_ox) begin
        y_q <= top_q;
      end else if (next_ky) begin
        y_q <= y_q + $signed(Y_POS_W'(DH));
      end
    end
  end

  // ---- ring and output -----------------------------------------------------------------------
  (* no_rw_check *) logic [SIMD*X_W-1:0] ring [DEPTH];  // a row is read only when it is whole
  logic [SIMD*X_W-1:0] beat_q;
  logic                outside, outside_q, there, valid_q;
  logic signed [Y_POS_W-1:0] rows_in;  // whole rows of this frame that came in

  assign outside = x_q < 0 || x_q >= $signed(X_POS_W'(IN_W))
                   || y_q < 0 || y_q >= $signed(Y_POS_W'(IN_H));
  assign rows_in = base_q + held_q;
  assign there   = outside ? rows_in > 0 : y_q < rows_in;  // no padding before the frame begins
  assign advance = m_axis_tready || !valid_q;
  assign issue   = advance && there;

  always_ff @(posedge clk) begin
    if (push) ring[write_addr] <= s_axis_tdata;
    if (advance) begin
      beat_q    <= ring[addr_q];
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
