"""Run Yosys once: ``python -m hwgen.synth.worker TOP FAMILY RESULT [INSTANCE ...]``.

It runs in the folder of the RTL.  An INSTANCE of the top has constant weights.  A pass that fails
ends the process, so the caller starts one for each synthesis.  RESULT is JSON: ``creator``
(version of Yosys), ``instances`` of the top (name -> module) and ``cells`` (module -> type of
cell -> how many).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pyosys import libyosys as ys

_SYNTH = {
    "xc7": "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
    "ecp5": "synth_lattice -family ecp5 -noiopad",
}
# One row of products is the repeated cell of a layer.  Mapped once instead of PE times, it takes a
# third of the time, and the result is no larger: nothing is shared across rows.  Only constant
# weights must get in, so a layer that has them is flattened first.
_ROW = "hw_dot"
_ROWS = f"*{_ROW} *hw_adder_tree"
# Its products are narrow: a DSP each would exhaust a part long before its LUTs.  Each addition of
# its tree becomes a carry chain before the tree is flattened; as a whole, Yosys would make it one
# compressor of full adders, at two LUTs a bit.
_ARITHMETIC_IN_LUTS = (
    f"proc {_ROWS}",
    f"opt {_ROWS}",
    f"wreduce {_ROWS}",
    f"techmap -map +/techmap.v *{_ROW}/t:$mul",
    f"alumacc {_ROWS}",
)


def main(top: str, family: str, result: Path, constant: Sequence[str]) -> None:
    """Synthesise ``top`` from the ``.sv`` files of the current folder and write ``result``."""
    design = ys.Design()
    sources = " ".join(sorted(path.name for path in Path().glob("*.sv")))
    _run(design, 'logger -werror "implicitly declared"', f"read_verilog -sv -defer {sources}")
    _run(design, f"hierarchy -check -top {top}")
    instances = _keep_instances(design, constant)
    _run(design, *_ARITHMETIC_IN_LUTS)
    _run(design, "scratchpad -set abc9.verify 0", f"{_SYNTH[family]} -top {top}")
    _run(design, "check -assert", f"tee -q -o {result} stat -json")
    statistics = json.loads(result.read_text())
    modules = statistics["modules"]
    cells = {_plain(name): module["num_cells_by_type"] for name, module in modules.items()}
    found = {"creator": statistics["creator"], "instances": instances, "cells": cells}
    result.write_text(json.dumps(found))


def _keep_instances(design: ys.Design, constant: Sequence[str]) -> dict[str, str]:
    """Keep each instance of the top a module of its own; returns instance -> module."""
    cells = design.top_module().cells_.values()
    instances = {_plain(c.name.str()): c.type.str() for c in cells if design.module(c.type)}
    for module in {instances[name] for name in constant}:
        _run(design, f"flatten {module}", f"proc {module}", f"opt {module}", f"wreduce {module}")
        _run(design, f"techmap -map +/techmap.v {module}/t:$mul")
    for module in design.modules_.values():
        name = module.name.str()
        if name in instances.values() or name.endswith(f"\\{_ROW}"):
            module.set_bool_attribute(ys.IdString("\\keep_hierarchy"))
    return {name: _plain(module) for name, module in instances.items()}


def _plain(identifier: str) -> str:
    """Return a name without the backslash that marks those of the source."""
    return identifier.removeprefix("\\")


def _run(design: ys.Design, *passes: str) -> None:
    for command in passes:
        ys.run_pass(command, design)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
