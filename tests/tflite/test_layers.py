"""Random int8 networks and each layer alone: every tensor equals the interpreter's."""

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_compare import compared, random_codes
from tflite_models import FLOAT, UINT8, Chain, interpret
from tflite_random import ELEMENTWISE, quant, random_chain

from hwgen.graph.execute import decode, encode, run, trace
from hwgen.graph.ir import Dense, Depthwise, Requant, Threshold
from hwgen.tflite import left_to_host, to_graph
from hwgen.tflite.arithmetic import Multiplier, mean_multiplier, twice_rounded

EVERY_CODE = np.arange(-128, 128)[:, None]


@pytest.mark.parametrize("block", range(8))
def test_random_chains(block):
    for seed in range(75 * block, 75 * block + 75):
        compared(random_chain(seed).content(), samples=6, seed=seed)


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_elementwise_ops_on_every_code(op):
    rng = np.random.default_rng(list(op.encode()))
    for _ in range(20):
        chain = Chain((1,), quant(rng, 10 ** rng.uniform(-3, -0.5)))
        chain.elementwise(op, quant(rng, 10 ** rng.uniform(-3, -0.5)), rng.uniform(0, 1))
        assert compared(chain.content(), EVERY_CODE) == 256


def test_ratios_of_scales_are_float32_where_the_kernel_divides_in_float32():
    """Ratios that are a tie in float32 and none in float64: RELU divides so, QUANTIZE does not."""
    rng, found = np.random.default_rng(0), 0
    while found < 12:
        out = np.float32(rng.uniform(0.01, 0.1))
        ratio = rng.choice([0.625, 0.75, 1.25, 1.5, 2.5])
        scale = np.float32(ratio * float(out))
        if float(scale) == ratio * float(out) or scale / out != np.float32(ratio):
            continue
        found += 1
        for op in ("RELU", "QUANTIZE", "LEAKY_RELU"):
            chain = Chain((1,), (scale, int(rng.integers(-128, 128))))
            compared(chain.elementwise(op, (out, 3), alpha=0.5).content(), EVERY_CODE)


def test_add_of_a_constant_on_every_code():
    rng = np.random.default_rng(1)
    for _ in range(30):
        scales = 10 ** rng.uniform(-2.5, -0.5, 3)
        chain = Chain((1,), quant(rng, scales[0]))
        chain.add(rng.integers(-128, 128, 1), quant(rng, scales[1]), quant(rng, scales[2]))
        compared(chain.content(), EVERY_CODE)


@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (5, 4), (7, 7), (8, 8)])
def test_average_pool_rounds_half_away(kernel):
    chain = Chain((8, 8, 3), (0.1, -5)).pool(kernel)
    graph = to_graph(chain.content(), "net")
    x = random_codes(graph, 60, 3)
    x[30:] = np.random.default_rng(4).integers(-3, 4, x[30:].shape)  # small sums: ties
    compared(chain.content(), x)


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize("activation", ["NONE", "RELU6"])
def test_max_pool(padding, activation):
    chain = Chain((7, 6, 3), (0.1, -5)).pool((3, 2), (2, 2), padding, activation, "MAX_POOL_2D")
    compared(chain.content())


@pytest.mark.parametrize("space", [(1, 1), (1, 2), (3, 3), (4, 4), (7, 7), (8, 5)])
@pytest.mark.parametrize("keep", [True, False])
def test_mean_over_the_image(space, keep):
    rng = np.random.default_rng([*space, keep])
    for same in (True, False, False):
        entry = quant(rng)
        chain = Chain((*space, 3), entry)
        chain.mean(entry if same else quant(rng), keep, (2, 1) if keep else (-3, -2))
        graph = to_graph(chain.content(), "net")
        x = random_codes(graph, 60, 3)
        x[30:] = entry[1] + rng.integers(-4, 5, x[30:].shape)
        compared(chain.content(), np.clip(x, -128, 127))


def test_mean_divides_the_mantissa_downwards():
    """A factor and sums at which rounding the divided mantissa up would show."""
    n, factor = 26 * 30, float(np.float32(0.7275032997131348))
    down = mean_multiplier(factor, n)
    up = replace(down, mantissa=down.mantissa + 1)
    sums = np.arange(174 * n)  # up to the code 126
    sums = sums[twice_rounded(sums, down) != twice_rounded(sums, up)]
    assert len(sums)
    x = sums[:, None] // n + (np.arange(n) < sums[:, None] % n) - 128
    chain = Chain((26, 30, 1), (np.float32(factor), -128)).mean((np.float32(1), 0), True)
    assert compared(chain.content(), x) == len(sums)


def test_add_shifts_its_operands_by_20_bits():
    """Scales and codes at which 19 bits would give another code."""
    rng, found = np.random.default_rng(2), 0
    codes = np.arange(-128, 128)
    for _ in range(200):
        ours, other, out = (np.float32(10 ** rng.uniform(-2.5, -0.5)) for _ in range(3))
        common = 2 * np.float64(max(ours, other))
        answers = []
        for bits in (19, 20):
            terms = ((codes[:, None], ours), (codes[None], other))
            total = sum(twice_rounded(q << bits, Multiplier.of(s / common)) for q, s in terms)
            by = Multiplier.of(common / ((1 << bits) * np.float64(out)))
            answers.append(np.clip(twice_rounded(total, by), -128, 127))
        differing = np.flatnonzero((answers[0] != answers[1]).any(axis=0))
        for k in differing[:1]:
            found += 1
            chain = Chain((1,), (ours, 0)).add(codes[[k]], (other, 0), (out, 0))
            compared(chain.content(), EVERY_CODE)
    assert found > 3


def test_pool_with_same_padding_that_pads_nothing():
    compared(Chain((6, 4, 2), (0.1, 7)).pool((3, 2), (3, 2), "SAME").content())


def test_depth_multiplier_becomes_one_product_with_zeros():
    rng = np.random.default_rng(2)
    chain = Chain((5, 4, 3), (0.1, 9))
    weights = rng.integers(-127, 128, (2, 3, 6))
    chain.depthwise(weights, rng.integers(-900, 900, 6), rng.uniform(0.001, 0.01, 6), (0.2, -3))
    compared(chain.content())
    kinds = [type(layer) for layer in to_graph(chain.content(), "net").layers]
    assert Dense in kinds
    assert Depthwise not in kinds


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 1)])
def test_kernels_wider_than_the_image_lose_the_taps_that_see_padding(size):
    rng = np.random.default_rng(3)
    chain = Chain((*size, 3), (0.1, 9))
    for _ in range(2):
        chain.depthwise(rng.integers(-127, 128, (5, 3, 3)), np.arange(3), 0.01, (0.2, -3),
                        padding="SAME")  # fmt: skip
        chain.conv(rng.integers(-127, 128, (3, 3, 5, 3)), np.arange(3), 0.01, (0.2, -3),
                   padding="SAME")  # fmt: skip
    compared(chain.content())


def test_many_channels_close_with_a_short_multiplier():
    """With ReLU the requantizer is one line: no thresholds, fewer bits than TFLite's 31."""
    rng = np.random.default_rng(5)
    chain = Chain((3, 3, 16), (0.05, -128))
    weights = rng.integers(-127, 128, (48, 1, 1, 16))
    scales = rng.uniform(0.002, 0.01, 48)
    chain.conv(weights, rng.integers(-2000, 2000, 48), scales, (0.06, -128), activation="RELU")
    (requant,) = (e for e in to_graph(chain.content(), "n").layers if isinstance(e, Requant))
    assert int(requant.multiplier.max()).bit_length() <= 25
    compared(chain.content(), samples=40)


def test_without_a_clamp_at_zero_the_two_signs_need_thresholds():
    """TFLite rounds half away after rounding half up, so both signs lie on different lines."""
    rng = np.random.default_rng(6)
    chain = Chain((3, 3, 16), (0.05, 0))
    weights = rng.integers(-127, 128, (8, 1, 1, 16))
    chain.conv(weights, np.zeros(8), np.full(8, 0.01), (0.1, 0))
    assert isinstance(to_graph(chain.content(), "net").layers[-1], Threshold)
    compared(chain.content(), samples=40)


def test_a_dense_layer_on_each_pixel():
    rng = np.random.default_rng(7)
    chain = Chain((6, 5), (0.1, 3))
    chain.dense(
        rng.integers(-127, 128, (4, 5)), rng.integers(-99, 99, 4), 0.01, (0.5, 3), keep=True
    )
    compared(chain.content())


def test_flattening_an_image_and_reshaping_the_input():
    rng = np.random.default_rng(8)
    chain = Chain((24,), (0.1, 3)).reshape(3, 4, 2)
    weights, bias = rng.integers(-127, 128, (3, 2, 2, 2)), np.arange(3)
    chain.conv(weights, bias, 0.01, (0.3, 3)).reshape(18)
    chain.dense(rng.integers(-127, 128, (5, 18)), None, 0.01, (0.5, 3)).reshape(5, 1)
    graph = to_graph(chain.content(), "net")
    assert (graph.input_shape, graph.output_shape) == ((24,), (5, 1))
    compared(chain.content())


def test_float_input_is_quantized_as_the_interpreter_does():
    """QUANTIZE of float32: half away from zero, then the zero point; beyond the range it clips."""
    rng = np.random.default_rng(9)
    for _ in range(10):
        out = quant(rng, 10 ** rng.uniform(-3, 0))
        ties = ((rng.integers(-300, 300, 400) + 0.5) * float(out[0])).astype(np.float32)
        beside = [np.nextafter(ties, np.float32(s)) for s in (-np.inf, np.inf)]
        x = np.concatenate([ties, *beside])[None]
        chain = Chain(x.shape[1:], None, FLOAT)
        chain.op("QUANTIZE", [], x.shape[1:], out, schema.QuantizeOptionsT())
        codes = interpret(chain.content(), x)["quantize_0"]
        chain.elementwise("RELU", out)
        assert np.array_equal(encode(to_graph(chain.content(), "net"), x), codes)


def test_real_input_of_an_int8_model_and_dequantized_output():
    rng = np.random.default_rng(10)
    chain = Chain((4,), (np.float32(0.37), -11))
    chain.dense(rng.integers(-127, 128, (3, 4)), None, 0.01, (0.5, 3))
    chain.op("DEQUANTIZE", [], (3,), None, schema.DequantizeOptionsT(), FLOAT)
    graph = to_graph(chain.content(), "net")
    q = random_codes(graph, 50, 11)
    assert np.array_equal(encode(graph, np.float32(0.37) * (q + 11)), q)
    real = interpret(chain.content(), q)["dequantize_1"]
    assert np.array_equal(decode(graph, run(graph, q)).astype(np.float32), real)
    assert left_to_host(chain.content(), "net") == ["DEQUANTIZE"]


def test_uint8_input_through_quantize():
    chain = Chain((6,), (0.1, 130), UINT8)
    chain.op("QUANTIZE", [], (6,), (0.1, 2), schema.QuantizeOptionsT())
    chain.dense(np.arange(12).reshape(2, 6), None, 0.01, (0.1, 0))
    compared(chain.content(), samples=30)


def test_the_host_finishes_a_softmax():
    """The accelerator ends before it; the largest probability is where the largest code is."""
    rng = np.random.default_rng(12)
    chain = Chain((6,), (0.1, 3))
    chain.dense(rng.integers(-127, 128, (5, 6)), None, 0.01, (0.2, 3)).softmax()
    content = chain.content()
    graph = to_graph(content, "net")
    assert left_to_host(content, "net") == ["SOFTMAX"]
    x = random_codes(graph, 50, 13)
    ours, theirs = trace(graph, x)[graph.output], interpret(content, x)
    assert np.array_equal(ours, theirs["fully_connected_0"])
    best = np.take_along_axis(theirs["softmax_1"], ours.argmax(axis=1)[:, None], axis=1)
    assert np.array_equal(best[:, 0], theirs["softmax_1"].max(axis=1))


def test_shape_arithmetic_of_a_dynamic_flatten_is_passed_over():
    """Keras flattens with SHAPE, STRIDED_SLICE and PACK of integers: no data flows in them."""
    rng = np.random.default_rng(14)
    chain = Chain((4, 3, 2), (0.1, 3))
    image = chain.last
    chain.op("SHAPE", [], (3,), None, schema.ShapeOptionsT(), schema.TensorType.INT32)
    shape = chain.last
    chain.tensors[shape].shape = [4]
    chain.last, chain.shape, chain.quant = image, (4, 3, 2), (0.1, 3)
    options = schema.ReshapeOptionsT()
    options.newShape = [1, 24]
    chain.op("RESHAPE", [shape], (24,), (0.1, 3), options)
    chain.dense(rng.integers(-127, 128, (5, 24)), None, 0.01, (0.5, 3))
    graph = to_graph(chain.content(), "net")
    assert [type(layer) for layer in graph.layers] == [Dense, Threshold]
