"""Names of the integer graph: legal in SystemVerilog, C++ and Tcl, whatever the source has."""

from __future__ import annotations

import re

_MAX_NAME = 64
_MADE_UP = re.compile(r"(^(codes|beat|unused|top)|_(out|reg|fifo|last|beat|x\d+))$", re.IGNORECASE)


def identifier(name: str) -> str:
    """Return a legal SystemVerilog, C++ and Tcl identifier for an arbitrary node name.

    It differs from every name that the generated top makes up, and has no double underscore,
    which Verilator keeps for itself.
    """
    stem = re.sub(r"[\W_]+", "_", name, flags=re.ASCII)[:_MAX_NAME].strip("_") or "layer"
    stem = stem if stem[0].isalpha() else f"n{stem}"
    return f"{stem}_n" if _MADE_UP.search(stem) else stem


class Names:
    """Identifiers, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, name: str) -> str:
        """Return the identifier of ``name``, with a number behind it if it is taken."""
        stem = identifier(name)
        candidate, i = stem, 2
        while candidate.lower() in self._taken:
            candidate, i = f"{stem}_{i}", i + 1
        self._taken.add(candidate.lower())
        return candidate
