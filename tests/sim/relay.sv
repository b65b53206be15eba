// A register stage that misbehaves on command: byte 0 of a beat tells what happens to it.

module relay (
  input  logic        clk,
  input  logic        rst,
  input  logic [23:0] s_axis_tdata,
  input  logic        s_axis_tvalid,
  output logic        s_axis_tready,
  input  logic        s_axis_tlast,
  output logic [23:0] m_axis_tdata,
  output logic        m_axis_tvalid,
  input  logic        m_axis_tready,
  output logic        m_axis_tlast
);

  localparam logic [7:0] BLOCK = 8'hB0, WRONG_LAST = 8'hB1, REPEAT = 8'hB2, FAIL = 8'hB3;

  logic        middle_tvalid, middle_tready, last, repeated_q;
  logic [23:0] middle_tdata;

  hw_axis_register #(.DATA_W(25)) u_register (
    .clk(clk), .rst(rst),
    .s_axis_tdata({s_axis_tlast, s_axis_tdata}),
    .s_axis_tvalid(s_axis_tvalid && s_axis_tdata[7:0] != BLOCK),
    .s_axis_tready(middle_tready),
    .m_axis_tdata({last, m_axis_tdata}), .m_axis_tvalid(middle_tvalid),
    .m_axis_tready(m_axis_tready && (repeated_q || m_axis_tdata[7:0] != REPEAT))
  );

  assign s_axis_tready = middle_tready && s_axis_tdata[7:0] != BLOCK;
  assign m_axis_tvalid = middle_tvalid;
  assign middle_tdata  = m_axis_tdata;
  assign m_axis_tlast  = last ^ (m_axis_tdata[7:0] == WRONG_LAST);

  always_ff @(posedge clk) begin
    repeated_q <= m_axis_tvalid && m_axis_tready && !repeated_q && m_axis_tdata[7:0] == REPEAT;
    if (!rst && middle_tvalid) begin
      a_never: assert (middle_tdata[7:0] != FAIL) else $error("relay: told to fail");
    end
  end

endmodule
