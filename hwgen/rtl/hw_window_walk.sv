// The reader's walk of a sliding window: which beat of the ring comes next.
//
// Loops over output rows, output columns, kernel rows, kernel columns and the beats of a pixel;
// each step adds one of six constants to the address, so there is no multiplier.  Combinational
// outputs describe the beat at hand; en moves on to the next.
//
// Part of hw_window, which documents the parameters.

module hw_window_walk #(
  parameter int unsigned IN_H  = 6,
  parameter int unsigned IN_W  = 5,
  parameter int unsigned CF    = 2,  // beats per pixel
  parameter int unsigned KH    = 3,
  parameter int unsigned KW    = 3,
  parameter int unsigned SH    = 1,
  parameter int unsigned SW    = 1,
  parameter int unsigned DH    = 1,
  parameter int unsigned DW    = 1,
  parameter int unsigned PT    = 1,
  parameter int unsigned PB    = 1,
  parameter int unsigned PL    = 1,
  parameter int unsigned PR    = 1,
  parameter int unsigned ROWS  = 5,
  localparam int unsigned ADDR_W = (ROWS * IN_W * CF > 1) ? $clog2(ROWS * IN_W * CF) : 1,
  // Image rows are signed: they begin in the padding, and strides leave the image behind.
  localparam int unsigned POS_W  = $clog2(IN_H + PT + PB + SH + ROWS + 1) + 1
) (
  input  logic                    clk,
  input  logic                    rst,         // synchronous, active high
  input  logic                    en,
  output logic [ADDR_W-1:0]       addr_o,      // in the ring
  output logic                    outside_o,   // of the image: padding
  output logic signed [POS_W-1:0] need_o,      // rows that the ring must hold for this beat
  output logic signed [POS_W-1:0] released_o   // rows that no beat after this one needs
);

  localparam int ROW     = IN_W * CF;  // beats per row
  localparam int DEPTH   = ROWS * ROW;
  localparam int OUT_H   = (IN_H + PT + PB - DH * (KH - 1) - 1) / SH + 1;
  localparam int OUT_W   = (IN_W + PL + PR - DW * (KW - 1) - 1) / SW + 1;
  localparam int X_POS_W = $clog2(IN_W + PL + PR + SW + 1) + 1;

  // What is added to the address when one loop goes on and the loops inside it restart.
  localparam int BACK     = (KH - 1) * DH * ROW + (KW - 1) * DW * CF + CF - 1;  // a whole window
  localparam int STEP_KX  = (DW - 1) * CF + 1;
  localparam int STEP_KY  = DH * ROW - (KW - 1) * DW * CF - (CF - 1);
  localparam int STEP_OX  = SW * CF - BACK;
  localparam int STEP_OY  = SH * ROW - (OUT_W - 1) * SW * CF - BACK;
  localparam int STEP_END = IN_H * ROW - (OUT_H - 1) * SH * ROW - (OUT_W - 1) * SW * CF - BACK;

  function automatic logic [ADDR_W-1:0] in_ring(input int beats);
    in_ring = ADDR_W'(((beats % DEPTH) + DEPTH) % DEPTH);
  endfunction

  // ---- loops ---------------------------------------------------------------------------------
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
  logic next_kx, next_ky, next_ox, next_oy, frame_done, unused_counts;

  assign next_kx       = en && cf_last;
  assign next_ky       = next_kx && kx_last;
  assign next_ox       = next_ky && ky_last;
  assign next_oy       = next_ox && ox_last;
  assign frame_done    = next_oy && oy_last;
  assign unused_counts = &{1'b0, cf, kx, ky, ox, oy};

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(en), .count_o(cf), .last_o(cf_last)
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

  // ---- address and image coordinates ---------------------------------------------------------
  logic [ADDR_W-1:0]         addr_q, step;
  logic [ADDR_W:0]           addr_sum;
  logic signed [X_POS_W-1:0] x_q, left_q;          // column under the kernel; of the window's left
  logic signed [POS_W-1:0] y_q, top_q;           // row under the kernel; of the window's top
  logic signed [POS_W-1:0] base_q, next_base;    // first row of the frame still in the ring
  logic signed [POS_W-1:0] next_top;

  always_comb begin
    if (!cf_last) step = in_ring(1);
    else if (!kx_last) step = in_ring(STEP_KX);
    else if (!ky_last) step = in_ring(STEP_KY);
    else if (!ox_last) step = in_ring(STEP_OX);
    else if (!oy_last) step = in_ring(STEP_OY);
    else step = in_ring(STEP_END);
    addr_sum = {1'b0, addr_q} + {1'b0, step};
  end

  assign next_top = top_q + $signed(POS_W'(SH));

  always_comb begin  // rows above the next window go; after the last window all rows go
    if (oy_last || next_top > $signed(POS_W'(IN_H))) next_base = $signed(POS_W'(IN_H));
    else if (next_top < 0) next_base = '0;
    else next_base = next_top;
    released_o = (cf_last && kx_last && ky_last && ox_last) ? next_base - base_q : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      addr_q <= in_ring(-(PT * ROW + PL * CF));
      x_q    <= -$signed(X_POS_W'(PL));
      left_q <= -$signed(X_POS_W'(PL));
      y_q    <= -$signed(POS_W'(PT));
      top_q  <= -$signed(POS_W'(PT));
      base_q <= '0;
    end else begin
      if (en) begin
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
        top_q  <= -$signed(POS_W'(PT));
        y_q    <= -$signed(POS_W'(PT));
      end else if (next_oy) begin
        base_q <= next_base;
        top_q  <= next_top;
        y_q    <= next_top;
      end else if (next_ox) begin
        y_q <= top_q;
      end else if (next_ky) begin
        y_q <= y_q + $signed(POS_W'(DH));
      end
    end
  end

  assign addr_o    = addr_q;
  assign outside_o = x_q < 0 || x_q >= $signed(X_POS_W'(IN_W))
                     || y_q < 0 || y_q >= $signed(POS_W'(IN_H));
  assign need_o    = (outside_o ? '0 : y_q) + 1'b1 - base_q;  // no padding before the frame begins

endmodule
