"""What is proved: every stream module at small parameters, one fold and several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hwgen.graph.execute import execute, windows
from hwgen.graph.ir import Tensor, Upsample, Window
from hwgen.graph.windows import window_rows
from hwgen.num.inttype import IntArray
from hwgen.num.pack import (
    dense_weight_lines,
    depthwise_weight_lines,
    requant_lines,
    table_files,
    threshold_files,
)

Parameters = dict[str, int | str]


@dataclass(frozen=True)
class Case:
    """A module, the harness around it, its parameters, and the bounds that hold for them.

    inside    most frames accepted and not yet handed on
    wait_in   most cycles that an offered beat waits while the sink takes what it is offered
    wait_out  most cycles without an output beat while a frame is inside
    """

    module: str
    harness: str
    parameters: Parameters
    inside: int
    wait_in: int
    wait_out: int
    contents: Parameters = field(default_factory=dict)  # weights and what else the harness needs
    memories: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())


def cases() -> Iterator[Case]:
    """Yield every case, each module in turn."""
    yield from _relays()
    yield from _denses()
    yield from _joins()
    yield from _windows()
    yield from _upsamples()
    yield from _depthwises()
    yield from _maxpools()
    yield from _tables()
    yield from _thresholds()
    yield from _requants()
    yield from _argmaxes()


def _relays() -> Iterator[Case]:
    relay = "formal_relay"
    yield Case("hw_axis_register", relay, dict(LANE_W=2), inside=2, wait_in=1, wait_out=0)
    for depth in (1, 3, 4, 5):
        given: Parameters = dict(LANE_W=2, DEPTH=depth)
        yield Case("hw_fifo", relay, given, max(depth, 2), 1, 0, dict(KIND=1))
    for lanes_in, lanes_out in ((1, 1), (2, 1), (3, 1), (4, 2), (1, 2), (1, 3), (2, 4)):
        given = dict(LANE_W=1, IN_LANES=lanes_in, OUT_LANES=lanes_out)
        wait_in = max(lanes_in // lanes_out, 1) - 1
        yield Case("hw_width", relay, given, 0, wait_in, 0, dict(KIND=2))

    yield Case("hw_fork", "formal_fork", dict(DATA_W=2), inside=0, wait_in=0, wait_out=0)


def _joins() -> Iterator[Case]:
    for pe, g0, g1, signs in ((1, 1, 1, (0, 0)), (2, 2, -3, (1, 0)), (1, -1, 2, (0, 1))):
        given: Parameters = dict(PE=pe, G0=g0, G1=g1, SIGNED0=signs[0], SIGNED1=signs[1])
        yield Case("hw_add", "formal_join", given, inside=1, wait_in=0, wait_out=0)
    for pe, beats0, beats1, signs in ((2, 1, 1, (1, 0)), (1, 2, 1, (0, 1)), (1, 1, 3, (1, 1))):
        given = dict(PE=pe, BEATS0=beats0, BEATS1=beats1, SIGNED0=signs[0], SIGNED1=signs[1])
        yield Case("hw_concat", "formal_join", given, 1, 0, 0, dict(CONCAT=1))


def _denses() -> Iterator[Case]:
    rng = np.random.default_rng(3)
    shapes = (  # in_n, out_n, simd, pe, arith
        (1, 1, 1, 1, 0),
        (2, 2, 2, 2, 0),
        (2, 1, 1, 1, 0),
        (1, 2, 1, 1, 0),
        (2, 2, 1, 1, 1),
        (3, 3, 1, 1, 2),
        (4, 4, 2, 2, 0),
    )
    for column in (False, True):
        for in_n, out_n, simd, pe, arith in shapes:
            w_w = 1 if arith == 2 else 2
            weights = rng.integers(-(2 ** (w_w - 1)), 2 ** (w_w - 1), (out_n, in_n))
            sf, nf = in_n // simd, out_n // pe
            order = "column" if column else "row"
            yield Case(
                "hw_dense_col" if column else "hw_dense",
                "formal_dense",
                dict(IN_N=in_n, OUT_N=out_n, SIMD=simd, PE=pe, ARITH=arith),
                inside=_inside(2, sf * nf if column else sf),
                wait_in=nf - 1 if column else sf * (nf - 1),
                wait_out=int(nf == 1) if column else max(sf - 1, 1),
                contents=dict(COL=int(column), W_W=w_w, W=vector(weights, w_w), W_FILE="w.mem"),
                memories={"w.mem": dense_weight_lines(weights, simd, pe, w_w, order)},
            )


def _windows() -> Iterator[Case]:
    none, full = ((0, 0), (0, 0)), 0
    geometries = (
        # space, channels, simd, kernel, stride, dilation, pads; rows of the ring, or full rate's;
        # inside, wait_in, wait_out
        ((1, 1), 1, 1, (1, 1), (1, 1), (1, 1), none, full, 3, 1, 1),
        ((2, 2), 1, 1, (1, 2), (1, 1), (1, 1), ((0, 0), (0, 1)), full, 2, 4, 1),
        ((3, 1), 1, 1, (2, 1), (1, 1), (1, 1), ((1, 0), (0, 0)), full, 2, 4, 1),
        ((3, 1), 1, 1, (2, 1), (1, 1), (1, 1), none, 2, 1, 2, 1),
        ((3, 1), 1, 1, (2, 1), (1, 1), (2, 1), ((0, 1), (0, 0)), full, 3, 2, 1),
        ((4, 1), 1, 1, (1, 1), (3, 1), (1, 1), none, full, 2, 1, 1),
        ((2, 1), 2, 1, (1, 1), (1, 1), (1, 1), none, full, 2, 2, 1),
        ((2, 2), 2, 2, (2, 2), (1, 1), (1, 1), none, full, 3, 4, 1),
        ((1, 3), 1, 1, (1, 2), (1, 2), (1, 1), ((0, 0), (1, 0)), full, 3, 4, 1),
    )
    for space, channels, simd, kernel, stride, dilation, pads, rows, *bounds in geometries:
        in_n = space[0] * space[1] * channels
        layer = Window("w", "x", "y", kernel, stride, dilation, pads, pad=in_n)
        source = windows(layer, np.arange(in_n).reshape(1, *space, channels))
        inside, wait_in, wait_out = bounds
        yield Case(
            "hw_window",
            "formal_window",
            dict(
                IN_H=space[0], IN_W=space[1], CHANNELS=channels, SIMD=simd, KH=kernel[0],
                KW=kernel[1], SH=stride[0], SW=stride[1], DH=dilation[0], DW=dilation[1],
                PT=pads[0][0], PB=pads[0][1], PL=pads[1][0], PR=pads[1][1],
                ROWS=rows or window_rows(layer, space[0]),
            ),
            inside,
            wait_in,
            wait_out,
            dict(PAD=1, OUT_N=source.size, SOURCE=vector(source, in_n.bit_length())),
        )  # fmt: skip


def _upsamples() -> Iterator[Case]:
    geometries = (  # space, factor, output space, channels, pe, apart; inside, wait_in, wait_out
        ((1, 1), (1, 1), (1, 1), 1, 1, False, 3, 1, 1),
        ((2, 1), (2, 1), (3, 1), 1, 1, False, 2, 2, 1),
        ((1, 2), (2, 2), (2, 3), 1, 1, False, 3, 6, 1),
        ((2, 1), (2, 1), (4, 1), 4, 2, False, 2, 4, 1),
        ((2, 1), (2, 1), (3, 1), 1, 1, True, 1, 1, 0),
        ((2, 2), (2, 2), (4, 3), 2, 2, True, 1, 3, 0),
        ((1, 2), (1, 3), (1, 5), 2, 1, True, 1, 4, 0),
    )
    for space, factor, out_space, channels, pe, apart, *bounds in geometries:
        in_n = space[0] * space[1] * channels
        about = Tensor("x", channels, 0, in_n, np.ones(1), np.zeros(1), space=space)
        layer = Upsample("u", "x", "y", factor, out_space, in_n if apart else None)
        source = execute(layer, np.arange(in_n)[None], about)
        inside, wait_in, wait_out = bounds
        yield Case(
            "hw_upsample",
            "formal_upsample",
            dict(
                IN_H=space[0], IN_W=space[1], FY=factor[0], FX=factor[1], OUT_H=out_space[0],
                OUT_W=out_space[1], CF=channels // pe, PE=pe, STUFF=int(apart),
            ),
            inside,
            wait_in,
            wait_out,
            dict(FILL=1, SOURCE=vector(source, in_n.bit_length())),
        )  # fmt: skip


def _depthwises() -> Iterator[Case]:
    rng = np.random.default_rng(4)
    for channels, taps, pe in ((1, 1, 1), (2, 2, 2), (2, 1, 1), (1, 3, 1), (2, 2, 1)):
        weights = rng.integers(-2, 2, (channels, taps))
        yield Case(
            "hw_depthwise",
            "formal_depthwise",
            dict(CHANNELS=channels, TAPS=taps, PE=pe),
            inside=_inside(2, taps * channels // pe),
            wait_in=0,
            wait_out=1,
            contents=dict(W=vector(weights, 2), W_FILE="w.mem"),
            memories={"w.mem": depthwise_weight_lines(weights, pe, 2)},
        )


def _maxpools() -> Iterator[Case]:
    for channels, taps, pe, signed in ((1, 1, 1, 0), (2, 2, 2, 1), (2, 1, 1, 0), (1, 3, 1, 1),
                                       (2, 2, 1, 0)):  # fmt: skip
        yield Case(
            "hw_maxpool",
            "formal_maxpool",
            dict(CHANNELS=channels, TAPS=taps, PE=pe, X_SIGNED=signed),
            inside=_inside(1, taps * channels // pe),
            wait_in=0,
            wait_out=0,
        )


def _tables() -> Iterator[Case]:
    rng = np.random.default_rng(5)
    for channels, pe, shared in ((1, 1, 1), (2, 1, 1), (2, 2, 0), (2, 1, 0), (3, 1, 0)):
        table = rng.integers(0, 4, (1 if shared else channels, 4))
        every = np.broadcast_to(table, (channels, 4))
        yield Case(
            "hw_table",
            "formal_table",
            dict(CHANNELS=channels, PE=pe, SHARED=shared),
            inside=1,
            wait_in=0,
            wait_out=0,
            contents=dict(TABLE=vector(every, 2), T_FILE="t"),
            memories=table_files("t", table, pe, 2),
        )


def _thresholds() -> Iterator[Case]:
    x_w = 3
    for channels, pe, levels, base in ((1, 1, 1, 0), (2, 2, 3, 0), (2, 1, 3, -2), (3, 1, 1, 0)):
        stages = levels.bit_length()
        thresholds = np.arange(channels)[:, None] + 2 * np.arange(levels) - 3  # no two rows alike
        yield Case(
            "hw_threshold",
            "formal_threshold",
            dict(CHANNELS=channels, PE=pe, X_W=x_w, LEVELS=levels, BASE=base),
            inside=_inside(stages + 1, channels // pe),
            wait_in=0,
            wait_out=stages,
            contents=dict(T=vector(thresholds, x_w + 1), T_FILE="t"),
            memories=threshold_files("t", thresholds, pe, x_w + 1),
        )


def _requants() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    shapes = (  # channels, pe, unit_m, shift, rounding, overflow
        (1, 1, 0, 1, 1, 0),
        (2, 2, 0, 2, 3, 0),
        (3, 1, 1, 1, 2, 1),
        (2, 1, 1, 0, 0, 2),
        (2, 1, 0, 1, 4, 0),
    )
    for channels, pe, unit, shift, rounding, overflow in shapes:
        m, b = rng.integers(-2, 2, channels), rng.permutation(np.arange(-4, 4))[:channels]
        stages = 3 if unit else 4
        yield Case(
            "hw_requant",
            "formal_requant",
            dict(
                CHANNELS=channels, PE=pe, UNIT_M=unit, SHIFT=shift, ROUNDING=rounding,
                OVERFLOW=overflow,
            ),
            inside=_inside(stages, channels // pe),
            wait_in=0,
            wait_out=stages - 1,
            contents=dict(M=vector(m, 2), B=vector(b, 3), P_FILE="p.mem"),
            memories={"p.mem": requant_lines(m, b, pe, 2, 3)},
        )  # fmt: skip


def _argmaxes() -> Iterator[Case]:
    for n, pe in ((1, 1), (2, 1), (3, 1), (3, 3), (4, 2)):
        given: Parameters = dict(N=n, PE=pe, X_W=2)
        yield Case("hw_argmax", "formal_argmax", given, _inside(2, n // pe), 0, 1)


def _inside(stages: int, cycles: int) -> int:
    """Return how many frames, accepted over ``cycles`` each, can be whole in a pipeline."""
    return 1 + (stages - 1) // cycles


def vector(values: IntArray, bits: int) -> str:
    """Return a Verilog constant that holds ``values``, the first one in the lowest bits."""
    fields = [f"{int(value) % 2**bits:0{bits}b}" for value in values.ravel()]
    return f"{values.size * bits}'b{''.join(reversed(fields))}"
