import importlib.util
import json
import random
import re
import subprocess
import sys

import pytest

from hwgen.errors import FoldError, HwgenError, ToolFailed, ToolNotFound
from hwgen.synth import Resources, synthesise

ADDER = """
module adder (input logic clk, input logic [15:0] a_i, b_i, output logic [15:0] sum_o);
  always_ff @(posedge clk) sum_o <= a_i + b_i;
endmodule
module top (
  input logic clk, input logic [15:0] a_i, b_i, c_i, output logic [15:0] x_o, y_o
);
  adder u_left (.clk(clk), .a_i(a_i), .b_i(b_i), .sum_o(x_o));
  adder u_right (.clk(clk), .a_i(x_o), .b_i(c_i), .sum_o(y_o));
endmodule
"""
ROM = """
module top (input logic clk, input logic [ADDR_W-1:0] addr_i, output logic [W-1:0] data_o);
  localparam int unsigned W = {bits};
  localparam int unsigned ADDR_W = $clog2({words});
  hw_rom #(.DATA_W(W), .DEPTH({words}), .FILE("w.mem")) u_weights (
    .clk(clk), .en(1'b1), .addr_i(addr_i), .data_o(data_o)
  );
endmodule
"""
PRODUCTS = """
module multiplier (input logic [15:0] a_i, b_i, output logic [31:0] y_o);
  assign y_o = a_i * b_i;
endmodule
module top (
  input logic [31:0] x_i, input logic [15:0] w_i, output logic [14:0] sum_o, output logic [31:0] y_o
);
  hw_dot #(.SIMD(4), .X_W(8), .W_W(4)) u_dot (.x_i(x_i), .w_i(w_i), .xsum_i('0), .sum_o(sum_o));
  multiplier u_wide (.a_i(x_i[15:0]), .b_i(w_i), .y_o(y_o));
endmodule
"""
FIFO = """
module top (
  input  logic       clk, rst,
  input  logic [5:0] s_axis_tdata,
  input  logic       s_axis_tvalid,
  output logic       s_axis_tready,
  output logic [5:0] m_axis_tdata,
  output logic       m_axis_tvalid,
  input  logic       m_axis_tready
);
  hw_fifo #(.DATA_W(6), .DEPTH(32)) u_fifo (
    .clk(clk), .rst(rst),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );
endmodule
"""


@pytest.fixture
def rom(write_design):
    """Return ``write(words, bits)``: a design with a ROM of random words, and the words."""

    def write(words, bits):
        folder = write_design(ROM.format(words=words, bits=bits))
        rng = random.Random(0)
        content = [rng.getrandbits(bits) for _ in range(words)]
        (folder / "w.mem").write_text("".join(f"{word:x}\n" for word in content))
        return folder, content

    return write


def test_a_registered_adder_is_a_lut_and_a_flip_flop_per_bit(write_design, tmp_path):
    report = synthesise(write_design(ADDER), "top", out=tmp_path)
    adder = Resources(lut=16, ff=16, carry=4)
    assert [(m.name, m.module, m.resources) for m in report.modules] == [
        ("left", "adder", adder),
        ("right", "adder", adder),
        ("top", "top", Resources()),
    ]
    assert report.total == adder * 2


def test_the_same_adder_on_an_ecp5(write_design, tmp_path):
    report = synthesise(write_design(ADDER), "top", part="ecp5-25k", out=tmp_path)
    assert report.total == Resources(lut=32, ff=32, carry=16)


def test_the_weights_of_a_layer_become_block_ram(rom, tmp_path):
    folder, _ = rom(392, 960)  # 490 x 256 weights of 3 bits at SIMD 10, PE 32
    report = synthesise(folder, "top", out=tmp_path)
    assert report.total == Resources(bram36=13.5)  # 27 halves of 512 x 36


def test_a_half_block_ram_counts_one_half_and_holds_the_image(rom, tmp_path):
    folder, content = rom(512, 36)
    assert synthesise(folder, "top", out=tmp_path).total == Resources(bram36=0.5)
    assert initial_ones(folder) == sum(word.bit_count() for word in content)


def test_a_fifo_keeps_its_words_in_lutram(write_design, tmp_path):
    total = synthesise(write_design(FIFO), "top", out=tmp_path).total
    assert (total.lutram, total.bram36) == (4, 0)  # one RAM32M


def test_the_products_of_a_layer_take_luts_and_a_wide_one_a_dsp(write_design, tmp_path):
    report = synthesise(write_design(PRODUCTS), "top", out=tmp_path)
    dot, wide, _ = (m.resources for m in report.modules)
    assert dot.dsp == 0
    assert 100 < dot.lut < 400  # 4 products of 9 x 4 bits and their sum
    assert (wide.dsp, wide.lut) == (1, 0)


def test_writes_synth_json(write_design, tmp_path):
    report = synthesise(write_design(ADDER), "top", out=tmp_path / "build")
    written = json.loads((tmp_path / "build" / "synth.json").read_text())
    assert written == report.to_json()
    assert list(written) == [
        "part", "lut", "lutram", "ff", "carry", "bram36", "dsp", "fmax_mhz", "budget", "modules",
        "tools", "seconds",
    ]  # fmt: skip
    assert written["part"] == "xc7a100t"
    assert written["budget"] == {"lut": 63400, "ff": 126800, "bram36": 135, "dsp": 240}
    assert written["modules"][0] == {
        "name": "left", "module": "adder",
        "lut": 16, "lutram": 0, "ff": 16, "carry": 4, "bram36": 0.0, "dsp": 0,
    }  # fmt: skip
    assert written["tools"]["yosys"].startswith("Yosys 0.")


def test_broken_verilog_is_reported_with_the_words_of_yosys(write_design, tmp_path):
    folder = write_design("module top (input logic clk);\n  assign = 1;\nendmodule\n")
    with pytest.raises(ToolFailed, match=r"Yosys ended with code 1 on .*top\.sv:2: ERROR: syntax"):
        synthesise(folder, "top", out=tmp_path)


def test_a_missing_memory_image_is_an_error(rom, tmp_path):
    folder, _ = rom(512, 36)
    (folder / "w.mem").unlink()
    with pytest.raises(ToolFailed, match=r"Can not open file `w\.mem`"):
        synthesise(folder, "top", out=tmp_path)


def test_a_typing_error_that_verilog_makes_a_wire_of_is_an_error(write_design, tmp_path):
    folder = write_design("module top (output logic y_o);\n  assign y_o = oen_bit;\nendmodule\n")
    with pytest.raises(ToolFailed, match="implicitly declared"):
        synthesise(folder, "top", out=tmp_path)


def test_an_unknown_part_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(FoldError, match="part 'xc7z999' is not known"):
        synthesise(tmp_path, "top", part="xc7z999", out=tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_no_rtl_says_which_command_writes_it(tmp_path):
    with pytest.raises(HwgenError, match="no SystemVerilog files to synthesise; run hwgen build"):
        synthesise(tmp_path, "top", out=tmp_path)


def test_names_the_command_that_installs_yosys(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match=r"pyosys .* pip install pyosys"):
        synthesise(tmp_path, "top", out=tmp_path)


def initial_ones(folder):
    """Return how many bits of the block RAMs in ``folder``'s netlist start as 1."""
    script = """
from pathlib import Path
from pyosys import libyosys as ys
design = ys.Design()
sources = " ".join(p.name for p in Path().glob("*.sv"))
for command in (f"read_verilog -sv -defer {sources}", "synth_xilinx -flatten -noiopad -top top",
                "write_json netlist.json"):
    ys.run_pass(command, design)
"""
    subprocess.run(
        [sys.executable, "-c", script], cwd=folder, stdout=subprocess.DEVNULL, check=True
    )
    cells = json.loads((folder / "netlist.json").read_text())["modules"]["top"]["cells"].values()
    return sum(
        str(value).count("1")
        for cell in cells
        for name, value in cell["parameters"].items()
        if re.match(r"INITP?_[0-9A-F]{2}$", name)
    )
