// Width converter: the same lanes in the same order, OUT_LANES instead of IN_LANES per beat.
//
//   latency     0 cycles
//   throughput  1 beat per cycle on the narrower side, no bubbles
//   ready       combinational from m_axis_tready, valid combinational from s_axis_tvalid
//   registers   widening: OUT_LANES - IN_LANES lanes; narrowing: none (upstream holds the beat)
//
// Lane k of a beat is at tdata[k*LANE_W +: LANE_W]; the first lane to arrive is the lowest.

module hw_width #(
  parameter int unsigned LANE_W    = 8,  // lane width, bits
  parameter int unsigned IN_LANES  = 4,  // lanes per input beat
  parameter int unsigned OUT_LANES = 2   // lanes per output beat; divides IN_LANES or a multiple
) (
  input  logic                        clk,
  input  logic                        rst,  // synchronous, active high

  input  logic [IN_LANES*LANE_W-1:0]  s_axis_tdata,
  input  logic                        s_axis_tvalid,
  output logic                        s_axis_tready,

  output logic [OUT_LANES*LANE_W-1:0] m_axis_tdata,
  output logic                        m_axis_tvalid,
  input  logic                        m_axis_tready
);

  localparam int unsigned IN_W  = IN_LANES * LANE_W;
  localparam int unsigned OUT_W = OUT_LANES * LANE_W;

  if (IN_LANES % OUT_LANES != 0 && OUT_LANES % IN_LANES != 0) begin : gen_bad_ratio
    $error("hw_width: IN_LANES=%0d and OUT_LANES=%0d must divide one another",
           IN_LANES, OUT_LANES);
  end

  if (IN_LANES == OUT_LANES) begin : gen_equal
    logic unused;
    assign unused        = &{1'b0, clk, rst};
    assign m_axis_tdata  = s_axis_tdata;
    assign m_axis_tvalid = s_axis_tvalid;
    assign s_axis_tready = m_axis_tready;
  end else if (IN_LANES > OUT_LANES) begin : gen_narrow
    localparam int unsigned RATIO   = IN_LANES / OUT_LANES;
    localparam int unsigned RATIO_W = $clog2(RATIO);
    logic [RATIO_W-1:0] part;
    logic               last;

    hw_counter #(.N(RATIO)) u_part (
      .clk(clk), .rst(rst), .en(m_axis_tvalid && m_axis_tready), .count_o(part), .last_o(last)
    );

    assign m_axis_tdata  = s_axis_tdata[part*OUT_W +: OUT_W];
    assign m_axis_tvalid = s_axis_tvalid;
    assign s_axis_tready = m_axis_tready && last;
  end else begin : gen_widen
    localparam int unsigned RATIO   = OUT_LANES / IN_LANES;
    localparam int unsigned RATIO_W = $clog2(RATIO);
    logic [RATIO_W-1:0] part;
    logic               last;

    hw_counter #(.N(RATIO)) u_part (
      .clk(clk), .rst(rst), .en(s_axis_tvalid && s_axis_tready), .count_o(part), .last_o(last)
    );

    // All parts but the last wait here; the last one passes straight through.
    for (genvar k = 0; k < RATIO - 1; k++) begin : gen_part
      logic [IN_W-1:0] part_q;
      always_ff @(posedge clk) begin
        if (s_axis_tvalid && part == RATIO_W'(k)) part_q <= s_axis_tdata;
      end
      assign m_axis_tdata[k*IN_W +: IN_W] = part_q;
    end

    assign m_axis_tdata[OUT_W-1 -: IN_W] = s_axis_tdata;
    assign m_axis_tvalid = s_axis_tvalid && last;
    assign s_axis_tready = m_axis_tready || !last;
  end

`ifndef SYNTHESIS
  hw_stream_check #(.DATA_W(OUT_W)) u_check (
    .clk(clk), .rst(rst),
    .tdata_i(m_axis_tdata), .tvalid_i(m_axis_tvalid), .tready_i(m_axis_tready)
  );
`endif

endmodule
