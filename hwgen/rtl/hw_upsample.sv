// Upsampling: an image FY x FX times as large, channels last.
//
//   STUFF = 0   nearest neighbour: output pixel (r, c) is input pixel (r / FY, c / FX).  A ring of
//               two rows: the next row is written while the present one is repeated, and a row is
//               released at the last beat of its last repetition.  A beat can be read in the
//               cycle after it came.
//   STUFF = 1   apart: input pixel (r / FY, c / FX) where FY divides r and FX divides c, else FILL
//
//   s_axis      IN_H * IN_W pixels per frame, CF beats each, PE lanes of X_W bits
//   m_axis      OUT_H * OUT_W pixels per frame, CF beats each, PE lanes of Y_W bits; the last
//               pixels of an axis may be repeated less often: (IN - 1) * F < OUT <= IN * F
//   latency     2 cycles; 1 if STUFF
//   throughput  1 output beat per cycle, no bubbles between rows and frames
//   ready       registered, low while the ring is full; if STUFF, combinational from m_axis_tready
//               and low except for the beats that it passes on
//
// A sequence is an image of width 1.  Golden model: hwgen.graph.execute, Upsample

module hw_upsample #(
  parameter int unsigned IN_H     = 3,     // image rows
  parameter int unsigned IN_W     = 2,     // image columns
  parameter int unsigned FY       = 2,     // factor of rows
  parameter int unsigned FX       = 2,     // factor of columns
  parameter int unsigned OUT_H    = 6,     // output rows
  parameter int unsigned OUT_W    = 4,     // output columns
  parameter int unsigned CF       = 2,     // beats per pixel
  parameter int unsigned PE       = 2,     // lanes
  parameter int unsigned X_W      = 4,     // input width, bits
  parameter bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter int unsigned Y_W      = 4,     // output width, bits; holds FILL as well
  parameter bit          STUFF    = 1'b0,  // pixels apart
  parameter int          FILL     = 0      // value between them
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [PE*X_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [PE*Y_W-1:0] m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  localparam int unsigned CF_W  = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned COL_W = (OUT_W > 1) ? $clog2(OUT_W) : 1;
  localparam int unsigned ROW_W = (OUT_H > 1) ? $clog2(OUT_H) : 1;
  localparam int unsigned FX_W  = (FX > 1) ? $clog2(FX) : 1;
  localparam int unsigned FY_W  = (FY > 1) ? $clog2(FY) : 1;

  if ((IN_H - 1) * FY >= OUT_H || OUT_H > IN_H * FY) begin : gen_bad_out_h
    $error("hw_upsample: OUT_H=%0d does not follow from IN_H=%0d and FY=%0d", OUT_H, IN_H, FY);
  end
  if ((IN_W - 1) * FX >= OUT_W || OUT_W > IN_W * FX) begin : gen_bad_out_w
    $error("hw_upsample: OUT_W=%0d does not follow from IN_W=%0d and FX=%0d", OUT_W, IN_W, FX);
  end
  if (X_W > Y_W) begin : gen_bad_y_w
    $error("hw_upsample: Y_W=%0d must be at least X_W=%0d", Y_W, X_W);
  end

  // ---- position in the output ----------------------------------------------------------------
  logic [CF_W-1:0]  cf;
  logic [COL_W-1:0] column;
  logic [ROW_W-1:0] row;
  logic [FX_W-1:0]  fx;  // columns since the input pixel changed
  logic [FY_W-1:0]  fy;  // rows since then
  logic             cf_last, column_last, row_last, fx_last, fy_last;
  logic             advance, issue, valid_q, pixel_end, row_end, frame_end, unused_counts;

  assign advance       = m_axis_tready || !valid_q;
  assign pixel_end     = issue && cf_last;
  assign row_end       = pixel_end && column_last;
  assign frame_end     = row_end && row_last;
  assign unused_counts = &{1'b0, cf, column, row};

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(issue), .count_o(cf), .last_o(cf_last)
  );
  hw_counter #(.N(OUT_W)) u_column (
    .clk(clk), .rst(rst), .en(pixel_end), .count_o(column), .last_o(column_last)
  );
  hw_counter #(.N(OUT_H)) u_row (
    .clk(clk), .rst(rst), .en(row_end), .count_o(row), .last_o(row_last)
  );
  hw_counter #(.N(FX)) u_fx (
    .clk(clk), .rst(rst || row_end), .en(pixel_end), .count_o(fx), .last_o(fx_last)
  );
  hw_counter #(.N(FY)) u_fy (
    .clk(clk), .rst(rst || frame_end), .en(row_end), .count_o(fy), .last_o(fy_last)
  );

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= issue;
  end

  // ---- the input beat of each output beat ----------------------------------------------------
  logic [PE*X_W-1:0] beat_q;
  logic              fill;  // the output beat is FILL

  if (STUFF) begin : gen_stuff
    logic wanted, fill_q, unused_last;

    assign wanted        = fx == '0 && fy == '0;
    assign issue         = advance && (s_axis_tvalid || !wanted);
    assign s_axis_tready = advance && wanted;
    assign fill          = fill_q;
    assign unused_last   = &{1'b0, fx_last, fy_last};

    always_ff @(posedge clk) begin
      if (advance) begin
        beat_q <= s_axis_tdata;
        fill_q <= !wanted;
      end
    end
  end else begin : gen_nearest
    localparam int unsigned ROW    = IN_W * CF;  // beats
    localparam int unsigned ADDR_W = $clog2(2 * ROW);
    localparam int unsigned HELD_W = $clog2(2 * ROW + 1);

    (* no_rw_check *) logic [PE*X_W-1:0] ring [2*ROW];  // a beat is read only once it is there
    logic [ADDR_W-1:0] write_addr, read_addr, beat_of_row_q;
    logic [HELD_W-1:0] held_q;  // beats of the ring in use
    logic              odd_q;   // the present row is the second of the ring
    logic              push, release_row, write_last, unused;

    assign s_axis_tready = held_q != HELD_W'(2 * ROW);
    assign push          = s_axis_tvalid && s_axis_tready;
    assign issue         = advance && HELD_W'(beat_of_row_q) < held_q;
    assign release_row   = row_end && (fy_last || row_last);
    assign read_addr     = odd_q ? beat_of_row_q + ADDR_W'(ROW) : beat_of_row_q;
    assign fill          = 1'b0;
    assign unused        = &{1'b0, write_last, fx, fy};

    hw_counter #(.N(2*ROW)) u_write (
      .clk(clk), .rst(rst), .en(push), .count_o(write_addr), .last_o(write_last)
    );

    always_ff @(posedge clk) begin
      if (rst) begin
        held_q        <= '0;
        odd_q         <= 1'b0;
        beat_of_row_q <= '0;
      end else begin
        held_q <= held_q + HELD_W'(push) - (release_row ? HELD_W'(ROW) : '0);
        if (release_row) odd_q <= !odd_q;
        if (row_end) beat_of_row_q <= '0;
        else if (pixel_end && !fx_last) beat_of_row_q <= beat_of_row_q - ADDR_W'(CF - 1);
        else if (issue) beat_of_row_q <= beat_of_row_q + 1'b1;
      end
    end

    always_ff @(posedge clk) begin
      if (push) ring[write_addr] <= s_axis_tdata;
      if (advance) beat_q <= ring[read_addr];
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic [X_W-1:0] x;
    assign x = beat_q[p*X_W +: X_W];
    assign m_axis_tdata[p*Y_W +: Y_W] = fill ? Y_W'(FILL)
                                        : X_SIGNED ? Y_W'($signed(x)) : Y_W'(x);
  end

  assign m_axis_tvalid = valid_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
