"""Folded graph -> SystemVerilog top, memory images, manifest."""

from hwgen.emit.files import MANIFEST, replacing, stream_facts, write_json, write_rtl
from hwgen.emit.top import TOP, Design, emit_top

__all__ = [
    "MANIFEST",
    "TOP",
    "Design",
    "emit_top",
    "replacing",
    "stream_facts",
    "write_json",
    "write_rtl",
]
