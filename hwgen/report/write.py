"""Write report.html, one self-contained file, and report.json."""

from __future__ import annotations

import json
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from hwgen.errors import OutputError
from hwgen.report import words
from hwgen.report.evidence import WRITTEN_BY, Evidence, read_evidence
from hwgen.report.facts import (
    FLOAT_BITS,
    METHODS,
    RESOURCES,
    entry,
    finite,
    layer_rows,
    summary,
    trained_bits,
)
from hwgen.report.figures import det_figure, weight_figure

WITNESSES = {
    "brevitas": "the trained PyTorch model in eval mode (float32)",
    "qonnx": "the QONNX executor on the exported file (float32)",
    "tflite": "the TFLite interpreter with its reference kernels",
    "hls4ml": "the C simulation of hls4ml's own project of the source model",
    "reference": "the integer reference in NumPy, which the others are compared with",
    "csim": "the C simulation that hls4ml generates for Vitis",
    "rtl": "the generated SystemVerilog in Verilator",
    "rtl, random stalls": "the same with random pauses on both streams",
}


def write_report(directory: Path) -> Path:
    """Render what ``directory`` holds; returns the path of ``report.html``.

    raises  HwgenError (nothing there, or a damaged file), OutputError
    """
    evidence = read_evidence(directory)
    content = {
        "summary": summary(evidence),
        "metrics": evidence.metrics["summary"] if evidence.metrics else None,
        **{key: getattr(evidence, key) for key in ("manifest", "verify", "synth")},
    }
    html = directory / "report.html"
    try:
        (directory / "report.json").write_text(json.dumps(_strict(content), indent=2) + "\n")
        html.write_text(_render(evidence), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{html}: cannot be written ({error.strerror}); fix the permissions of its folder."
        ) from None
    return html


def _render(evidence: Evidence) -> str:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "integer": words.integer, "number": words.number, "percent": words.percent,
        "finite": finite,
    }  # fmt: skip
    here = resources.files("hwgen") / "report"
    page = environment.from_string((here / "page.html").read_text(encoding="utf-8"))
    histograms, shown_bits = weight_figure(evidence)
    return page.render(
        style=Markup((here / "page.css").read_text(encoding="utf-8")),
        e=evidence,
        s=summary(evidence),
        rows=layer_rows(evidence),
        bits=trained_bits(evidence),
        entry=lambda method, bits: entry(evidence, method, bits),
        det=det_figure(evidence),
        histograms=histograms,
        shown_bits=shown_bits,
        commands=_commands(evidence),
        float_bits=FLOAT_BITS,
        methods=METHODS,
        resources=RESOURCES,
        witnesses=WITNESSES,
        written_by=WRITTEN_BY,
    )


def _strict(value: Any) -> Any:
    """Return ``value`` with None for each NaN or infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return finite(value) if isinstance(value, float) else value


def _commands(evidence: Evidence) -> list[str]:
    """Return the commands that make this report again."""
    folder = shlex.quote(evidence.directory.resolve().name)
    commands = []
    if evidence.metrics:
        profile = evidence.metrics["profile"]
        model = shlex.quote(evidence.metrics["model"])
        commands.append(f"hwgen train {model} --out train --profile {profile}")
    if evidence.manifest:
        source = shlex.quote(evidence.manifest["source"]["file"])
        options = _folding(evidence.manifest["target"])
        commands.append(" ".join([f"hwgen build {source} --out {folder}", *options]))
    if evidence.verify:
        commands.append(f"hwgen verify {folder} --samples {evidence.verify['samples']}")
    if evidence.synth:
        commands.append(f"hwgen synth {folder} --part {evidence.synth['part']}")
    return [*commands, f"hwgen report {folder}"]


def _folding(target: dict[str, Any]) -> list[str]:
    names = {"reuse": "--reuse", "target_cycles": "--target-cycles", "part": "--part"}
    given = ((names[key], value) for key, value in target.items() if value is not None)
    return [f"{name} {value}" for name, value in given if not isinstance(value, dict)]
