"""Every module of the RTL library at its parameter corners, with the memory images it reads."""

from collections.abc import Iterator

import numpy as np

from hwgen.num.pack import memory_lines

Parameters = dict[str, int | str]

CORNERS: dict[str, list[Parameters]] = {
    "hw_adder_tree": [dict(N=1), dict(N=5, IN_W=3, SIGNED=0), dict(N=32, IN_W=12)],
    "hw_accumulator": [dict(PE=1, DEPTH=1), dict(PE=3, DEPTH=5, X_W=4, Y_SIGNED=0)],
    "hw_counter": [dict(N=1), dict(N=2), dict(N=7)],
    "hw_rom": [dict(DEPTH=1), dict(DEPTH=13, DATA_W=5), dict(DEPTH=64, DATA_W=100)],
    "hw_stream_check": [dict(DATA_W=1), dict(DATA_W=70)],
    "hw_dot": [
        dict(SIMD=1),
        dict(SIMD=5, X_W=8, X_SIGNED=1, W_W=1, ARITH=1),
        dict(SIMD=1, X_W=1, W_W=1, ARITH=2),
        dict(SIMD=24, X_W=1, W_W=1, ARITH=2),
    ],
    "hw_axis_register": [dict(DATA_W=1), dict(DATA_W=70)],
    "hw_fifo": [dict(DEPTH=1), dict(DEPTH=3), dict(DEPTH=16, DATA_W=70)],
    "hw_width": [
        dict(IN_LANES=1, OUT_LANES=1),
        dict(IN_LANES=7, OUT_LANES=1, LANE_W=3),
        dict(IN_LANES=2, OUT_LANES=10),
    ],
    "hw_fork": [dict(DATA_W=1), dict(DATA_W=70)],
    "hw_add": [
        dict(PE=1, X0_W=1, X1_W=1, Y_W=2),
        dict(PE=3, X0_W=8, X0_SIGNED=1, X1_W=2, G0=-7, G1=100, Y_W=11),
        dict(PE=1, X0_W=20, X1_W=20, X1_SIGNED=1, G0=-1, G1=70000, Y_W=38),
    ],
    "hw_concat": [
        dict(PE=1, BEATS0=1, BEATS1=1, X0_W=1, X1_W=1, Y_W=1),
        dict(PE=3, BEATS0=5, BEATS1=3, X0_W=2, X1_W=3, X1_SIGNED=1, Y_W=4),
        dict(PE=2, BEATS0=1, BEATS1=7, X0_SIGNED=1),
    ],
    "hw_threshold": [
        dict(CHANNELS=1, PE=1, X_W=4, T_W=4, Y_W=1, LEVELS=1),
        dict(CHANNELS=6, PE=3, X_SIGNED=0, BASE=-8),
        dict(CHANNELS=24, PE=12, X_W=12, T_W=13, Y_W=3, LEVELS=7),
    ],
    "hw_requant": [
        dict(CHANNELS=1, PE=1, SHIFT=0),
        dict(CHANNELS=3, PE=3, UNIT_M=1, M_W=2, X_SIGNED=0, SHIFT=1),
        dict(CHANNELS=6, PE=2, M_W=1, ROUNDING=0, LO=0, HI=15, Y_W=4),
        dict(CHANNELS=2, PE=1, ROUNDING=2, OVERFLOW=1, LO=0, HI=15, Y_W=4),
        dict(CHANNELS=2, PE=1, ROUNDING=3, OVERFLOW=2, SHIFT=3),
        dict(CHANNELS=2, PE=1, ROUNDING=4, X_W=4, M_W=3, B_W=3, SHIFT=40),
        dict(CHANNELS=6, PE=2, X_W=4, M_W=3, B_W=3, SHIFT=40),
    ],
    "hw_argmax": [
        dict(N=1, PE=1, Y_W=1),
        dict(N=5, PE=5, Y_W=3, X_SIGNED=0),
        dict(N=30, PE=15, Y_W=5),
    ],
}
CORNERS["hw_window"] = [
    dict(IN_H=1, IN_W=1, CHANNELS=1, SIMD=1, X_W=1, Y_W=1, KH=1, KW=1, PT=0, PB=0, PL=0, PR=0,
         ROWS=2),
    dict(IN_H=8, IN_W=1, CHANNELS=6, SIMD=3, X_W=4, X_SIGNED=1, Y_W=5, PAD=9, KH=3, KW=1, DH=2,
         PT=4, PB=0, PL=0, PR=0, ROWS=6),
    dict(IN_H=7, IN_W=6, CHANNELS=2, SIMD=1, KH=2, KW=2, SH=3, SW=2, PT=0, PB=1, PL=1, PR=0,
         ROWS=5),
]  # fmt: skip
_OF_WALK = ("IN_H", "IN_W", "KH", "KW", "SH", "SW", "DH", "DW", "PT", "PB", "PL", "PR", "ROWS")
CORNERS["hw_window_walk"] = [
    {name: value for name, value in p.items() if name in _OF_WALK} | {"CF": 2}
    for p in CORNERS["hw_window"]
]
CORNERS["hw_upsample"] = [
    {**p, "STUFF": stuff, "FILL": fill}
    for stuff, fill in ((0, 0), (1, -5))
    for p in (
        dict(IN_H=1, IN_W=1, FY=1, FX=1, OUT_H=1, OUT_W=1, CF=1, PE=1),
        dict(IN_H=5, IN_W=1, FY=3, FX=1, OUT_H=13, OUT_W=1, CF=1, X_W=3, X_SIGNED=1),
        dict(IN_H=2, IN_W=3, FY=1, FX=4, OUT_H=2, OUT_W=9, CF=5, PE=3),
    )
]
CORNERS["hw_depthwise"] = [
    {**p, "W_FILE": "w.mem"}
    for p in (
        dict(CHANNELS=1, TAPS=1, PE=1),
        dict(CHANNELS=6, TAPS=9, PE=2, X_SIGNED=1),
        dict(CHANNELS=5, TAPS=4, PE=5, X_W=8, W_W=8, ACC_W=19),
    )
]
CORNERS["hw_maxpool"] = [
    dict(CHANNELS=1, TAPS=1, PE=1, X_W=1),
    dict(CHANNELS=6, TAPS=9, PE=2, X_SIGNED=1),
    dict(CHANNELS=5, TAPS=4, PE=5, X_W=8),
]
CORNERS["hw_table"] = [
    dict(CHANNELS=1, PE=1, X_W=1, INDEX_W=1, Y_W=1),
    dict(CHANNELS=6, PE=3, X_SIGNED=1, LO=2, SHARED=0),
    dict(CHANNELS=24, PE=12, X_W=5, LO=3, INDEX_W=5, Y_W=7),
]
_DENSE: list[Parameters] = [
    dict(IN_N=1, OUT_N=1, SIMD=1, PE=1),
    dict(IN_N=6, OUT_N=3, SIMD=1, PE=1),
    dict(IN_N=5, OUT_N=7, SIMD=5, PE=7, X_W=8, W_W=8, ACC_W=19),
    dict(IN_N=15, OUT_N=6, SIMD=5, PE=2, X_SIGNED=1, W_W=2, ARITH=1),
    dict(IN_N=21, OUT_N=6, SIMD=7, PE=3, X_W=1, W_W=1, ARITH=2, ACC_W=5),
]
CORNERS["hw_dense"] = [{**p, "W_FILE": "w.mem"} for p in _DENSE]
CORNERS["hw_dense_col"] = CORNERS["hw_dense"]


def cases() -> list[tuple[str, Parameters]]:
    return [(module, p) for module, corners in CORNERS.items() for p in corners]


def parameters(module: str, given: Parameters) -> Parameters:
    """Add the name of the memory image, which most corners leave out."""
    files = {
        "hw_rom": ("FILE", "image.mem"), "hw_threshold": ("T_FILE", "image"),
        "hw_requant": ("P_FILE", "image.mem"), "hw_table": ("T_FILE", "image"),
    }  # fmt: skip
    return {**given, files[module][0]: files[module][1]} if module in files else given


def memories(module: str, given: Parameters) -> Iterator[tuple[str, list[str]]]:
    """Yield (file name, lines) of random memory images for one corner."""
    get = {**_DEFAULTS.get(module, {}), **given}.get
    match module:
        case "hw_rom":
            yield "image.mem", _random(get("DEPTH"), get("DATA_W"))
        case "hw_dense" | "hw_dense_col":
            folds = get("IN_N") // get("SIMD") * (get("OUT_N") // get("PE"))
            yield "w.mem", _random(folds, get("SIMD") * get("PE") * get("W_W"))
        case "hw_depthwise":
            depth = get("TAPS") * get("CHANNELS") // get("PE")
            yield "w.mem", _random(depth, get("PE") * get("W_W"))
        case "hw_table" if get("SHARED"):
            yield "image.mem", _random(1 << get("INDEX_W"), get("Y_W"))
        case "hw_table":
            for lane in range(get("PE")):
                depth = get("CHANNELS") // get("PE") << get("INDEX_W")
                yield f"image_p{lane:03d}.mem", _random(depth, get("Y_W"))
        case "hw_requant":
            lanes, fields = get("PE"), get("B_W") + get("M_W")
            yield "image.mem", _random(get("CHANNELS") // lanes, lanes * fields)
        case "hw_threshold":
            for lane in range(get("PE")):
                for stage in range(get("LEVELS").bit_length()):
                    depth = get("CHANNELS") // get("PE") << stage
                    yield f"image_p{lane:03d}_s{stage:02d}.mem", _random(depth, get("T_W"))


_DEFAULTS: dict[str, Parameters] = {
    "hw_rom": dict(DATA_W=8),
    "hw_dense": dict(W_W=3),
    "hw_dense_col": dict(W_W=3),
    "hw_depthwise": dict(W_W=3),
    "hw_table": dict(INDEX_W=4, Y_W=4, SHARED=1),
    "hw_requant": dict(B_W=16, M_W=8),
    "hw_threshold": dict(LEVELS=15, T_W=9),
}


def _random(depth: int, bits: int) -> list[str]:
    return memory_lines(np.random.default_rng(0).integers(0, 2, (depth, bits)), 1)
