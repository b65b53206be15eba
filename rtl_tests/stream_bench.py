"""cocotb tests that every stream module passes: exact, stalled, reset, full rate.

vectors.npz holds x (frames, beats, lanes) and y, the golden output; x_bits, y_bits; and from the
contract cycles_per_frame and latency (first cycle of input tvalid to first of output tvalid).  A
module with s0_axis and s1_axis has x0 and x1, one with m0_axis and m1_axis has y0 and y1.
"""

import random
from typing import NamedTuple

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from streams import Port, always, coin, drive, pauses, reset, words

PAUSES = ["never", "half", "bursty"]
SEEDS = 200


class Stream(NamedTuple):
    """The beats that one stream of the module carries."""

    port: str
    frames: np.ndarray  # (frames, beats, lanes)
    bits: int

    def end(self, dut, kind):
        """Return the end of cocotbext-axi at this stream."""
        bus = AxiStreamBus.from_prefix(dut, self.port)
        return kind(bus, dut.clk, dut.rst, byte_lanes=self.frames.shape[-1])

    def codes(self) -> np.ndarray:
        """Return (beats, lanes) as the lanes carry them."""
        return self.frames.reshape(-1, self.frames.shape[-1]) & ((1 << self.bits) - 1)

    def words(self, count: int, start: int = 0) -> list[int]:
        """Return the beats of ``count`` frames."""
        return words(self.frames[np.arange(start, start + count) % len(self.frames)], self.bits)


class Vectors:
    def __init__(self) -> None:
        data = np.load("vectors.npz")
        self.sources, self.sinks = (
            [
                Stream(f"{side}{k}_axis", data[f"{name}{k}"], int(data[f"{name}{k}_bits"]))
                for k in ("", 0, 1)
                if f"{name}{k}" in data
            ]
            for side, name in (("s", "x"), ("m", "y"))
        )
        self.cycles_per_frame, self.latency = int(data["cycles_per_frame"]), int(data["latency"])


class Run:
    """``count`` frames through the module, each stream with a stall pattern of its own."""

    def __init__(self, dut, vectors: Vectors, count: int, start: int = 0, choice=lambda: always):
        self.dut = dut
        self.sources = [Port(dut, s.port, choice(), s.words(count, start)) for s in vectors.sources]
        self.sinks = [Port(dut, s.port, choice()) for s in vectors.sinks]
        self.wanted = [s.words(count, start) for s in vectors.sinks]

    async def drive(self, limit: int = 100_000) -> None:
        await drive(self.dut, self.sources, self.sinks, len(self.wanted[0]), limit)

    def is_exact(self) -> bool:
        return [sink.beats for sink in self.sinks] == self.wanted


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=PAUSES, backpressure=PAUSES)
async def matches_golden(dut, idle, backpressure):
    rng = random.Random(f"{idle}{backpressure}")
    vectors = Vectors()
    clock = cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
    sources = [stream.end(dut, AxiStreamSource) for stream in vectors.sources]
    sinks = [stream.end(dut, AxiStreamSink) for stream in vectors.sinks]
    for end, name in (*((s, idle) for s in sources), *((s, backpressure) for s in sinks)):
        generator = pauses(name, rng)
        if generator is not None:
            end.set_pause_generator(generator)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0

    for source, stream in zip(sources, vectors.sources, strict=True):
        for beat in stream.codes():
            await source.send(AxiStreamFrame(beat.tolist()))
    for sink, stream in zip(sinks, vectors.sinks, strict=True):
        got: list[int] = []
        while len(got) < stream.frames.size:
            got += await sink.read()
        np.testing.assert_array_equal(got, stream.codes().ravel())
    await ClockCycles(dut.clk, 20)
    assert all(sink.empty() for sink in sinks)
    clock.cancel()


@cocotb.test()
async def is_exact_under_200_random_stall_patterns(dut):
    vectors = Vectors()
    for seed in range(SEEDS):
        rng = random.Random(seed)
        await reset(dut)
        run = Run(dut, vectors, 2, seed, lambda rng=rng: coin(rng, rng.random() + 0.05))
        await run.drive()
        assert run.is_exact(), f"stall seed {seed}"


@cocotb.test()
async def starts_a_fresh_frame_after_a_reset_in_mid_frame(dut):
    vectors = Vectors()
    for seed in range(20):
        rng = random.Random(seed)
        await reset(dut)
        cut = Run(dut, vectors, 2, seed, lambda rng=rng: coin(rng, 0.7))
        await cut.drive(limit=rng.randrange(1, 2 * vectors.cycles_per_frame + 2))
        await reset(dut)
        run = Run(dut, vectors, 2, seed)
        await run.drive()
        assert run.is_exact(), f"reset seed {seed}"


@cocotb.test()
async def runs_at_full_rate_without_bubbles(dut):
    vectors = Vectors()
    frames = 6
    await reset(dut)
    run = Run(dut, vectors, frames)
    await run.drive()
    assert run.is_exact()
    for sink in run.sinks:
        assert sink.at[0] == vectors.latency  # offered from cycle 0 on
        per_frame = np.reshape(sink.at, (frames, -1))
        steady = np.diff(per_frame[1:], axis=0)  # the first frame may wait for more input to arrive
        assert (steady == vectors.cycles_per_frame).all(), per_frame
