"""hw_fork: every beat to both sinks, and no sink waits for the other to be ready."""

import cocotb
import pytest
from cocotb.triggers import Timer
from stimulus import corners
from streams import Port, drive, reset


@cocotb.test()
async def one_sink_does_not_wait_for_the_other(dut):
    for k in (0, 1):
        await reset(dut)
        source = Port(dut, "s_axis", beats=[1])
        taker = Port(dut, f"m{k}_axis")
        sleeper = Port(dut, f"m{1 - k}_axis", may=lambda: False)
        await drive(dut, [source], [taker, sleeper], count=1, limit=5)
        assert (taker.at, sleeper.at, source.at) == ([0], [], [])
        assert sleeper.tvalid.value == 1
        assert taker.tvalid.value == 0


@cocotb.test()
async def valid_does_not_depend_on_ready(dut):
    await reset(dut)
    dut.s_axis_tvalid.value = 1
    for ready in range(4):
        dut.m0_axis_tready.value = ready & 1
        dut.m1_axis_tready.value = ready >> 1
        await Timer(1, "ns")
        assert (int(dut.m0_axis_tvalid.value), int(dut.m1_axis_tvalid.value)) == (1, 1)


@pytest.mark.parametrize("data_w", [1, 9, 62])
def test_hw_fork(simulate, data_w):
    x = corners((40, 2, 1), data_w, False, seed=10)
    simulate(
        "hw_fork",
        "stream_bench,test_hw_fork",
        vectors=dict(
            x=x, y0=x, y1=x, x_bits=data_w, y0_bits=data_w, y1_bits=data_w, cycles_per_frame=2,
            latency=0,
        ),
        DATA_W=data_w,
    )  # fmt: skip
