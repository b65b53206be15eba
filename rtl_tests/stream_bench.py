"""cocotb tests that every stream module passes: exact, stalled, reset, full rate.

vectors.npz holds x (frames, beats, lanes) and y, the golden output; x_bits, y_bits; and from the
contract cycles_per_frame and latency (first cycle of input tvalid to first of output tvalid).
"""

import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from streams import coin, drive, pauses, reset, words

PAUSES = ["never", "half", "bursty"]
SEEDS = 200


class Vectors:
    def __init__(self) -> None:
        data = np.load("vectors.npz")
        self.x, self.y = data["x"], data["y"]
        self.x_bits, self.y_bits = int(data["x_bits"]), int(data["y_bits"])
        self.cycles_per_frame, self.latency = int(data["cycles_per_frame"]), int(data["latency"])

    def frames(self, count: int, start: int = 0) -> tuple[list[int], list[int]]:
        """Return the beats of ``count`` frames in and out."""
        chosen = [k % len(self.x) for k in range(start, start + count)]
        return words(self.x[chosen], self.x_bits), words(self.y[chosen], self.y_bits)


@cocotb.test()
@cocotb.parametrize(idle=PAUSES, backpressure=PAUSES)
async def matches_golden(dut, idle, backpressure):
    rng = random.Random(f"{idle}{backpressure}")
    vectors = Vectors()
    x_mask, y_mask = (1 << vectors.x_bits) - 1, (1 << vectors.y_bits) - 1
    clock = cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
    source = AxiStreamSource(
        AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst, byte_lanes=vectors.x.shape[-1]
    )
    sink = AxiStreamSink(
        AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst, byte_lanes=vectors.y.shape[-1]
    )
    for end, name in ((source, idle), (sink, backpressure)):
        generator = pauses(name, rng)
        if generator is not None:
            end.set_pause_generator(generator)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0

    for beat in vectors.x.reshape(-1, vectors.x.shape[-1]):
        await source.send(AxiStreamFrame([int(v) & x_mask for v in beat]))
    got: list[int] = []
    while len(got) < vectors.y.size:
        got += await sink.read()
    np.testing.assert_array_equal(got, vectors.y.ravel() & y_mask)
    await ClockCycles(dut.clk, 20)
    assert sink.empty()
    clock.cancel()


@cocotb.test()
async def is_exact_under_200_random_stall_patterns(dut):
    vectors = Vectors()
    for seed in range(SEEDS):
        rng = random.Random(seed)
        x, y = vectors.frames(2, start=seed)
        await reset(dut)
        offer, accept = coin(rng, rng.random() + 0.05), coin(rng, rng.random() + 0.05)
        trace = await drive(dut, x, len(y), offer, accept)
        assert trace.beats == y, f"stall seed {seed}"


@cocotb.test()
async def starts_a_fresh_frame_after_a_reset_in_mid_frame(dut):
    vectors = Vectors()
    for seed in range(20):
        rng = random.Random(seed)
        x, y = vectors.frames(2, start=seed)
        await reset(dut)
        cut = rng.randrange(1, len(x) + 1)
        await drive(dut, x[:cut], 0, coin(rng, 0.7), coin(rng, 0.5))
        await reset(dut)
        trace = await drive(dut, x, len(y))
        assert trace.beats == y, f"reset seed {seed}"


@cocotb.test()
async def runs_at_full_rate_without_bubbles(dut):
    vectors = Vectors()
    frames = 6
    x, y = vectors.frames(frames)
    await reset(dut)
    trace = await drive(dut, x, len(y))
    assert trace.beats == y
    assert trace.received_at[0] == vectors.latency  # offered from cycle 0 on
    per_frame = np.reshape(trace.received_at, (frames, -1))
    steady = np.diff(per_frame[1:], axis=0)  # the first frame may wait for more input to arrive
    assert (steady == vectors.cycles_per_frame).all(), per_frame
