"""How figures are written."""

from __future__ import annotations

NOTHING = "–"


def integer(value: float | None) -> str:
    """Return 12,345, with one decimal where there is a fraction (half a block RAM)."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def number(value: float | None, digits: int) -> str:
    """Return a fixed number of decimals."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as percent."""
    return NOTHING if value is None else f"{100 * value:.{digits}f} %"
