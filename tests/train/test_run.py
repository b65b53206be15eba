"""Training runs: what they write, how they resume, and two processes on one model."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from hwgen.train import fit as fit_module
from hwgen.train import load_model, train_model
from hwgen.train.recipe import RecipeError, load_recipe
from hwgen.train.report import summary

TINY = Path(__file__).with_name("tiny")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_model(TINY, tmp_path_factory.mktemp("run"))


def test_metrics_have_a_row_for_every_method_and_width(trained):
    metrics = json.loads(trained.metrics.read_text())
    rows = {(row["method"], row["weight_bits"]): row for row in metrics["runs"]}
    quantized = {(m, b) for m in ("two-stage", "ptq", "one-stage") for b in (8, 4, 1)}
    assert set(rows) == {("float", 32)} | quantized
    assert metrics["macs"] == 39 * 16 + 16 * 8 + 8 * 2
    row = rows["two-stage", 4]
    assert row["weight_kib"] == 768 * 4 / 8 / 1024
    assert row["held_out"] == "george+jackson"
    assert rows["float", 32]["relative_fdr"] == 1.0
    assert row["frr"] <= rows["float", 32]["frr"]
    assert {len(metrics["summary"]), len(metrics["runs"])} == {10}
    det = json.loads((trained.out / "det.json").read_text())
    assert {curve["method"] for curve in det} == {"float", "two-stage", "ptq", "one-stage"}


def test_a_summary_leaves_out_what_is_undefined():
    row = {"method": "ptq", "weight_bits": 1, "weight_kib": 1.0, "macs": 8, "accuracy": 0.5}
    rows = [
        row | {"frr": 0.1, "fdr": 0.2, "relative_fdr": None},
        row | {"frr": 0.1, "fdr": 0.4, "relative_fdr": 2.0},
    ]
    (entry,) = summary(rows)
    assert entry["runs"] == 2
    assert entry["relative_fdr"] == {"mean": 2.0, "spread": None}
    assert entry["fdr"]["mean"] == pytest.approx(0.3)
    assert entry["fdr"]["spread"] == pytest.approx(0.1 * 2**0.5)


def test_each_width_has_a_model_and_held_out_frames_in_its_units(trained):
    assert sorted(trained.models) == [1, 4, 8]
    for bits, path in trained.models.items():
        frames, labels = np.load(path.parent / "frames.npy"), np.load(path.parent / "labels.npy")
        assert frames.shape == (4096, 39)
        assert labels.shape == (4096,)
        net = load_model(path)
        right = net(torch.from_numpy(frames)).argmax(dim=1).numpy() == labels
        assert right.mean() > 0.85, bits


def test_weight_histograms_count_every_dense_weight(trained):
    histograms = np.load(trained.out / "weights.npz")
    for bits in (32, 8, 4, 1):
        assert histograms[f"w_{bits}"].sum() == 768
        assert len(histograms[f"w_{bits}"]) == len(histograms["w_edges"]) - 1


def test_a_killed_run_resumes_and_ends_like_an_unbroken_one(trained, tmp_path, monkeypatch):
    epochs_before_the_kill = 6  # in the middle of stage 1 of the two-stage network
    original, count = fit_module._epoch, 0

    def killed(*args, **kwargs):
        nonlocal count
        count += 1
        if count > epochs_before_the_kill:
            raise KeyboardInterrupt
        original(*args, **kwargs)

    monkeypatch.setattr(fit_module, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        train_model(TINY, tmp_path, weight_bits=[4])
    monkeypatch.setattr(fit_module, "_epoch", original)
    ran = []
    monkeypatch.setattr(fit_module, "_epoch", lambda *a, **k: (ran.append(a[4]), original(*a, **k)))
    resumed = train_model(TINY, tmp_path, weight_bits=[4])
    assert len(ran) == 2 + 3 + 3 + 5 - epochs_before_the_kill
    frames = torch.from_numpy(np.load(tmp_path / "w4" / "frames.npy"))
    unbroken = load_model(trained.models[4])(frames)
    assert torch.equal(load_model(resumed.models[4])(frames), unbroken)


def test_a_checkpoint_of_another_recipe_is_not_used(trained, tmp_path, monkeypatch):
    train_model(TINY, tmp_path, weight_bits=[1])
    original, ran = fit_module._epoch, []
    monkeypatch.setattr(fit_module, "_epoch", lambda *a, **k: (ran.append(a[4]), original(*a, **k)))
    train_model(TINY, tmp_path, weight_bits=[1])
    assert ran == []
    train_model(TINY, tmp_path, weight_bits=[1], profile="demo")
    assert len(ran) == 1 + 3 + 3 + 4


def test_a_checkpoint_of_other_data_is_not_used(tmp_path, monkeypatch):
    original, ran = fit_module._epoch, []
    monkeypatch.setattr(fit_module, "_epoch", lambda *a, **k: (ran.append(a[4]), original(*a, **k)))
    model = tmp_path / "tiny"
    copytree(TINY, model)
    train_model(model, tmp_path / "out", weight_bits=[1], profile="demo")
    settings = (model / "train.toml").read_text()
    (model / "train.toml").write_text(settings.replace('keyword = "0"', 'keyword = "1"'))
    ran.clear()
    train_model(model, tmp_path / "out", weight_bits=[1], profile="demo")
    assert len(ran) == 1 + 3 + 3 + 4


def test_two_processes_under_torchrun_share_the_batches(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(
        "import sys\n"
        "from hwgen.train import fit, train_model\n"
        "loss, sizes = fit._loss, set()\n"
        "fit._loss = lambda x, y: (sizes.add(len(y)), loss(x, y))[1]\n"
        "if __name__ == '__main__':\n"
        "    result = train_model(sys.argv[1], sys.argv[2], weight_bits=[4])\n"
        "    print('leads', result.leads, 'batches', sizes)\n"
    )
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", str(script), str(TINY), str(tmp_path / "out")),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(TINY.parents[2])}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    halves = sorted(line for line in done.stdout.splitlines() if line.startswith("leads"))
    assert halves == ["leads False batches {1024}", "leads True batches {1024}"]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(metrics["runs"]) == 4
    accuracy = {row["method"]: row["accuracy"] for row in metrics["runs"]}
    assert accuracy["two-stage"] > 0.85
    assert load_model(tmp_path / "out" / "w4" / "model.pt") is not None


def test_wrong_folds_bits_and_folders_are_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"folds \[3\]: tiny has the folds 0\.\.2"):
        train_model(TINY, tmp_path, folds=[3])
    with pytest.raises(RecipeError, match=r"weight bits \[9\].*1\.\.8 bits"):
        train_model(TINY, tmp_path, weight_bits=[9])
    np.savez(
        tmp_path / "odd.npz",
        x=np.random.default_rng(1).standard_normal((30, 4, 5)),
        y=np.arange(30) % 2,
        group=np.arange(30) % 3,
    )
    with pytest.raises(RecipeError, match=r"window of this data has 15 features.*takes 39"):
        train_model(TINY, tmp_path, data=tmp_path / "odd.npz")
    with pytest.raises(RecipeError, match=r"no net\.py and train\.toml"):
        load_recipe(tmp_path, "full", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 2048", "", r"tiny: KeyError\('batch'\); net\.py needs WIDTHS"),
        ("batch = 2048", "batch =", r"train\.toml: not valid TOML"),
    ],
)
def test_a_recipe_with_a_fault_is_named(tmp_path, old, new, message):
    copytree(TINY, tmp_path / "tiny")
    path = tmp_path / "tiny" / "train.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RecipeError, match=message):
        load_recipe(tmp_path / "tiny", "full", None)
