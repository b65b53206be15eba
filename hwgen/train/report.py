"""The files of a training run: metrics, DET curves, weight distributions, frames."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hwgen.train.checkpoint import save_model
from hwgen.train.evaluate import FLOAT_BITS, Row, Score
from hwgen.train.network import SquashedMlp
from hwgen.train.recipe import Fold, Profile, Recipe

FRAMES = 4096  # held-out frames kept with each model
DET_POINTS = 200
METRICS = ("frr", "fdr", "relative_fdr", "accuracy")


def write_metrics(scores: Sequence[Score], recipe: Recipe, profile: Profile, out: Path) -> Path:
    """Write ``metrics.json`` (runs, and mean and spread over them) and ``det.json``; the first."""
    reference = {(s.fold, s.seed): s for s in scores if s.method == "float"}
    rows = [s.row(reference[s.fold, s.seed], recipe) for s in scores]
    content = {
        "model": recipe.name,
        "data": recipe.task.origin,
        "profile": profile,
        "macs": recipe.macs,
        "operating_frr": recipe.operating_frr,
        "runs": rows,
        "summary": summary(rows),
    }
    path = out / "metrics.json"
    path.write_text(json.dumps(content, indent=1))
    (out / "det.json").write_text(json.dumps([_det(score) for score in scores]))
    return path


def summary(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return mean and spread (sample standard deviation) over all runs of a method and width."""
    groups: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["weight_bits"]), []).append(row)
    result = []
    for members in groups.values():
        entry: dict[str, object] = {"runs": len(members)}
        entry |= {key: members[0][key] for key in ("method", "weight_bits", "weight_kib", "macs")}
        for name in METRICS:
            values = [float(value) for row in members if (value := row[name]) is not None]
            entry[name] = {
                "mean": float(np.mean(values)) if values else None,
                "spread": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            }
        result.append(entry)
    return result


def write_model(net: SquashedMlp, fold: Fold, folder: Path) -> Path:
    """Write ``model.pt`` with held-out frames, their labels and the standardisation; the first."""
    path = folder / "model.pt"
    save_model(net.cpu(), path)
    stream = fold.test_streams()[0]
    positions = np.arange(min(FRAMES, len(stream)))
    np.save(folder / "frames.npy", stream.windows(positions))
    np.save(folder / "labels.npy", stream.labels[positions])
    constants = fold.standardisation
    np.savez(
        folder / "standardisation.npz",
        speakers=constants.speakers,
        mean=constants.mean,
        deviation=constants.deviation,
    )
    return path


def write_weights(nets: dict[int, SquashedMlp], path: Path) -> None:
    """Write histograms of all dense parameters before and weights after tanh, per bit width.

    Arrays ``p_<bits>`` over ``p_edges`` and ``w_<bits>`` over ``w_edges``; 32 is float.
    """
    p_edges, w_edges = np.linspace(-4, 4, 161), np.linspace(-1, 1, 129)
    arrays: dict[str, Any] = {"p_edges": p_edges, "w_edges": w_edges}
    for bits, net in nets.items():
        free = [layer.parametrizations.weight.original.detach().flatten() for layer in net.dense]
        p = torch.cat(free).cpu().numpy()
        arrays[f"p_{bits}"] = np.histogram(p, p_edges)[0]
        arrays[f"w_{bits}"] = np.histogram(np.tanh(p), w_edges)[0]
    np.savez(path, **arrays)


def _det(score: Score) -> dict[str, object]:
    count = len(score.curve.frr)
    keep = np.unique(np.linspace(0, count - 1, min(count, DET_POINTS)).astype(int))
    return {
        "fold": score.fold,
        "seed": score.seed,
        "method": score.method,
        "weight_bits": None if score.weight_bits == FLOAT_BITS else score.weight_bits,
        "threshold": score.curve.thresholds[keep].tolist(),
        "frr": score.curve.frr[keep].tolist(),
        "fdr": score.curve.fdr[keep].tolist(),
    }
