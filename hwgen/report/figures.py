"""The figures of the accuracy section, from the training's curves and histograms."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from hwgen.report.evidence import Evidence
from hwgen.report.facts import FLOAT_BITS, METHODS, trained_bits, weight_bits
from hwgen.report.svg import Curve, FloatArray, det_panel, histogram_panel

_FRR_GRID = np.geomspace(0.01, 1.0, 121)


def det_figure(evidence: Evidence) -> list[Markup]:
    """Return one DET panel per trained bit width, each with every method; [] without curves."""
    if evidence.det is None:
        return []
    operating = evidence.metrics["operating_frr"] if evidence.metrics else None
    known = {r["weight_bits"] for r in evidence.det if r["weight_bits"]}
    return [
        det_panel(f"{bits}-bit weights", _curves(evidence, bits), operating)
        for bits in trained_bits(evidence) or sorted(known, reverse=True)
    ]


def weight_figure(evidence: Evidence) -> tuple[list[Markup], int | None]:
    """Return the histograms before and after tanh, and the bit width they show against float."""
    arrays = evidence.weights
    if arrays is None:
        return [], None
    widths = sorted(int(key[2:]) for key in arrays if key.startswith("p_") and key[2:].isdigit())
    trained = [bits for bits in widths if bits != FLOAT_BITS]
    built = weight_bits(evidence)
    shown = built if built in trained else next(iter(trained), None)
    styles = [("two-stage area", shown), ("outline", FLOAT_BITS)]
    panels = []
    for key, title, label in (
        ("p", "before tanh", "parameter p"),
        ("w", "after tanh", "weight tanh(p)"),
    ):
        edges = arrays[f"{key}_edges"]
        bars = [
            Curve(style, edges, arrays[f"{key}_{bits}"]) for style, bits in styles if bits in widths
        ]
        panels.append(histogram_panel(title, label, edges, bars))
    return panels, shown


def _curves(evidence: Evidence, bits: int) -> list[Curve]:
    curves = []
    for method in METHODS:
        records = [
            r
            for r in evidence.det or []
            if r["method"] == method and r["weight_bits"] in (None, bits)
        ]
        if records:
            folds = [_fdr_at(np.asarray(r["frr"]), np.asarray(r["fdr"])) for r in records]
            curves.append(Curve(method, _FRR_GRID, np.mean(folds, axis=0)))
    return curves


def _fdr_at(frr: FloatArray, fdr: FloatArray) -> FloatArray:
    """Return the FDR of one curve on the grid; NaN where no threshold reaches so low an FRR."""
    order = np.argsort(frr, kind="stable")
    return np.asarray(np.interp(_FRR_GRID, frr[order], fdr[order], left=np.nan))
