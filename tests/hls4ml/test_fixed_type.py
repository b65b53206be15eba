"""Casts to fixed-point types equal those of the ap_fixed that hls4ml ships, compiled by g++."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import hls4ml
import numpy as np
import pytest
from hls4ml.backends.fpga.fpga_backend import FPGABackend

from hwgen.hls4ml_backend.fixed.type import FixedType, fixed_type
from hwgen.num.rounding import Rounding

AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
MODES = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV")
SATURATIONS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")
SHAPES = [  # of a source and a target: signed, width, integer bits
    ((True, 9, 4), (True, 5, 3)),
    ((True, 9, 4), (False, 5, 3)),  # negative values of an unsigned type
    ((False, 8, 4), (True, 5, 3)),
    ((True, 8, 7), (True, 5, 3)),  # more fractional bits
    ((True, 7, 2), (True, 3, 4)),  # codes of several units
    ((True, 7, 2), (True, 10, 1)),
]


def source_values(shape):
    signed, width, _ = shape
    codes = np.arange(1 << width)
    return np.where(signed & (codes >= 1 << (width - 1)), codes - (1 << width), codes)


@pytest.fixture(scope="module")
def casts(tmp_path_factory):
    """What C++ makes of every source value, by mode, saturation and shape: (from fixed, double)."""
    folder = tmp_path_factory.mktemp("ap_fixed")
    loops = []
    for mode, saturation, (source, target) in product(MODES, SATURATIONS, SHAPES):
        x, y = (f"ap_{'' if s else 'u'}fixed<{w}, {i}" for s, w, i in (source, target))
        y = f"{y}, AP_{mode}, AP_{saturation}>"
        code = f"ap_{'' if target[0] else 'u'}int<{target[1]}>"
        loops.append(
            f"for (int i = 0; i < {1 << source[1]}; i++) {{ {x}> x; x.range() = i; {y} y = x;"
            f" {y} d = x.to_double(); {code} a, b; a.range() = y.range(); b.range() = d.range();"
            " std::printf(\"%d %d\\n\", int(a), int(b)); }"
        )  # fmt: skip
    text = '#include <cstdio>\n#include "ap_fixed.h"\nint main() {\n' + "\n".join(loops) + "\n}\n"
    (folder / "casts.cpp").write_text(text)
    command = ["g++", "-O0", "-w", "-std=c++11", "-I", str(AP_TYPES), "casts.cpp", "-o", "casts"]
    subprocess.run(command, cwd=folder, check=True)
    answer = subprocess.run([folder / "casts"], capture_output=True, text=True, check=True).stdout
    numbers = np.array(answer.split(), dtype=np.int64).reshape(-1, 2)
    sizes = [1 << source[1] for _, _, (source, _) in product(MODES, SATURATIONS, SHAPES)]
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return dict(zip(product(MODES, SATURATIONS, range(len(SHAPES))), parts, strict=True))


@pytest.mark.parametrize(("mode", "saturation"), product(MODES, SATURATIONS))
def test_casts_as_the_c_plus_plus_does(casts, mode, saturation):
    for i, (source, (signed, width, integer)) in enumerate(SHAPES):
        t = FixedType(width, width - integer, signed, mode, saturation)
        x, fraction = source_values(source), source[1] - source[2]
        expected = casts[mode, saturation, i].T
        np.testing.assert_array_equal(t.convert(x, fraction), expected[0], err_msg=str(t))
        np.testing.assert_array_equal(t.codes(x * 2.0**-fraction), expected[1], err_msg=str(t))


def test_casts_to_integers_as_the_c_plus_plus_does(tmp_path):
    """hls4ml's int<W>: towards zero, and it wraps."""
    text = """#include <cstdio>
    #include "ap_fixed.h"
    int main() { for (int i = 0; i < 256; i++) { ap_fixed<8, 5> x; x.range() = i;
        std::printf("%d %d\\n", int(ap_int<4>(x)), int(ap_uint<3>(x))); } }"""
    (tmp_path / "casts.cpp").write_text(text)
    command = ["g++", "-O0", "-w", "-std=c++11", "-I", str(AP_TYPES), "casts.cpp", "-o", "casts"]
    subprocess.run(command, cwd=tmp_path, check=True)
    answer = subprocess.run([tmp_path / "casts"], capture_output=True, text=True, check=True).stdout
    expected = np.array(answer.split(), dtype=np.int64).reshape(-1, 2).T
    for column, precision in zip(expected, ("int<4>", "uint<3>"), strict=True):
        t = fixed_type(FPGABackend.convert_precision_string(precision), "result")
        np.testing.assert_array_equal(t.convert(source_values((True, 8, 5)), 3), column)


def test_every_rounding_of_the_hardware_is_among_them():
    assert {FixedType(8, 4, True, mode).rounding for mode in MODES} == set(Rounding)


def test_reals_far_beyond_the_range():
    wrap, sat = FixedType(16, 10, True), FixedType(32, 16, True, "RND", "SAT")
    x = np.array([1e30, -1e30, 40.5, -32.25, 3e38])
    np.testing.assert_array_equal(wrap.codes(x), [0, 0, -24064, 32512, 0])
    np.testing.assert_array_equal(sat.codes(x)[[0, 1, 4]], [2**31 - 1, -(2**31), 2**31 - 1])
