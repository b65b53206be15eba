"""Recordings: what every loader returns, features per frame with word, speaker and fold."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwgen.errors import HwgenError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class DataError(HwgenError):
    """A data source is missing or not in the layout that its loader reads."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings as one block of frames, in the order of ``lengths``.

    frames    (sum of lengths, features) float32, not normalised
    lengths   (n,) frames of each recording
    labels    (n,) index into ``classes``
    speakers  (n,) speaker (or subject) of each recording
    folds     (n,) the fold in which a recording is held out, a function of its speaker
    classes   names of the words
    origin    one line for reports: which data this is
    """

    frames: FloatArray
    lengths: IntArray
    labels: IntArray
    speakers: npt.NDArray[np.str_]
    folds: IntArray
    classes: tuple[str, ...]
    origin: str

    def __len__(self) -> int:
        return len(self.lengths)

    def starts(self) -> IntArray:
        """Return the first frame of each recording, (n,)."""
        return np.concatenate(([0], np.cumsum(self.lengths)[:-1])).astype(np.int64)


def deal_speakers(speakers: npt.NDArray[np.str_], folds: int) -> IntArray:
    """Return the fold of each recording when the sorted speakers are dealt in equal blocks.

    For few speakers: every fold holds out the same number of them (plus or minus one).
    """
    names, index = np.unique(speakers, return_inverse=True)
    if len(names) < folds:
        raise DataError(
            f"{len(names)} speakers cannot be held out in {folds} folds: every fold needs its own "
            f"speaker; use at most {len(names)} folds"
        )
    return np.asarray(index * folds // len(names), dtype=np.int64)


def hash_speakers(speakers: npt.NDArray[np.str_], folds: int) -> IntArray:
    """Return the fold of each recording from the SHA-1 of its speaker's name.

    For many speakers: a speaker stays in its fold when recordings are added, as in the Speech
    Commands data set's own split (Warden, arXiv 1804.03209, section 5.4).
    """
    fold_of = {name: int(sha1(name.encode()).hexdigest(), 16) % folds for name in set(speakers)}
    return np.array([fold_of[name] for name in speakers], dtype=np.int64)


def load_npz(path: Path, folds: int) -> Recordings:
    """Return the recordings of an ``.npz`` with ``x``, ``y`` and ``group``.

    x      (n, features) or (n, frames, features), numbers
    y      (n,) class of each row, integers or names
    group  (n,) speaker or subject of each row
    """
    with np.load(path, allow_pickle=False) as archive:
        missing = {"x", "y", "group"} - set(archive)
        if missing:
            raise DataError(
                f"{path}: no array named {', '.join(sorted(missing))}; the file needs x, y and "
                "group (save it with numpy.savez(path, x=..., y=..., group=...))"
            )
        x, y, group = (archive[name] for name in ("x", "y", "group"))
    if x.ndim not in (2, 3) or not len(x) == len(y) == len(group):
        raise DataError(
            f"{path}: x has shape {x.shape}, y {y.shape}, group {group.shape}; x must be "
            "(n, features) or (n, frames, features) with n entries in y and group"
        )
    frames = x.reshape(len(x), -1, x.shape[-1]).astype(np.float32)
    classes, labels = np.unique(y, return_inverse=True)
    speakers = group.astype(np.str_)
    return Recordings(
        frames=frames.reshape(-1, x.shape[-1]),
        lengths=np.full(len(x), frames.shape[1], dtype=np.int64),
        labels=np.asarray(labels, dtype=np.int64),
        speakers=speakers,
        folds=deal_speakers(speakers, folds),
        classes=tuple(str(name) for name in classes),
        origin=path.name,
    )
