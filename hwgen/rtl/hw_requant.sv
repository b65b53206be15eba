// Requantizer: y = confine(round((M[c]*x + B[c]) / 2**SHIFT), LO, HI), integer and exact.
//
//   s_axis      CHANNELS / PE beats per frame, PE lanes of X_W bits; lane p of beat b is channel
//               b*PE + p
//   m_axis      the same beats, PE lanes of Y_W bits (two's complement)
//   latency     4 cycles (parameter fetch, multiply, add, round and confine); 3 when UNIT_M
//   throughput  1 beat per cycle
//   ready       combinational from m_axis_tready to s_axis_tready
//   P_FILE      $readmemh image, one line per beat, {B[c], M[c]} of lane p at
//               [p*(B_W+M_W) +: B_W+M_W]; M is there but not used when UNIT_M
//   ROUNDING    0 floor, 1 half to even, 2 towards zero, 3 half away from zero, 4 half to zero
//   OVERFLOW    of a value beyond LO..HI: 0 the nearer end, 1 its lowest Y_W bits (LO..HI is all
//               that they hold), 2 zero
//
// Golden model: hwgen.num.rounding;  memory image: hwgen.num.pack.requant_lines

module hw_requant #(
  parameter int unsigned CHANNELS  = 4,     // values per frame
  parameter int unsigned PE        = 2,     // lanes, divides CHANNELS
  parameter int unsigned X_W       = 12,    // input width, bits
  parameter bit          X_SIGNED  = 1'b1,  // inputs are two's complement
  parameter int unsigned Y_W       = 8,     // output width, bits
  parameter bit          UNIT_M    = 1'b0,  // M = 1 for every channel: no multiplier
  parameter int unsigned M_W       = 8,     // multiplier width, bits (two's complement)
  parameter int unsigned B_W       = 16,    // offset width, bits (two's complement)
  parameter int unsigned SHIFT     = 8,     // right shift, bits
  parameter int unsigned ROUNDING  = 1,     // see above
  parameter int unsigned OVERFLOW  = 0,     // see above
  parameter int          LO        = -128,  // smallest output
  parameter int          HI        = 127,   // largest output
  parameter              P_FILE    = ""
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

  localparam int unsigned CF     = CHANNELS / PE;  // channel folds
  localparam int unsigned CF_W   = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned P_W    = B_W + M_W;
  localparam int unsigned STAGES = UNIT_M ? 3 : 4;
  localparam int unsigned PROD_W = UNIT_M ? X_W + 1 : X_W + 1 + M_W;
  localparam int unsigned SUM_W  = ((PROD_W > B_W) ? PROD_W : B_W) + 1;  // M*x + B
  localparam int unsigned MIN_W  = (SHIFT > 31) ? SHIFT + 1 : 32;        // holds 2**SHIFT, LO, HI
  localparam int unsigned R_W    = ((SUM_W > MIN_W) ? SUM_W : MIN_W) + 1;

  if (CHANNELS % PE != 0) begin : gen_bad_pe
    $error("hw_requant: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (LO > HI) begin : gen_bad_clamp
    $error("hw_requant: LO=%0d must not exceed HI=%0d", LO, HI);
  end

  // ---- beat control --------------------------------------------------------------------------
  logic [STAGES-1:0] valid_q;
  logic [CF_W-1:0]   cf;
  logic [PE*P_W-1:0] params;
  logic              advance, unused_last, cf_last;

  assign advance       = m_axis_tready || !m_axis_tvalid;
  assign s_axis_tready = advance;
  assign m_axis_tvalid = valid_q[STAGES-1];
  assign unused_last   = cf_last;

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(s_axis_tvalid && advance), .count_o(cf), .last_o(cf_last)
  );

  always_ff @(posedge clk) begin
    if (rst) valid_q <= '0;
    else if (advance) valid_q <= {valid_q[STAGES-2:0], s_axis_tvalid};
  end

  hw_rom #(.DATA_W(PE*P_W), .DEPTH(CF), .FILE(P_FILE)) u_params (
    .clk(clk), .en(advance), .addr_i(cf), .data_o(params)
  );

  // ---- arithmetic ----------------------------------------------------------------------------
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic signed [X_W:0]      x_q;  // one bit more: unsigned inputs are non-negative
    logic signed [PROD_W-1:0] product;
    logic signed [B_W-1:0]    offset;
    logic signed [SUM_W-1:0]  sum_q;
    logic signed [R_W-1:0]    rounded;
    logic [Y_W-1:0]           y_q;

    always_ff @(posedge clk) begin
      if (advance) begin
        x_q <= {X_SIGNED && s_axis_tdata[p*X_W+X_W-1], s_axis_tdata[p*X_W +: X_W]};
      end
    end

    if (UNIT_M) begin : gen_unit
      logic unused_m;
      assign unused_m = &{1'b0, params[p*P_W +: M_W]};
      assign product  = x_q;
      assign offset   = params[p*P_W+M_W +: B_W];
    end else begin : gen_multiply
      logic signed [M_W-1:0]    m;
      logic signed [PROD_W-1:0] product_q;
      logic signed [B_W-1:0]    offset_q;
      assign m = params[p*P_W +: M_W];
      always_ff @(posedge clk) begin
        if (advance) begin
          product_q <= x_q * m;
          offset_q  <= params[p*P_W+M_W +: B_W];
        end
      end
      assign product = product_q;
      assign offset  = offset_q;
    end

    always_ff @(posedge clk) begin
      if (advance) sum_q <= SUM_W'(product) + SUM_W'(offset);
    end

    if (ROUNDING == 0 || SHIFT == 0) begin : gen_floor
      assign rounded = R_W'(sum_q) >>> SHIFT;
    end else if (ROUNDING == 2) begin : gen_zero
      localparam logic signed [R_W-1:0] UNDER_ONE = (R_W'(1) << SHIFT) - R_W'(1);
      assign rounded = (R_W'(sum_q) + (sum_q[SUM_W-1] ? UNDER_ONE : R_W'(0))) >>> SHIFT;
    end else begin : gen_nearest
      // Just under one half rounds a tie down; one more makes it go up: from an odd quotient,
      // of a positive sum, of a negative sum.
      localparam logic signed [R_W-1:0] UNDER_HALF = (R_W'(1) << (SHIFT - 1)) - R_W'(1);
      localparam int unsigned UP_BIT = (ROUNDING == 1 && SHIFT < SUM_W) ? SHIFT : SUM_W - 1;
      logic signed [1:0] up;
      assign up      = {1'b0, sum_q[UP_BIT] != (ROUNDING == 3)};
      assign rounded = (R_W'(sum_q) + UNDER_HALF + R_W'(up)) >>> SHIFT;
    end

    always_ff @(posedge clk) begin
      if (advance) begin
        if (OVERFLOW == 0 && rounded < R_W'(LO)) y_q <= Y_W'(LO);
        else if (OVERFLOW == 0 && rounded > R_W'(HI)) y_q <= Y_W'(HI);
        else if (OVERFLOW == 2 && (rounded < R_W'(LO) || rounded > R_W'(HI))) y_q <= '0;
        else y_q <= Y_W'(rounded);
      end
    end

    assign m_axis_tdata[p*Y_W +: Y_W] = y_q;
  end

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
