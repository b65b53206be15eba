"""hw_fifo and hw_axis_register: beats in order, the promised capacity, a registered ready."""

import os

import cocotb
import pytest
from cocotb.triggers import Timer
from stimulus import corners
from streams import Port, drive, reset

DEPTHS = [1, 2, 3, 4, 13, 32]


@cocotb.test()
async def holds_exactly_its_capacity(dut):
    await reset(dut)
    capacity = int(os.environ["CAPACITY"])
    source = Port(dut, "s_axis", beats=range(1, capacity + 4))
    sink = Port(dut, "m_axis", may=lambda: False)
    await drive(dut, [source], [sink], count=1, limit=capacity + 20)
    assert source.at == list(range(capacity))


@cocotb.test()
async def ready_does_not_depend_on_the_other_side(dut):
    await reset(dut)
    for valid in (0, 1):
        seen = set()
        for ready in (0, 1):
            dut.s_axis_tvalid.value = valid
            dut.m_axis_tready.value = ready
            await Timer(1, "ns")
            seen.add((int(dut.s_axis_tready.value), int(dut.m_axis_tvalid.value)))
        assert seen == {(1, 0)}


def check(simulate, monkeypatch, top, capacity, data_w, **parameters):
    monkeypatch.setenv("CAPACITY", str(capacity))
    x = corners((40, 2, 1), data_w, False, seed=10)
    simulate(
        top,
        "stream_bench,test_hw_fifo",
        vectors=dict(x=x, y=x, x_bits=data_w, y_bits=data_w, cycles_per_frame=2, latency=1),
        DATA_W=data_w,
        **parameters,
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_hw_fifo(simulate, monkeypatch, depth):
    check(simulate, monkeypatch, "hw_fifo", max(depth, 2), 9, DEPTH=depth)


@pytest.mark.parametrize("data_w", [8, 62])
def test_hw_axis_register(simulate, monkeypatch, data_w):
    check(simulate, monkeypatch, "hw_axis_register", 2, data_w)
