// Multi-threshold: y = BASE + number of thresholds T[c][k] with x >= T[c][k].
//
// A binary search over the ascending thresholds, one comparison per stage and lane; the answer
// bits so far address the next stage's threshold.
//
//   s_axis      CHANNELS / PE beats per frame, PE lanes of X_W bits; lane p of beat b is channel
//               b*PE + p
//   m_axis      the same beats, PE lanes of Y_W bits (two's complement)
//   latency     $clog2(LEVELS + 1) + 1 cycles
//   throughput  1 beat per cycle
//   ready       combinational from m_axis_tready to s_axis_tready
//   T_FILE      prefix of $readmemh images, one per lane and stage: {T_FILE}_p000_s00.mem, ...;
//               stage s of lane p holds 2**s lines of T_W bits for each beat b: the thresholds
//               k = (2*i + 1) * 2**(STAGES-1-s) - 1, i = 0 .. 2**s - 1, of channel b*PE + p
//
// Golden model: BASE + (x[:, None] >= T).sum(axis=1);
// memory images: hwgen.num.pack.threshold_files

module hw_threshold #(
  parameter int unsigned CHANNELS = 4,     // values per frame
  parameter int unsigned PE       = 2,     // lanes, divides CHANNELS
  parameter int unsigned X_W      = 8,     // input width, bits
  parameter bit          X_SIGNED = 1'b1,  // inputs and thresholds are two's complement
  parameter int unsigned Y_W      = 4,     // output width, bits
  parameter int unsigned LEVELS   = 15,    // thresholds per channel, 2**n - 1
  parameter int unsigned T_W      = 9,     // threshold width, bits, at least X_W
  parameter int          BASE     = 0,     // output below the lowest threshold
  parameter              T_FILE   = ""
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

  localparam int unsigned STAGES = $clog2(LEVELS + 1);
  localparam int unsigned CF     = CHANNELS / PE;  // channel folds
  localparam int unsigned CF_W   = (CF > 1) ? $clog2(CF) : 1;

  if (CHANNELS % PE != 0) begin : gen_bad_pe
    $error("hw_threshold: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (LEVELS < 1 || LEVELS + 1 != 2 ** STAGES) begin : gen_bad_levels
    $error("hw_threshold: LEVELS=%0d must be 2**n - 1", LEVELS);
  end
  if (T_W < X_W) begin : gen_bad_t_w
    $error("hw_threshold: T_W=%0d must be at least X_W=%0d", T_W, X_W);
  end
  if (PE > 1000) begin : gen_bad_file_name
    $error("hw_threshold: PE=%0d must be at most 1000", PE);
  end

  // ---- beat control --------------------------------------------------------------------------
  logic [STAGES:0]  valid_q;
  logic [CF_W-1:0]  cf [STAGES];  // channel fold whose threshold each stage fetches
  logic             advance, unused_last, cf_last;

  assign advance       = m_axis_tready || !m_axis_tvalid;
  assign s_axis_tready = advance;
  assign m_axis_tvalid = valid_q[STAGES];
  assign unused_last   = cf_last;

  hw_counter #(.N(CF)) u_cf (
    .clk(clk), .rst(rst), .en(s_axis_tvalid && advance), .count_o(cf[0]), .last_o(cf_last)
  );

  always_ff @(posedge clk) begin
    if (rst) valid_q <= '0;
    else if (advance) valid_q <= {valid_q[STAGES-1:0], s_axis_tvalid};
  end

  for (genvar s = 1; s < STAGES; s++) begin : gen_cf
    logic [CF_W-1:0] cf_q;
    always_ff @(posedge clk) begin
      if (advance) cf_q <= cf[s-1];
    end
    assign cf[s] = cf_q;
  end

  // ---- binary search: stage s finds bit STAGES-1-s of the count ------------------------------
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    localparam logic [23:0] LANE_NAME = {
      8'(48 + p / 100), 8'(48 + p / 10 % 10), 8'(48 + p % 10)
    };
    logic [X_W-1:0]    x_in [STAGES];
    logic [STAGES-1:0] count_in [STAGES+1];  // bits found so far, right-aligned
    logic [Y_W-1:0]    y_q;

    assign x_in[0]     = s_axis_tdata[p*X_W +: X_W];
    assign count_in[0] = '0;

    for (genvar s = 0; s < STAGES; s++) begin : gen_stage
      localparam int unsigned DEPTH  = CF * 2 ** s;
      localparam int unsigned ADDR_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
      localparam logic [15:0] STAGE_NAME = {8'(48 + s / 10), 8'(48 + s % 10)};
      logic [X_W-1:0]    x_q;
      logic [STAGES-1:0] count_q;
      logic [T_W-1:0]    t;
      logic              reached;

      hw_rom #(
        .DATA_W(T_W), .DEPTH(DEPTH),
        .FILE((T_FILE == "") ? "" : {T_FILE, "_p", LANE_NAME, "_s", STAGE_NAME, ".mem"})
      ) u_thresholds (
        .clk(clk), .en(advance),
        .addr_i(ADDR_W'((32'(cf[s]) << s) | 32'(count_in[s]))), .data_o(t)
      );

      always_ff @(posedge clk) begin
        if (advance) begin
          x_q     <= x_in[s];
          count_q <= count_in[s];
        end
      end

      if (X_SIGNED) begin : gen_signed
        assign reached = T_W'($signed(x_q)) >= $signed(t);
      end else begin : gen_unsigned
        assign reached = T_W'(x_q) >= t;
      end

      if (s < STAGES - 1) begin : gen_next
        assign x_in[s+1] = x_q;
      end
      assign count_in[s+1] = STAGES'({count_q, reached});
    end

    always_ff @(posedge clk) begin
      if (advance) y_q <= Y_W'(BASE + 32'(count_in[STAGES]));
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
