"""Folded graph -> SystemVerilog top, memory images, manifest."""

from hwgen.emit.files import (
    MANIFEST,
    WAVEFORM,
    replacing,
    stream_facts,
    write_json,
    write_rtl,
)
from hwgen.emit.top import TOP, Design, emit_top

__all__ = [
    "MANIFEST",
    "TOP",
    "WAVEFORM",
    "Design",
    "emit_top",
    "replacing",
    "stream_facts",
    "write_json",
    "write_rtl",
]
