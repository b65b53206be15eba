"""A hand-written network of 840 products per cycle: exact, at full rate, fast enough."""

import resource

import numpy as np
import pytest

from hwgen.num.pack import dense_weight_lines, pack_lanes, threshold_files, unpack_lanes
from hwgen.sim.simulator import Probe, build_simulator

SHAPES = [(490, 256, 10, 32), (256, 256, 8, 32), (256, 256, 8, 32), (256, 12, 8, 1)]
FRAMES = 300
II_CYCLES = 392  # the first layer: 490/10 * 256/32
CYCLES_PER_SECOND = 118_000  # FINN's compiled simulation of this shape


class Mlp:
    """Random weights and thresholds, their memory images, and NumPy's answer."""

    def __init__(self, rtl) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.integers(0, 16, (FRAMES, 490))
        self.hidden = []
        h = self.x
        for k, (in_n, out_n, simd, pe) in enumerate(SHAPES):
            weights = rng.integers(-4, 4, (out_n, in_n))
            self.write(rtl / f"w{k}.mem", dense_weight_lines(weights, simd, pe, 3, "row"))
            acc = h @ weights.T
            if k == len(SHAPES) - 1:
                break
            spread = rng.normal(acc.mean(axis=0), acc.std(axis=0), (15, out_n)).astype(int)
            thresholds = np.sort(spread.T, axis=1)
            for name, lines in threshold_files(f"t{k}", thresholds, pe, 16).items():
                self.write(rtl / name, lines)
            h = (acc[:, :, None] >= thresholds).sum(axis=2)
            self.hidden.append(h)
        self.y = acc
        self.beats = pack_lanes(self.x.reshape(-1, 10), 4).reshape(FRAMES, 49, 5)
        self.simulator = build_simulator(
            rtl, "mlp", rtl.parent / "sim", in_bytes=5, out_bytes=2, probes=[Probe("x1", 128)]
        )

    @staticmethod
    def write(path, lines) -> None:
        path.write_text("\n".join(lines) + "\n")

    def run(self, **options):
        result = self.simulator.run(self.beats, 12, **options)
        got = unpack_lanes(result.outputs.reshape(-1, 2), 1, 16, True).reshape(FRAMES, 12)
        np.testing.assert_array_equal(got, self.y)
        return result


@pytest.fixture(scope="module")
def mlp(rtl):
    return Mlp(rtl)


def test_is_exact_at_full_rate_and_fast(mlp, capsys):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = mlp.run()
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    with capsys.disabled():
        print(f"\nmlp: {result.cycles / seconds:,.0f} cycles per CPU second")
    assert result.ii_cycles == II_CYCLES
    assert result.cycles / seconds > CYCLES_PER_SECOND


@pytest.mark.parametrize("options", [{"idle": 0.5}, {"backpressure": 0.97}, {"reset_at": 5000}])
def test_is_exact_when_disturbed(mlp, options):
    mlp.run(seed=1, **options)


def test_probes_see_the_first_hidden_layer(mlp):
    probed = mlp.run(probe=True).probes["x1"]
    np.testing.assert_array_equal(
        unpack_lanes(probed, 32, 4, False).reshape(FRAMES, 256), mlp.hidden[0]
    )
