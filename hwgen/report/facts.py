"""The figures of a report, each derived once from the evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hwgen.report.evidence import Evidence

CLOCK_MHZ = 100  # of the times that a report gives; cycles are what was measured
FLOAT_BITS = 32
METHODS = ("float", "ptq", "one-stage", "two-stage")
RESOURCES = ("lut", "ff", "bram36", "dsp")


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of the build, with what it takes of the part.

    estimate  of the cost model
    measured  by synthesis; None before it ran.  The row of everything between the layers has no
              ``facts`` and no estimate.
    """

    name: str
    facts: dict[str, Any] | None
    estimate: dict[str, float] | None
    measured: dict[str, float] | None

    def cost(self, resource: str) -> float | None:
        """Return the measured cost, else the estimate."""
        known = self.measured or self.estimate
        return known[resource] if known else None


def summary(evidence: Evidence) -> dict[str, Any]:
    """Return the headline figures, flat, with stable names; None where not known yet."""
    manifest, synth = evidence.manifest or {}, evidence.synth or {}
    return {
        "name": name(evidence),
        "hwgen_version": manifest.get("hwgen_version"),
        "weight_bits": weight_bits(evidence),
        "weight_kib": weight_kib(evidence),
        "accuracy": score(evidence, "two-stage", weight_bits(evidence), "accuracy"),
        "float_accuracy": score(evidence, "float", FLOAT_BITS, "accuracy"),
        "relative_fdr": {
            method: {str(bits): score(evidence, method, bits, "relative_fdr") for bits in widths}
            for method in METHODS[1:]
            if (widths := trained_bits(evidence))
        },
        **_verification(evidence),
        **_timing(evidence),
        "part": synth.get("part"),
        **{key: synth.get(key) for key in ("lut", "lutram", "ff", "bram36", "dsp", "fmax_mhz")},
        "missing": evidence.missing,
    }


def name(evidence: Evidence) -> str:
    """Return the name of the trained model, else that of the file that was built."""
    if evidence.metrics:
        return str(evidence.metrics["model"])
    if evidence.manifest:
        return str(evidence.manifest["name"])
    return evidence.directory.name


def weight_bits(evidence: Evidence) -> int | None:
    """Return the weight width of the build: of its widest layer, as it is stored."""
    widths = [layer["w_bits"] for layer in _layers(evidence) if layer["w_bits"]]
    return max(widths, default=None)


def weight_kib(evidence: Evidence) -> float | None:
    """Return the size of the stored weights in KiB."""
    bits = sum(math.prod(e["shape"]) * e["w_bits"] for e in _layers(evidence) if e["w_bits"])
    return bits / 8 / 1024 if bits else None


def trained_bits(evidence: Evidence) -> list[int]:
    """Return the bit widths that were trained, widest first; float is not among them."""
    entries = evidence.metrics["summary"] if evidence.metrics else []
    return sorted({e["weight_bits"] for e in entries if e["method"] != "float"}, reverse=True)


def entry(evidence: Evidence, method: str, bits: int | None) -> dict[str, Any] | None:
    """Return the mean figures of a method at a bit width."""
    entries = evidence.metrics["summary"] if evidence.metrics else []
    wanted = (e for e in entries if e["method"] == method and e["weight_bits"] == bits)
    return next(wanted, None)


def score(evidence: Evidence, method: str, bits: int | None, metric: str) -> float | None:
    """Return the mean of a metric over the runs."""
    found = entry(evidence, method, bits)
    return finite(found[metric]["mean"]) if found else None


def finite(value: float | None) -> float | None:
    """Return ``value``, or None for what is no number: 0 / 0 false detections."""
    return value if value is not None and math.isfinite(value) else None


def layer_rows(evidence: Evidence) -> list[LayerRow]:
    """Return the layers in order, then everything between them if synthesis measured it."""
    modules = {m["name"]: m for m in evidence.synth["modules"]} if evidence.synth else {}
    rows = []
    for layer in _layers(evidence):
        found = modules.pop(layer["name"], None)
        measured = {key: found[key] for key in RESOURCES} if found else None
        rows.append(LayerRow(layer["name"], layer, layer["estimate"], measured))
    if modules:
        rest = {key: sum(m[key] for m in modules.values()) for key in RESOURCES}
        rows.append(LayerRow("streams between layers", None, None, rest))
    return rows


def _layers(evidence: Evidence) -> list[dict[str, Any]]:
    return evidence.manifest["layers"] if evidence.manifest else []


def _verification(evidence: Evidence) -> dict[str, Any]:
    verify = evidence.verify
    if not verify:
        return {"mismatches": None, "compared": None, "samples": None}
    # The reference is the yardstick: it is compared with nothing.
    compared = sum(w["compared"] for w in verify["witnesses"] if w["name"] != "reference")
    return {
        "mismatches": verify["mismatches"], "compared": compared, "samples": verify["samples"],
    }  # fmt: skip


def _timing(evidence: Evidence) -> dict[str, Any]:
    """Return measured cycles, else the predicted ones, and what they are at the clock."""
    predicted = evidence.manifest["predicted"] if evidence.manifest else {}
    measured = evidence.verify or {}
    ii = measured.get("ii_cycles") or predicted.get("ii_cycles")
    latency = measured.get("latency_cycles") or predicted.get("latency_cycles")
    return {
        "ii_cycles": ii,
        "latency_cycles": latency,
        "cycles_are": "measured" if measured.get("ii_cycles") else "predicted",
        "clock_mhz": CLOCK_MHZ,
        "inferences_per_s": CLOCK_MHZ * 1e6 / ii if ii else None,
        "latency_us": latency / CLOCK_MHZ if latency else None,
    }
