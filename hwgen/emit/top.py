"""The generated top: AXI4-Stream in and out, one instance per layer, FIFOs between them."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.emit.layers import emit_layer
from hwgen.emit.stream import Stream, buffer, clocked, declare, fork, resize
from hwgen.emit.sv import Instance, Module, Port
from hwgen.graph.ir import (
    Dense,
    Folded,
    Graph,
    Head,
    Layer,
    Order,
    Window,
    XnorDense,
    inputs,
)

TOP = "top"


@dataclass(frozen=True, slots=True)
class Design:
    """Generated text and what a host or a simulator must know about the streams."""

    text: str
    memories: dict[str, list[str]]
    input: Stream
    output: Stream
    probes: tuple[Stream, ...]  # the output stream of every layer, named as its tensor
    instances: tuple[Instance, ...]


def padded_bytes(stream: Stream) -> int:
    """Return the bytes of one beat at the AXI4-Stream boundary."""
    return (stream.width + 7) // 8


def emit_top(graph: Graph, header: str) -> Design:
    """Return the design of a folded graph; ``header`` is the comment above the module."""
    entry = graph.tensor(graph.input)
    lanes = graph.entry_lanes
    source = Stream(entry.name, entry.type, lanes, entry.values // lanes)
    body = Module(TOP, ())
    plumbing = _Plumbing(graph, body)
    plumbing.publish(graph.input, _enter(body, source), 1)
    probes: list[Stream] = []
    memories: dict[str, list[str]] = {}
    for layer in graph.layers:
        body.comment(layer.name)
        sources = plumbing.sources(layer)
        emitted = emit_layer(layer, sources, graph)
        stream = declare(body, emitted.stream)
        body.add(emitted.instance)
        probes.append(stream)
        memories |= emitted.memories
        channels = graph.tensor(layer.y).size
        plumbing.publish(layer.y, stream, _burst(layer, channels, plumbing.burst[layer.x]))
    _leave(body, stream)
    about = f"{header}{_about('s_axis', source)}{_about('m_axis', stream)}\n"
    top = Module(TOP, _ports(source, stream), about, body.body)
    return Design(str(top), memories, source, stream, tuple(probes), tuple(body.instances))


class _Plumbing:
    """What lies between layers: forks where several read a tensor, width converters, FIFOs."""

    def __init__(self, graph: Graph, top: Module) -> None:
        self._graph, self._top = graph, top
        self._branches: dict[str, list[Stream]] = {}  # of a tensor, one for each read to come
        self.burst: dict[str, int] = {}  # beats of a tensor that arrive in a row

    def publish(self, tensor: str, stream: Stream, burst: int) -> None:
        """Offer a tensor to its readers."""
        names = [
            f"{tensor}_to_{layer.name}{'_other' if at else ''}"
            for layer in self._graph.layers
            for at, name in enumerate(inputs(layer))
            if name == tensor
        ]
        self._branches[tensor] = fork(self._top, stream, names)
        self.burst[tensor] = burst

    def sources(self, layer: Layer) -> list[Stream]:
        """Return the streams that a layer reads, as wide as it reads them, FIFOs included."""
        streams = [(self._branches[name].pop(0), self.burst[name]) for name in inputs(layer)]
        if not isinstance(layer, Folded):
            return [stream for stream, _ in streams]
        wide = [resize(self._top, s, layer.fold.simd, burst) for s, burst in streams]
        depths = (layer.fold.fifo_depth, layer.fold.other_depth)
        pairs = zip(wide, depths, strict=False)
        return [buffer(self._top, s, depth) if depth else s for s, depth in pairs]


def _burst(layer: Layer, channels: int, before: int) -> int:
    """Return the beats that leave a layer in a row, of which ``before`` come in a row.

    A row-wise layer spreads its outputs over the vector, a column-wise one does not.
    """
    match layer:
        case Window():
            return 1
        case Dense() | XnorDense() if layer.fold.order is Order.ROW:
            return 1
        case _:
            return channels // layer.fold.pe if isinstance(layer, Head) else before


def _about(port: str, stream: Stream) -> str:
    """Return the comment line on one port of the top."""
    sign = "two's complement" if stream.type.signed else "unsigned"
    tlast = "is ignored" if port == "s_axis" else "marks the last beat"
    return (
        f"// {port}: {stream.beats} beats per frame, {stream.lanes} lanes of {stream.type.bits} "
        f"bits, {sign}, lane 0 lowest; tlast {tlast}\n"
    )


def _ports(source: Stream, sink: Stream) -> tuple[Port, ...]:
    return (
        Port("clk", "input"),
        Port("rst", "input"),
        Port("s_axis_tdata", "input", 8 * padded_bytes(source)),
        Port("s_axis_tvalid", "input"),
        Port("s_axis_tready", "output"),
        Port("s_axis_tlast", "input"),
        Port("m_axis_tdata", "output", 8 * padded_bytes(sink)),
        Port("m_axis_tvalid", "output"),
        Port("m_axis_tready", "input"),
        Port("m_axis_tlast", "output"),
    )


def _enter(top: Module, source: Stream) -> Stream:
    """Strip the byte padding and cut the ready path.  Frames are counted, tlast is not needed."""
    top.comment("input")
    declare(top, source)
    top.assign(f"{source.name}_tdata", f"s_axis_tdata[{source.width - 1}:0]")
    top.assign(f"{source.name}_tvalid", "s_axis_tvalid")
    top.assign("s_axis_tready", f"{source.name}_tready")
    pad = 8 * padded_bytes(source) - source.width
    rest = f", s_axis_tdata[{8 * padded_bytes(source) - 1}:{source.width}]" if pad else ""
    top.wire("unused")
    top.assign("unused", f"&{{1'b0, s_axis_tlast{rest}}}")
    return _register(top, source)


def _leave(top: Module, stream: Stream) -> None:
    """Pad to bytes, one lane with its sign, and mark the last beat of each frame."""
    top.comment("output")
    last = _register(top, stream)
    pad = 8 * padded_bytes(stream) - stream.width
    data = f"{last.name}_tdata"
    highest = f"{data}[{stream.width - 1}]" if stream.width > 1 else data  # one bit is a scalar
    sign = highest if stream.lanes == 1 and stream.type.signed else "1'b0"
    top.assign("m_axis_tdata", f"{{{{{pad}{{{sign}}}}}, {data}}}" if pad else data)
    top.assign("m_axis_tvalid", f"{last.name}_tvalid")
    top.assign(f"{last.name}_tready", "m_axis_tready")
    count_w = max((stream.beats - 1).bit_length(), 1)
    top.wire("beat", count_w)
    top.wire("beat_last")
    ports = {
        "clk": "clk", "rst": "rst", "en": "m_axis_tvalid && m_axis_tready",
        "count_o": "beat", "last_o": "beat_last",
    }  # fmt: skip
    top.add(Instance("hw_counter", "u_beat", {"N": stream.beats}, ports))
    top.assign("m_axis_tlast", "beat_last")
    top.wire("unused_beat")
    top.assign("unused_beat", "&{1'b0, beat}")


def _register(top: Module, stream: Stream) -> Stream:
    name = f"{stream.name}_reg"
    sink = declare(top, Stream(name, stream.type, stream.lanes, stream.beats))
    params = {"DATA_W": stream.width}
    top.add(Instance("hw_axis_register", f"u_{name}", params, clocked(stream, sink)))
    return sink
