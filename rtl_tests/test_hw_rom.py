"""hw_rom: the words of the file, one enabled cycle after their address."""

import cocotb
import numpy as np
import pytest
from cocotb.triggers import Timer
from stimulus import corners
from streams import tick, words

from hwgen.num.pack import memory_lines


@cocotb.test()
async def reads_the_file_and_holds_while_disabled(dut):
    data = np.load("vectors.npz")
    expected = words(data["x"], int(data["lane_w"]))
    for addr, word in enumerate(expected):
        dut.en.value = 1
        dut.addr_i.value = addr
        await tick(dut)
        dut.en.value = 0
        dut.addr_i.value = 0
        await tick(dut)
        await Timer(1, "ns")
        assert int(dut.data_o.value) == word


@pytest.mark.parametrize(("depth", "lanes", "lane_w"), [(2, 1, 1), (13, 7, 3), (64, 40, 8)])
def test_hw_rom(simulate, depth, lanes, lane_w):
    x = corners((depth, lanes), lane_w, False, seed=14)
    simulate(
        "hw_rom",
        "test_hw_rom",
        memories={"rom.mem": memory_lines(x, lane_w)},
        vectors=dict(x=x, lane_w=lane_w),
        DATA_W=lanes * lane_w, DEPTH=depth, FILE="rom.mem",
    )  # fmt: skip
