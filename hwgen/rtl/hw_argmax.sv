// Index of the first maximum of N values.
//
//   s_axis      N / PE beats per frame, PE lanes of X_W bits
//   m_axis      1 beat per frame: the index, Y_W bits
//   latency     2 cycles from last input to output
//   throughput  1 input beat per cycle, no bubbles between frames
//   ready       combinational from m_axis_tready to s_axis_tready
//
// Golden model: numpy.argmax

module hw_argmax #(
  parameter int unsigned N        = 10,    // values per frame
  parameter int unsigned PE       = 2,     // lanes, divides N
  parameter int unsigned X_W      = 8,     // input width, bits
  parameter bit          X_SIGNED = 1'b1,  // inputs are two's complement
  parameter int unsigned Y_W      = 4      // index width, bits
) (
  input  logic              clk,
  input  logic              rst,  // synchronous, active high

  input  logic [PE*X_W-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,

  output logic [Y_W-1:0]    m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  localparam int unsigned FOLDS  = N / PE;
  localparam int unsigned FOLD_W = (FOLDS > 1) ? $clog2(FOLDS) : 1;
  localparam int unsigned LEAVES = 2 ** $clog2(PE);  // of the comparison tree

  if (N % PE != 0) begin : gen_bad_pe
    $error("hw_argmax: PE=%0d must divide N=%0d", PE, N);
  end
  if (2 ** Y_W < N) begin : gen_bad_y_w
    $error("hw_argmax: Y_W=%0d bits cannot hold an index below N=%0d", Y_W, N);
  end

  // ---- beat control --------------------------------------------------------------------------
  logic [FOLD_W-1:0] fold;
  logic              fold_last, advance;
  logic              valid1_q, first1_q, last1_q, valid2_q;

  assign advance       = m_axis_tready || !m_axis_tvalid;
  assign s_axis_tready = advance;
  assign m_axis_tvalid = valid2_q;

  hw_counter #(.N(FOLDS)) u_fold (
    .clk(clk), .rst(rst), .en(s_axis_tvalid && advance), .count_o(fold), .last_o(fold_last)
  );

  always_ff @(posedge clk) begin
    if (rst) begin
      valid1_q <= 1'b0;
      valid2_q <= 1'b0;
    end else if (advance) begin
      valid1_q <= s_axis_tvalid;
      valid2_q <= valid1_q && last1_q;
    end
  end

  // ---- stage 1: the best lane of the beat ----------------------------------------------------
  // Values are compared as unsigned words with the sign bit turned over.  Node k has the
  // children 2k and 2k+1; a child on the right wins only if it is greater, so the first maximum
  // stays.  Leaves beyond PE repeat the last lane and therefore never win.
  logic [X_W-1:0] value [2*LEAVES];
  logic [Y_W-1:0] index [2*LEAVES];
  logic [X_W-1:0] value1_q, value2_q;
  logic [Y_W-1:0] index1_q, index2_q;

  always_comb begin
    for (int unsigned k = 0; k < LEAVES; k++) begin
      value[LEAVES+k] = s_axis_tdata[((k < PE) ? k : PE-1)*X_W +: X_W]
                        ^ (X_W'(X_SIGNED) << (X_W - 1));
      index[LEAVES+k] = Y_W'(fold) * Y_W'(PE) + Y_W'(k);
    end
    for (int unsigned k = LEAVES - 1; k > 0; k--) begin
      value[k] = (value[2*k+1] > value[2*k]) ? value[2*k+1] : value[2*k];
      index[k] = (value[2*k+1] > value[2*k]) ? index[2*k+1] : index[2*k];
    end
  end

  always_ff @(posedge clk) begin
    if (advance) begin
      value1_q <= value[1];
      index1_q <= index[1];
      first1_q <= fold == '0;
      last1_q  <= fold_last;
    end
  end

  // ---- stage 2: the best beat so far; the finished one is the output register ----------------
  always_ff @(posedge clk) begin
    if (advance && valid1_q && (first1_q || value1_q > value2_q)) begin
      value2_q <= value1_q;
      index2_q <= index1_q;
    end
  end

  assign m_axis_tdata = index2_q;

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(Y_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
