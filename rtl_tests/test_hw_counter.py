"""hw_counter: counts enabled cycles modulo N."""

import os
import random

import cocotb
import pytest
from streams import tick


@cocotb.test()
async def counts_enabled_cycles_modulo_n(dut):
    n = int(os.environ["N"])
    rng = random.Random(n)
    expected = 0
    dut.rst.value = 1
    dut.en.value = 1
    await tick(dut)
    dut.rst.value = 0
    for _ in range(200):
        dut.en.value = rng.random() < 0.6
        assert (int(dut.count_o.value), int(dut.last_o.value)) == (expected, expected == n - 1)
        await tick(dut)
        expected = (expected + int(dut.en.value)) % n


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_hw_counter(simulate, monkeypatch, n):
    monkeypatch.setenv("N", str(n))
    simulate("hw_counter", "test_hw_counter", N=n)
