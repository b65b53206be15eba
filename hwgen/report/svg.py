"""Two figures as inline SVG; colours and lines come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps ``lo..hi`` to the pixels ``start..end``."""

    lo: float
    hi: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the pixel of ``value``."""
        lo, hi, v = (self.lo, self.hi, value)
        if self.log:
            lo, hi, v = (math.log10(max(x, 1e-9)) for x in (lo, hi, value))
        return self.start + (v - lo) / (hi - lo) * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Curve:
    """A polyline; ``style`` is a class of the style sheet."""

    style: str
    x: FloatArray
    y: FloatArray


_WIDTH, _HEIGHT = 280, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 24, 40
_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_LABELLED = (0.01, 0.1, 1.0)


def det_panel(title: str, curves: Sequence[Curve], mark_frr: float | None) -> Markup:
    """Return a DET panel: false detections over false rejections, both axes logarithmic."""
    x = Axis(_RATES[0], _RATES[-1], _LEFT, _WIDTH - _RIGHT, log=True)
    y = Axis(_RATES[0], _RATES[-1], _HEIGHT - _BOTTOM, _TOP, log=True)
    parts = [_line(x.at(r), y.start, x.at(r), y.end, "grid") for r in _RATES]
    parts += [_line(x.start, y.at(r), x.end, y.at(r), "grid") for r in _RATES]
    if mark_frr:
        parts.append(_line(x.at(mark_frr), y.start, x.at(mark_frr), y.end, "mark"))
    for rate in _LABELLED:
        parts.append(_text(x.at(rate), y.start + 15, f"{rate:.0%}", "tick middle"))
        parts.append(_text(x.start - 6, y.at(rate) + 4, f"{rate:.0%}", "tick end"))
    parts += [_path(curve, x, y) for curve in curves]
    parts += _titles(title, "false rejections", "false detections")
    return _svg(parts, f"DET curves, {title}")


def histogram_panel(title: str, x_label: str, edges: FloatArray, bars: Sequence[Curve]) -> Markup:
    """Return density histograms over common ``edges``; the ``y`` of each is its counts."""
    densities = [Curve(b.style, edges, _density(b.y, edges)) for b in bars]
    peak = max(float(d.y.max()) for d in densities) or 1.0
    x = Axis(float(edges[0]), float(edges[-1]), _LEFT, _WIDTH - _RIGHT)
    y = Axis(0.0, peak * 1.05, _HEIGHT - _BOTTOM, _TOP)
    ticks = np.linspace(edges[0], edges[-1], 5)
    parts = [_line(x.at(t), y.start, x.at(t), y.end, "grid") for t in ticks]
    parts += [_text(x.at(t), y.start + 15, f"{t:g}", "tick middle") for t in ticks]
    parts += [_step(density, x, y) for density in densities]
    parts.append(_line(x.start, y.start, x.end, y.start, "axis"))
    parts += _titles(title, x_label, "density")
    return _svg(parts, f"Histogram, {title}")


def _density(counts: FloatArray, edges: FloatArray) -> FloatArray:
    return np.asarray(counts / max(counts.sum(), 1) / np.diff(edges))


def _titles(title: str, x_label: str, y_label: str) -> list[Markup]:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = Markup('<g transform="translate(11 {:.1f}) rotate(-90)">{}</g>')
    return [
        _text(_LEFT, 14, title, "title"),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, x_label, "label middle"),
        turned.format(middle, _text(0, 0, y_label, "label middle")),
    ]


def _path(curve: Curve, x: Axis, y: Axis) -> Markup:
    inside = (curve.x >= x.lo) & (curve.x <= x.hi) & (curve.y >= y.lo)  # not where y is NaN
    return _polyline(zip(curve.x[inside], curve.y[inside], strict=True), x, y, curve.style)


def _step(curve: Curve, x: Axis, y: Axis) -> Markup:
    corners = [(curve.x[0], 0.0)]
    for left, right, height in zip(curve.x[:-1], curve.x[1:], curve.y, strict=True):
        corners += [(left, height), (right, height)]
    return _polyline([*corners, (curve.x[-1], 0.0)], x, y, curve.style)


def _polyline(points: Iterable[tuple[float, float]], x: Axis, y: Axis, style: str) -> Markup:
    dots = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in points)
    return Markup('<polyline class="{}" points="{}"/>').format(style, dots)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> Markup:
    line = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return line.format(style, x1, y1, x2, y2)


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(style, x, y, text)


def _svg(parts: Iterable[Markup], title: str) -> Markup:
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
    return Markup(head) + Markup("").join(parts) + Markup("</svg>")
