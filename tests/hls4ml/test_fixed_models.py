"""Keras, HGQ2 and PyTorch models: the integers of hls4ml's own C simulation, or a reason."""

from __future__ import annotations

import warnings
from itertools import product

import hls4ml
import numpy as np
import pytest
import torch
from torch import nn

from hwgen import flow
from hwgen.errors import UnsupportedOp
from hwgen.graph.execute import decode, encode, run, trace
from hwgen.hls4ml_backend import run_stock
from hwgen.hls4ml_backend.fixed.front_end import FIXED
from hwgen.hls4ml_backend.options import FOLDING

MODES = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV")
SATURATIONS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")


def torch_config(net, shape, **options):
    options = {"granularity": "name", "backend": "hwgen", **options}
    return hls4ml.utils.config_from_pytorch_model(net.eval(), shape, **options)


def from_torch(net, config, out, backend="hwgen"):
    return hls4ml.converters.convert_from_pytorch_model(
        net.eval(), hls_config=config, backend=backend, output_dir=str(out)
    )


def from_keras(model, out, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hls4ml.converters.convert_from_keras_model(
            model, backend="hwgen", output_dir=str(out), **options
        )


def keras_config(model, precision, **accum):
    config = hls4ml.utils.config_from_keras_model(
        model, granularity="name", backend="hwgen", default_precision=precision
    )
    for name, wide in accum.items():  # hls4ml may add a number
        own = next(n for n in config["LayerName"] if n == name or n.startswith(f"{name}_"))
        config["LayerName"][own]["Precision"]["accum"] = wide
    return config


def both(model, x, folder):
    """Return what the integer graph answers, and hls4ml's own C simulation."""
    fixed = model.config.config[FIXED]
    ours = decode(fixed.graph, run(fixed.graph, encode(fixed.graph, x)))
    stock = run_stock(fixed.project, folder / "stock", x, 10_000)
    assert len(np.unique(stock)) > 20
    return ours.reshape(len(x), -1), stock


def wild(shape, spread, seed=0):
    """Return inputs off the grid, on its ties, and beyond the range."""
    x = np.random.default_rng(seed).normal(0, spread, (200, *shape)).astype(np.float32)
    x[50:100] = np.round(x[50:100] * 64) / 64
    return x


def refused(net, shape, match, change=lambda config: None, **options):
    config = torch_config(net, shape, **options)
    change(config)
    with pytest.raises(UnsupportedOp, match=match):
        from_torch(net, config, "unused")


# ---- equal --------------------------------------------------------------------------------------
def test_every_rounding_and_saturation_of_a_result(tmp_path):
    """A layer per mode: products with 11 fractional bits into 3, range of sums into an eighth."""
    modes = list(product(MODES, SATURATIONS))
    net = nn.Sequential(*(nn.Linear(4, 4) for _ in modes))
    rng = np.random.default_rng(3)
    for layer in net:
        layer.weight.data[:] = torch.tensor(rng.integers(-24, 25, (4, 4)) / 16)
        layer.bias.data[:] = torch.tensor(rng.integers(-32, 33, 4) / 16)
    config = torch_config(net, (4,), default_precision="fixed<8,4>")
    for i, (mode, saturation) in enumerate(modes):
        options = config["LayerName"][f"_{i}"]
        sign = "u" if i % 5 == 4 else ""
        options["Precision"]["result"] = f"{sign}fixed<6,3,{mode},{saturation}>"
        options["Trace"] = True
    config["LayerName"]["input_1"]["Precision"]["result"] = "fixed<8,4,RND_CONV,WRAP>"
    graph = from_torch(net, config, tmp_path).config.config[FIXED].graph
    x = wild((4,), 6)
    stock = from_torch(net, config, tmp_path / "vitis", backend="Vitis")
    answers = stock.trace(np.ascontiguousarray(x, dtype=np.float64))[1]
    values = trace(graph, encode(graph, x))
    results = {t.source: (t, values[t.name]) for t in graph.tensors}
    for i, mode in enumerate(modes):
        tensor, codes = results[f"_{i}"]
        np.testing.assert_array_equal(codes * tensor.scale, answers[f"_{i}"], err_msg=str(mode))
        assert len(np.unique(codes)) > 4, mode


def test_a_torch_mlp_with_default_types(tmp_path):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(9, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 4))
    net[2].running_mean[:], net[2].running_var[:] = torch.randn(8), torch.rand(8) + 0.5
    model = from_torch(net, torch_config(net, (9,)), tmp_path)
    ours, stock = both(model, wild((9,), 12), tmp_path)
    np.testing.assert_array_equal(ours, stock)


def test_a_torch_cnn_through_all_witnesses(tmp_path):
    torch.manual_seed(2)
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(12, 4),
    )  # fmt: skip
    config = torch_config(net, (2, 4, 4), default_precision="fixed<7,2,RND_CONV,SAT>")
    config["LayerName"]["_3"]["Precision"]["accum"] = "fixed<12,5>"
    config["Model"]["TargetCycles"] = 600
    model = from_torch(net, config, tmp_path / "build")
    model.write()
    x = wild((2, 4, 4), 1)
    np.save(tmp_path / "x.npy", x)
    result = flow.verify(tmp_path / "build", inputs=tmp_path / "x.npy")
    heard = {w["name"]: w["mismatches"] for w in result["witnesses"]}
    assert heard == dict.fromkeys(("hls4ml", "reference", "csim", "rtl", "rtl, random stalls"), 0)
    stock = run_stock(model.config.config[FIXED].project, tmp_path / "build" / "hls4ml", x, 10_000)
    np.testing.assert_array_equal(model.predict(x.astype(np.float64)), stock)


def test_keras_layers_and_activations(tmp_path):
    keras = pytest.importorskip("keras")
    from keras import layers

    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        layers.Input((9, 2)), layers.Conv1D(4, 3, padding="same", name="c"), layers.LeakyReLU(0.25),
        layers.DepthwiseConv1D(3, name="d"), layers.Activation("relu6"),
        layers.MaxPooling1D(2, strides=1, padding="same", name="m"),
        layers.AveragePooling1D(3, strides=2, name="p"), layers.Flatten(),
        layers.Dense(6, activation="hard_sigmoid"), layers.BatchNormalization(),
        layers.Dense(5, activation="tanh"), layers.Dense(4, activation="sigmoid"),
    ])  # fmt: skip
    for variable in model.weights:
        variable.assign(2 * np.array(variable.value.detach()))
    config = keras_config(model, "fixed<8,3,RND,SAT>", p="fixed<14,6>", m="fixed<14,6>")
    ours, stock = both(from_keras(model, tmp_path, hls_config=config), wild((9, 2), 2), tmp_path)
    np.testing.assert_array_equal(ours, stock)


@pytest.fixture(scope="module")
def hgq_model():
    """A trained-like HGQ2 network: every activation and weight has its own bits, and they wrap."""
    keras, hgq = pytest.importorskip("keras"), pytest.importorskip("hgq")
    from hgq.config import QuantizerConfigScope
    from hgq.layers import QDense
    from hgq.utils import trace_minmax

    keras.utils.set_random_seed(4)
    each = {"homogeneous_axis": (0,), "heterogeneous_axis": None}
    with QuantizerConfigScope(place="datalane", overflow_mode="WRAP", round_mode="RND", **each):
        parts = [QDense(10, activation="relu"), QDense(8), QDense(4)]
    model = keras.Sequential([keras.layers.Input((6,)), *parts])
    assert hgq is not None
    rng = np.random.default_rng(4)
    for variable in (v for part in parts for v in part.trainable_variables):
        if variable.name in ("f", "b"):
            bits = np.array(variable.value.detach())
            variable.assign(np.clip(bits + rng.integers(-2, 2, bits.shape), 0, 8))
    x = rng.normal(0, 2, (300, 6)).astype(np.float32)
    trace_minmax(model, x)
    return model, x


def test_an_hgq2_network(hgq_model, tmp_path):
    model, x = hgq_model
    converted = from_keras(model, tmp_path / "build")
    graph = converted.config.config[FIXED].graph
    assert any(np.ndim(t.scale) for t in graph.tensors)  # types differ from channel to channel
    far = np.concatenate([x[:100], wild((6,), 9)])
    ours, stock = both(converted, far, tmp_path)
    np.testing.assert_array_equal(ours, stock)
    converted.compile()
    np.testing.assert_array_equal(converted.predict(x), np.array(model(x).detach()))


# ---- what the config says -----------------------------------------------------------------------
def test_reuse_factors_fold_the_layers(tmp_path):
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    config = torch_config(net, (4,), default_reuse_factor=6)
    folding = from_torch(net, config, tmp_path).config.config[FOLDING]
    assert (folding.reuse, folding.target_cycles) == (6, None)
    config["LayerName"]["_2"]["ReuseFactor"] = 12
    assert from_torch(net, config, tmp_path).config.config[FOLDING].reuse == {"n0": 6, "n2": 12}
    config["Model"]["TargetCycles"] = 40
    assert from_torch(net, config, tmp_path).config.config[FOLDING].target_cycles == 40


def test_the_resource_strategy_changes_no_integer(tmp_path):
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))
    config = torch_config(net, (2, 6))
    graphs = []
    for strategy in ("Latency", "Resource"):
        config["Model"]["Strategy"] = strategy
        graphs.append(from_torch(net, config, tmp_path).config.config[FIXED].graph)
    x = wild((2, 6), 3)
    answers = [run(graph, encode(graph, x)) for graph in graphs]
    np.testing.assert_array_equal(*answers)


def test_the_project_of_a_model_is_always_alike_and_a_library_of_its_own(tmp_path, monkeypatch):
    class Linked:
        def __init__(self, folder):
            self.compile = lambda: None
            self.predict = lambda x: np.zeros((len(x), 2))

    monkeypatch.setattr(hls4ml.utils.link, "FilesystemModelGraph", Linked)
    scripts = []
    for net in (nn.Sequential(nn.Linear(4, 2)), nn.Sequential(nn.Linear(4, 2))):
        config = torch_config(net, (4,))
        first, again = (
            from_torch(net, config, tmp_path).config.config[FIXED].project for _ in range(2)
        )
        assert first == again
        run_stock(first, tmp_path / "one", np.zeros((3, 4)), 100)
        scripts.append((tmp_path / "one" / "build_lib.sh").read_text())
    assert scripts[0] != scripts[1]  # or the process would keep the library of the first


# ---- refused ------------------------------------------------------------------------------------
def test_products_that_the_accumulator_rounds():
    refused(
        nn.Sequential(nn.Linear(4, 2)), (4,),
        r"^_0: accumulator type fixed<16,6,TRN,WRAP> has 10 fractional bits, its products have "
        r"\d+, .* Set its accum precision to fixed<\d+,6>, or to auto\.$",
        granularity="model",
    )  # fmt: skip


def test_an_accumulator_that_saturates():
    def saturate(config):
        config["LayerName"]["_0"]["Precision"]["accum"] = "fixed<22,2,TRN,SAT>"

    refused(
        nn.Sequential(nn.Linear(4, 2)), (4,), r"^_0: accumulator type .*, in the order", saturate
    )


@pytest.mark.parametrize(
    ("layer", "match"),
    [
        (nn.Softmax(dim=-1), r"^_1: hwgen has no Softmax of hls4ml; leave it to the host"),
        (nn.ELU(), r"^_1: hwgen has no elu of hls4ml; it has linear, relu,"),
    ],
)
def test_layers_without_an_integer_form(layer, match):
    refused(nn.Sequential(nn.Linear(4, 2), layer), (4,), match)


def test_maxima_of_values_that_the_accumulator_does_not_hold():
    net = nn.Sequential(nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4, 2))

    def narrow(config):
        config["LayerName"]["_0"]["Precision"]["accum"] = "fixed<8,4>"

    refused(net, (2, 4), r"^_0: compares values of type fixed<16,6,TRN,WRAP> in fixed<8,4", narrow)


def test_a_branch():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc(x) + x

    refused(Residual(), (4,), r"reads .* and not .* alone; hwgen builds chains of layers")


def test_a_layer_that_hls4ml_itself_gets_wrong():
    keras = pytest.importorskip("keras")
    from keras import layers

    parts = [layers.DepthwiseConv2D(3, name="d"), layers.BatchNormalization(name="b")]
    model = keras.Sequential([layers.Input((6, 5, 2)), *parts])
    with pytest.raises(UnsupportedOp, match=r"^d: 36 weights for 9 taps of 2 channels: hls4ml"):
        from_keras(model, "unused", hls_config=keras_config(model, "fixed<8,3>"))


def test_stock_backends_keep_their_converters(tmp_path):
    net = nn.Sequential(nn.Linear(4, 2))
    model = from_torch(net, torch_config(net, (4,), backend="Vitis"), tmp_path, backend="Vitis")
    assert model.config.backend.name == "Vitis"
    assert FIXED not in model.config.config
