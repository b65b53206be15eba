"""Token-level simulation of a generated top: its handshakes, without data and without Verilator."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

from hwgen.errors import ToolFailed, ToolNotFound
from hwgen.sim.actors import FIFO, Actor, Instance, actor

_FLAGS = ["-O2", "-std=c++17"]


@dataclass(frozen=True, slots=True)
class TokenRun:
    """What a run showed.

    ends  cycle in which each frame left;  peaks  most beats that each FIFO held, by instance
    full  FIFOs that were full when nothing moved any more;  deadlock  that cycle, else None
    """

    ends: tuple[int, ...]
    peaks: Mapping[str, int]
    full: tuple[str, ...]
    deadlock: int | None

    @property
    def ii_cycles(self) -> int | None:
        """Most cycles between frames in the second half; None: there are fewer than three."""
        if len(self.ends) < 3 or self.deadlock is not None:
            return None
        late = self.ends[min(len(self.ends) // 2, len(self.ends) - 3) :]
        return max(after - before for before, after in pairwise(late))


class TokenSimulator:
    """The actors of a top, ready to run with any depths of its FIFOs."""

    def __init__(self, instances: Sequence[Instance], in_beats: int, out_beats: int) -> None:
        self._beats = in_beats, out_beats
        found = (actor(instance) for instance in instances)
        self._actors = [a for a in found if a is not None]
        numbers = _stream_numbers(self._actors)
        self._heads = [_head(a, numbers) for a in self._actors]
        self._tables = [" ".join(map(str, (len(a.numbers), *a.numbers))) for a in self._actors]

    def run(
        self,
        depths: Mapping[str, int],
        *,
        frames: int = 4,
        idle: float = 0.0,
        backpressure: float = 0.0,
        seed: int = 0,
        patience: int = 100_000,
    ) -> TokenRun:
        """Return what happens with FIFOs of other depths than the top's.

        depths              beats, by instance name; others stay as they are
        idle, backpressure  probabilities per cycle of a stall at either end
        patience            cycles without a transfer that count as a deadlock
        raises              ToolNotFound without g++
        """
        head = [frames, *self._beats, idle, backpressure, seed, patience, len(self._actors)]
        lines = [" ".join(map(str, head))]
        for a, streams, table in zip(self._actors, self._heads, self._tables, strict=True):
            other = f"1 {max(depths[a.name], 2)}" if a.kind == FIFO and a.name in depths else ""
            lines.append(f"{streams} {other or table}")
        done = subprocess.run(
            [_executable()], input="\n".join(lines), capture_output=True, text=True
        )
        if done.returncode:
            raise ToolFailed(f"the token simulation ended with {done.returncode}: {done.stderr}")
        said = [line.split() for line in done.stdout.splitlines()]
        names = [a.name for a in self._actors]
        return TokenRun(
            ends=tuple(int(w[1]) for w in said if w[0] == "end"),
            peaks={names[int(w[1])]: int(w[2]) for w in said if w[0] == "peak"},
            full=tuple(names[int(w[1])] for w in said if w[0] == "full"),
            deadlock=next((int(w[1]) for w in said if w[0] == "deadlock"), None),
        )


def _head(a: Actor, numbers: Mapping[str, int]) -> str:
    sources, sinks = ([numbers[s] for s in side] for side in (a.sources, a.sinks))
    return " ".join(map(str, [a.kind, *sources, "|", *sinks, "|"]))


def _stream_numbers(actors: Sequence[Actor]) -> dict[str, int]:
    """Return a number for every stream: 0 enters the first actor, 1 leaves the last."""
    written = {s for a in actors for s in a.sinks}
    read = {s for a in actors for s in a.sources}
    numbers = dict.fromkeys(read - written, 0) | dict.fromkeys(written - read, 1)
    for a in actors:
        for s in (*a.sources, *a.sinks):
            numbers.setdefault(s, len(numbers))
    return numbers


@cache
def _executable() -> Path:
    """Return the compiled simulator, from the user's cache where it is there."""
    source = resources.files("hwgen.sim").joinpath("tokens.cpp").read_text()
    digest = hashlib.sha256("\0".join([source, *_FLAGS]).encode()).hexdigest()[:16]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = home / "hwgen" / f"tokens-{digest}"
    if target.exists():
        return target
    if shutil.which("g++") is None:
        raise ToolNotFound("g++ not found on PATH; sizing FIFOs needs it: apt install g++")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        path = Path(work, "tokens.cpp")
        path.write_text(source)
        command = ["g++", *_FLAGS, "-o", str(Path(work, "tokens")), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise ToolFailed(f"g++ on tokens.cpp failed: {done.stderr.strip()[-500:]}")
        Path(work, "tokens").replace(target)
    return target
