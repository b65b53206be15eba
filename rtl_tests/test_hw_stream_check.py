"""hw_stream_check: silent on a legal stream, fails on one that moves while it waits."""

import os

import cocotb
import pytest
from streams import tick

LEGAL = [(1, 5, 0), (1, 5, 1), (1, 6, 1), (0, 9, 0), (1, 7, 0), (1, 7, 0), (1, 7, 1)]
STREAMS = {  # tvalid, tdata, tready
    "legal": LEGAL,
    "data_changes": [*LEGAL, (1, 3, 0), (1, 4, 1)],
    "valid_drops": [*LEGAL, (1, 3, 0), (0, 3, 1)],
}


@cocotb.test()
async def observes(dut):
    dut.rst.value = 1
    dut.tvalid_i.value = 0
    await tick(dut)
    dut.rst.value = 0
    for tvalid, tdata, tready in [*STREAMS[os.environ["STREAM"]], (0, 0, 0)]:
        dut.tvalid_i.value = tvalid
        dut.tdata_i.value = tdata
        dut.tready_i.value = tready
        await tick(dut)


def test_hw_stream_check(simulate, monkeypatch):
    monkeypatch.setenv("STREAM", "legal")
    simulate("hw_stream_check", "test_hw_stream_check", DATA_W=4)


@pytest.mark.parametrize("stream", ["data_changes", "valid_drops"])
def test_a_broken_stream_fails(simulate, monkeypatch, stream):
    monkeypatch.setenv("STREAM", stream)
    with pytest.raises((SystemExit, RuntimeError)):
        simulate("hw_stream_check", "test_hw_stream_check", DATA_W=4)
