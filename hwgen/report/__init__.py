"""Render what a build directory holds: report.html, report.json, a summary for the terminal."""

from hwgen.report.terminal import terminal_summary
from hwgen.report.write import write_report

__all__ = ["terminal_summary", "write_report"]
