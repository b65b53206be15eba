import pytest

from hwgen.errors import ToolFailed
from hwgen.synth.cells import Resources, count


def test_counts_every_instance_of_a_module_inside_a_module():
    cells = {
        "top": {"layer": 2, "LUT6": 1},
        "layer": {"dot": 3, "FDRE": 4, "RAMB18E1": 1},
        "dot": {"LUT2": 5, "CARRY4": 1, "INV": 9, "MUXF7": 9},
    }
    assert count(cells, "top") == Resources(lut=31, ff=8, carry=6, bram36=1)


def test_a_memory_lut_is_not_a_logic_lut():
    assert count({"m": {"RAM64M": 2, "SRL16E": 1, "LUT3": 1}}, "m") == Resources(lut=1, lutram=9)


def test_a_carry_cell_of_an_ecp5_is_two_luts():
    cells = {"m": {"LUT4": 3, "CCU2C": 2, "PFUMX": 1, "DP16KD": 3, "MULT18X18D": 1}}
    assert count(cells, "m") == Resources(lut=7, carry=2, bram36=1.5, dsp=1)


def test_a_cell_that_is_no_part_of_the_device_is_an_error():
    with pytest.raises(ToolFailed, match=r"^m: Yosys left 2 cells of type \$mem_v2, which are no"):
        count({"m": {"$mem_v2": 2}}, "m")
