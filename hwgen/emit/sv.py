"""SystemVerilog as objects: instances, wires, one module; ``str(module)`` is the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | str


@dataclass(frozen=True, slots=True)
class Port:
    """One port; ``width`` in bits."""

    name: str
    direction: str  # "input" or "output"
    width: int = 1

    def __str__(self) -> str:
        return f"{self.direction:<6} logic {_range(self.width)}{self.name}"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance with named parameters and ports; string parameters are quoted."""

    module: str
    name: str
    params: Mapping[str, Value]
    ports: Mapping[str, str]

    def __str__(self) -> str:
        params = ",\n".join(f"    .{k}({_literal(v)})" for k, v in self.params.items())
        ports = ",\n".join(f"    .{k}({v})" for k, v in self.ports.items())
        return f"  {self.module} #(\n{params}\n  ) {self.name} (\n{ports}\n  );"


@dataclass(slots=True)
class Module:
    """A module of wires, assignments and instances, in the order in which they were added."""

    name: str
    ports: tuple[Port, ...]
    header: str = ""
    body: list[str] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)

    def wire(self, name: str, width: int = 1) -> None:
        """Declare a wire."""
        self.body.append(f"  logic {_range(width)}{name};")

    def assign(self, target: str, value: str) -> None:
        """Drive a wire or port."""
        self.body.append(f"  assign {target} = {value};")

    def add(self, instance: Instance) -> None:
        """Add an instance."""
        self.body.append(str(instance))
        self.instances.append(instance)

    def comment(self, text: str) -> None:
        """Start a paragraph."""
        self.body.append(f"\n  // ---- {text}")

    def __str__(self) -> str:
        ports = ",\n".join(f"  {port}" for port in self.ports)
        lines = "\n".join(self.body)
        return f"{self.header}module {self.name} (\n{ports}\n);\n{lines}\n\nendmodule\n"


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "


def _literal(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
