// Table lookup: y = table[x - LO], any function of a small range of integers.
//
//   s_axis      CHANNELS / PE beats per frame, PE lanes of X_W bits
//   m_axis      the same beats, PE lanes of Y_W bits
//   latency     1 cycle
//   throughput  1 beat per cycle, no bubbles between frames
//   ready       combinational from m_axis_tready to s_axis_tready
//   T_FILE      prefix of $readmemh images: {T_FILE}_p007.mem for lane 7, 2**INDEX_W lines of Y_W
//               bits for each beat of a frame; one table for all channels (SHARED) is {T_FILE}.mem
//
// Golden model: table[x - LO];  memory images: hwgen.num.pack.table_files

module hw_table #(
  parameter int unsigned CHANNELS = 4,
  parameter int unsigned PE       = 2,     // lanes, divides CHANNELS
  parameter int unsigned X_W      = 4,     // input width, bits
  parameter bit          X_SIGNED = 1'b0,  // inputs are two's complement
  parameter int unsigned Y_W      = 4,     // output width, bits
  parameter int          LO       = 0,     // the x of the first entry
  parameter int unsigned INDEX_W  = 4,     // bits of x - LO
  parameter bit          SHARED   = 1'b1,  // all channels use the same table
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

  localparam int unsigned FOLDS  = SHARED ? 1 : CHANNELS / PE;  // tables of one lane
  localparam int unsigned FOLD_W = (FOLDS > 1) ? $clog2(FOLDS) : 1;
  localparam int unsigned DEPTH  = FOLDS * 2 ** INDEX_W;
  localparam int unsigned ADDR_W = $clog2(DEPTH);

  if (CHANNELS % PE != 0) begin : gen_bad_pe
    $error("hw_table: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (INDEX_W < 1) begin : gen_bad_index_w
    $error("hw_table: INDEX_W=%0d must be at least 1", INDEX_W);
  end

  logic [FOLD_W-1:0] fold;
  logic              valid_q, advance, fold_last, unused_last;

  assign advance       = m_axis_tready || !valid_q;
  assign s_axis_tready = advance;
  assign m_axis_tvalid = valid_q;
  assign unused_last   = fold_last;

  hw_counter #(.N(FOLDS)) u_fold (
    .clk(clk), .rst(rst), .en(s_axis_tvalid && advance), .count_o(fold), .last_o(fold_last)
  );

  always_ff @(posedge clk) begin
    if (rst) valid_q <= 1'b0;
    else if (advance) valid_q <= s_axis_tvalid;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    localparam logic [23:0] LANE_NAME = {
      8'(48 + p / 100), 8'(48 + p / 10 % 10), 8'(48 + p % 10)
    };
    logic signed [31:0] x;
    logic [INDEX_W-1:0] index;
    logic [ADDR_W-1:0]  addr;

    assign x     = X_SIGNED ? 32'($signed(s_axis_tdata[p*X_W +: X_W]))
                            : 32'(s_axis_tdata[p*X_W +: X_W]);
    assign index = INDEX_W'(x - LO);
    assign addr  = ADDR_W'((32'(fold) << INDEX_W) | 32'(index));

    if (SHARED) begin : gen_shared
      hw_rom #(
        .DATA_W(Y_W), .DEPTH(DEPTH), .FILE((T_FILE == "") ? "" : {T_FILE, ".mem"})
      ) u_entries (
        .clk(clk), .en(advance), .addr_i(addr), .data_o(m_axis_tdata[p*Y_W +: Y_W])
      );
    end else begin : gen_per_channel
      hw_rom #(
        .DATA_W(Y_W), .DEPTH(DEPTH),
        .FILE((T_FILE == "") ? "" : {T_FILE, "_p", LANE_NAME, ".mem"})
      ) u_entries (
        .clk(clk), .en(advance), .addr_i(addr), .data_o(m_axis_tdata[p*Y_W +: Y_W])
      );
    end
  end

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(PE*Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
