"""The command line: one executable, one paragraph and exit code 2 where something is wrong."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import hwgen
from hwgen.errors import HwgenError, OutputError

_NEEDED = {
    "brevitas": "model.pt of hwgen train", "qonnx": "model.onnx", "tflite": "model.tflite",
    "hls4ml": "hls4ml.tar.gz of a Keras or PyTorch model",
}  # fmt: skip
_ENGINES = ("rtl", "reference", "csim")
_WITNESSES = ("brevitas", "qonnx", "tflite", "hls4ml", "reference", "csim", "rtl")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a proof failed, 2 a user's error."""
    args = _parser().parse_args(argv)
    warnings.filterwarnings("ignore", "fast_hadamard_transform")  # Brevitas, about a GPU kernel
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as on Ctrl-C
    try:
        return int(args.command(args))
    except HwgenError as error:
        print(f"hwgen: error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("hwgen: error: interrupted; nothing half written is left.", file=sys.stderr)
    except OSError as error:
        where = error.filename or "output"
        print(f"hwgen: error: {where}: {error.strerror or error}; check the path and its "
              "permissions.", file=sys.stderr)  # fmt: skip
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hwgen", description=hwgen.__doc__)
    parser.add_argument("--version", action="version", version=f"hwgen {hwgen.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_build(commands)
    _add_verify(commands)
    _add_run(commands)
    _add_rest(commands)
    return parser


def _command(commands: Any, name: str, call: Callable[..., int], text: str) -> Any:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=call)
    return parser


def _add_train(commands: Any) -> None:
    p = _command(commands, "train", _train, "two-stage QAT of a model; exports QONNX per bit width")
    p.add_argument("model", help="a folder of models/, by name or path (kws_mlp)")
    p.add_argument("--out", type=Path, required=True, help="checkpoints, QONNX, metrics")
    p.add_argument("--weight-bits", type=int, nargs="+", help="default: as in train.toml")
    p.add_argument("--folds", type=int, nargs="+", help="held-out speaker folds; default: all")
    p.add_argument("--data", help="Speech Commands folder or .npz; default: the embedded digits")
    p.add_argument("--profile", choices=("full", "demo"), default="full", help="length of training")
    p.add_argument("--restart", action="store_true", help="ignore earlier checkpoints in --out")


def _add_build(commands: Any) -> None:
    p = _command(
        commands, "build", _build, "QONNX or TFLite -> integer graph, RTL, memories, manifest"
    )
    p.add_argument("file", type=Path, help="QONNX (.onnx) or int8 TFLite (.tflite) model")
    p.add_argument("--out", type=Path, required=True, help="build directory")
    fold = p.add_mutually_exclusive_group()
    fold.add_argument("--target-cycles", type=_positive, help="cycles per inference, at most")
    fold.add_argument("--reuse", type=_positive, help="reuse factor of every layer, as in hls4ml")
    fold.add_argument("--folding", type=Path, help="JSON: {layer: {SIMD: n, PE: n}}, as in FINN")
    p.add_argument("--part", help="check the part's budget; alone: the fastest folding that fits")


def _add_verify(commands: Any) -> None:
    p = _command(commands, "verify", _verify, "all witnesses on the same inputs, bit for bit")
    p.add_argument("dir", type=Path, help="build directory")
    p.add_argument("--samples", type=_positive, default=1000, help="inputs (default 1000)")
    p.add_argument("--input", type=Path, help=".npy; default: the build's real frames, or random")
    p.add_argument("--witness", choices=_WITNESSES, nargs="+", help="default: all there are")
    p.add_argument("--seed", type=_natural, default=0, help="of random inputs")


def _add_run(commands: Any) -> None:
    p = _command(commands, "run", _run, "any data through the hardware, in the model's own units")
    p.add_argument("dir", type=Path, help="build directory")
    p.add_argument("--input", type=Path, required=True, help=".npy, batch first")
    p.add_argument("--output", type=Path, required=True, help=".npy, dequantized")
    p.add_argument("--engine", choices=_ENGINES, default="rtl")


def _add_rest(commands: Any) -> None:
    p = _command(commands, "synth", _synth, "LUT, FF, BRAM and DSP with Yosys")
    p.add_argument("dir", type=Path, help="build directory")
    p.add_argument("--part", default="xc7a100t")
    p = _command(commands, "vitis", _vitis, "hls4ml Vitis project from the integer graph + csim")
    p.add_argument("file", type=Path, help="QONNX (.onnx) or int8 TFLite (.tflite) model")
    p.add_argument("--out", type=Path, required=True, help="project folder")
    p.add_argument("--samples", type=_positive, default=200, help="random inputs of the check")
    p = _command(commands, "report", _report, "report.html and report.json of a build directory")
    p.add_argument("dir", type=Path, help="build directory")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one paragraph, like all others."""

    def error(self, message: str) -> NoReturn:
        """Print ``message`` and leave with exit code 2."""
        print(f"hwgen: error: {message}; see {self.prog} --help.", file=sys.stderr)
        sys.exit(2)


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} must not be negative")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be at least 1")
    return value


# ---- commands ---------------------------------------------------------------------------------
def _train(args: argparse.Namespace) -> int:
    from hwgen import flow

    files = flow.train(
        args.model, args.out, weight_bits=args.weight_bits, folds=args.folds, data=args.data,
        profile=args.profile, resume=not args.restart,
    )  # fmt: skip
    for path in files:
        print(f"wrote {path}")
    print(f"wrote {args.out / 'metrics.json'}")
    return 0


def _build(args: argparse.Namespace) -> int:
    from hwgen import flow
    from hwgen.witnesses import open_build

    reuse = args.reuse if args.folding is None else flow.load_folding(args.folding)
    folding = {"reuse": reuse, "target_cycles": args.target_cycles, "part": args.part}
    build = open_build(flow.build(args.file, args.out, **folding))
    facts = build.manifest
    for layer in facts["layers"]:
        fold = (
            f"SIMD {layer['simd']:<4} PE {layer['pe']:<4} {layer['order']}" if layer["simd"] else ""
        )
        shape = " x ".join(map(str, layer["shape"]))
        print(f"  {layer['name']:<24} {layer['kind']:<10} {shape:<11} {fold:<24} "
              f"{layer['cycles']:>7} cycles")  # fmt: skip
    estimate = facts["estimate"]
    print(
        f"{facts['predicted']['ii_cycles']} cycles per inference; estimate {estimate['lut']:.0f} "
        f"LUT, {estimate['ff']:.0f} FF, {estimate['bram36']:g} BRAM36, {estimate['dsp']:.0f} DSP"
    )
    if facts["left_to_host"]:
        print(f"left to the host, after the accelerator: {', '.join(facts['left_to_host'])}")
    print(f"wrote {args.out}: {build.source.name} graph.json manifest.json rtl/")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from hwgen import flow
    from hwgen.sim.compare import Verdict

    def heard(v: Verdict) -> None:
        ties = f", {v.ties} proved float32 ties" if v.ties else ""
        print(f"  {v.name:<20} {v.compared:>10} integers  {v.mismatches:>6} mismatches{ties}"
              f"  {v.seconds:6.1f} s", flush=True)  # fmt: skip

    result = flow.verify(
        args.dir, samples=args.samples, inputs=args.input, witnesses=args.witness, seed=args.seed,
        heard=heard,
    )  # fmt: skip
    for name in result["not_run"]:
        print(f"  {name:<20} not run: {args.dir} has no {_NEEDED[name]}")
    print(f"{result['samples']} samples ({result['inputs']}): {result['mismatches']} mismatches")
    if "ii_cycles" in result:
        print(f"RTL: {result['ii_cycles']} cycles per inference back to back, latency "
              f"{result['latency_cycles']} cycles")  # fmt: skip
    if result["first_mismatch"]:
        _print_mismatches(result)
    print(f"wrote {args.dir / 'verify.json'}")
    return 1 if result["mismatches"] else 0


def _print_mismatches(result: dict[str, Any]) -> None:
    """Print the first difference of each witness, the waveform, what is to blame."""
    columns = "  {:<20} {:<28} {:>7} {:>12} {:>6} {:>8} {:>10} {:>10}"
    print("first difference of each witness, in the order layer, sample, position, channel:")
    print(columns.format("witness", "layer", "channel", "position", "sample", "cycle", "expected",
                         "got"))  # fmt: skip
    firsts = [w["first_mismatch"] for w in result["witnesses"] if w["first_mismatch"]]
    for m in firsts:
        layer = " or ".join([*m["unseen"], m["layer"]])
        position = ", ".join(map(str, m["position"])) or "-"
        cycle = "-" if m["cycle"] is None else m["cycle"]
        print(columns.format(m["witness"], layer, m["channel"], position, m["sample"], cycle,
                             m["expected"], m["got"]))  # fmt: skip
    for witness in result["witnesses"]:
        if witness["complaint"]:
            print(f"{witness['name']}: assertion failed, {witness['complaint']}")
    for m in firsts:
        if m["waveform"]:
            print(f"wrote {m['waveform']}: waveform around cycle {m['cycle']} of {m['witness']}, "
                  f"the top's streams and the inside of {m['instance']}; two time units a cycle, "
                  f"the wrong beat is on {m['tensor']}_tdata at {2 * m['cycle']}")  # fmt: skip
    print(f"diagnosis: {result['diagnosis']}")


def _run(args: argparse.Namespace) -> int:
    from hwgen import flow

    if not args.output.parent.is_dir():
        raise OutputError(f"{args.output}: its folder does not exist; create it first.")
    y = flow.run(args.dir, flow.load_array(args.input), engine=args.engine)
    with args.output.open("wb") as file:  # numpy.save would add .npy to another name
        np.save(file, y)
    print(f"wrote {args.output}: {' x '.join(map(str, y.shape))}, engine {args.engine}")
    return 0


def _synth(args: argparse.Namespace) -> int:
    from hwgen import flow

    facts = flow.synthesise(args.dir, part=args.part)
    counts = ", ".join(f"{facts[k]} {k.upper()}" for k in ("lut", "lutram", "ff", "bram36", "dsp"))
    print(f"{facts['part']}: {counts}")
    print(f"wrote {args.dir / 'synth.json'}")
    return 0


def _vitis(args: argparse.Namespace) -> int:
    from hwgen import flow

    verdict = flow.vitis(args.file, args.out, samples=args.samples)
    print(f"C simulation: {verdict.compared} integers, {verdict.mismatches} mismatches")
    print(f"wrote {args.out}: hls4ml Vitis project (vitis_hls -f build_prj.tcl)")
    return 1 if verdict.mismatches else 0


def _report(args: argparse.Namespace) -> int:
    from rich.console import Console

    from hwgen import flow
    from hwgen.report import terminal_summary

    path = flow.report(args.dir)
    Console().print(terminal_summary(args.dir))
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
