"""A build directory made by hand, with every file that a report reads."""

import json

import numpy as np

EVIL = '"; exec <script>alert(1)</script>'


def write_build(folder, **changes):
    """Write the files of a build; ``changes`` replaces a file's content, None leaves it out."""
    folder.mkdir(exist_ok=True)
    for name, value in (content() | changes).items():
        if value is None:
            continue
        if name == "weights":
            np.savez(folder / "weights.npz", **value)
        else:
            (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


def content():
    return {
        "metrics": metrics(),
        "det": [
            {"fold": fold, "method": method, "weight_bits": bits,
             "frr": [0.9, 0.5, 0.1, 0.02], "fdr": [0.0, 0.05, 0.2, 0.6]}
            for fold in (0, 1)
            for method, bits in (
                ("float", None), ("two-stage", 4), ("ptq", 4), ("one-stage", 4), ("two-stage", 1),
            )
        ],
        "weights": {
            "p_edges": np.linspace(-4, 4, 9), "w_edges": np.linspace(-1, 1, 5),
            **{f"p_{bits}": np.arange(8) for bits in (32, 4)},
            **{f"w_{bits}": np.arange(4) for bits in (32, 4)},
        },
        "manifest": manifest(),
        "verify": verify(),
        "synth": synth(),
    }  # fmt: skip


def metrics():
    def entry(method, bits, relative, accuracy):
        values = {"frr": 0.1, "fdr": 0.2, "relative_fdr": relative, "accuracy": accuracy}
        means = {name: {"mean": value, "spread": 0.01} for name, value in values.items()}
        return {"method": method, "weight_bits": bits, "runs": 2, "weight_kib": 7.5 * bits,
                "macs": 61440, **means}  # fmt: skip

    return {
        "model": "kws", "data": "spoken digits", "profile": "demo", "macs": 61440,
        "operating_frr": 0.1, "runs": [],
        "summary": [
            entry("float", 32, 1.0, 0.95),
            entry("two-stage", 4, 0.97, 0.941), entry("ptq", 4, 1.3, 0.92),
            entry("one-stage", 4, 1.1, 0.93), entry("two-stage", 1, float("nan"), 0.9),
        ],
    }  # fmt: skip


def manifest(name="fc1"):
    def layer(name, kind, shape, cycles, **more):
        return {"name": name, "kind": kind, "shape": shape, "simd": None, "pe": 4, "order": None,
                "w_bits": None, "x_bits": 8, "acc_bits": 14, "y_bits": 8, "cycles": cycles,
                "estimate": {"lut": 900.4, "ff": 80, "bram36": 1.5, "dsp": 0}, **more}  # fmt: skip

    fold = {"simd": 8, "order": "row", "w_bits": 4}
    return {
        "name": name, "hwgen_version": "0.1.0",
        "source": {"file": "model.onnx", "sha256": "ab" * 32}, "top": "top",
        "target": {"reuse": None, "target_cycles": 1024, "part": None},
        "layers": [
            layer(name, "Dense", [320, 128], 1280, **fold),
            layer("act", "Threshold", [128, 128], 32),
            layer("fc2", "Dense", [128, 160], 640, **fold),
        ],
        "predicted": {"ii_cycles": 1280, "latency_cycles": 1500},
        "tools": {"onnx": "1.2.3"},
    }  # fmt: skip


def verify(mismatches=0):
    witnesses = [
        {"name": name, "compared": 1000, "mismatches": 0, "ties": 0, "seconds": 1.0}
        for name in ("brevitas", "qonnx", "reference", "csim")
    ]
    rtl = {"name": "rtl", "compared": 1000, "mismatches": mismatches, "ties": 0, "seconds": 2.0}
    first = {"witness": "rtl", "layer": "fc2", "tensor": "y", "sample": 3, "channel": 7,
             "position": [2, 4], "expected": -5, "got": 6}  # fmt: skip
    return {
        "samples": 50, "inputs": "real, frames.npy", "mismatches": mismatches,
        "ii_cycles": 1281.0, "latency_cycles": 1600, "witnesses": [*witnesses, rtl],
        "first_mismatch": first if mismatches else None,
    }  # fmt: skip


def synth(name="fc1", dsp=3):
    def module(name, lut, ff, bram36, dsp):
        return {"name": name, "module": "hw_dense", "lut": lut, "lutram": 2, "ff": ff, "carry": 5,
                "bram36": bram36, "dsp": dsp}  # fmt: skip

    modules = [module(name, 3000, 200, 4.5, 0), module("act", 150, 90, 0.0, dsp),
               module("fc2", 2000, 180, 2.0, 0), module("act_fifo", 40, 30, 0.0, 0)]  # fmt: skip
    return {
        "part": "xc7a35t", "lut": 5190, "lutram": 8, "ff": 500, "carry": 20, "bram36": 6.5,
        "dsp": dsp, "fmax_mhz": None,
        "budget": {"lut": 20800, "ff": 41600, "bram36": 50, "dsp": 90}, "modules": modules,
        "tools": {"yosys": "Yosys 0.70 (git sha1 0, Release)"}, "seconds": 12.3,
    }  # fmt: skip
