"""Choose the loader from what the user points at."""

from pathlib import Path

from hwgen.data.fsdd import load_fsdd
from hwgen.data.mixing import Mixing
from hwgen.data.recordings import DataError, Recordings, load_npz


def load(source: str | Path | None, folds: int, mixing: Mixing | None = None) -> Recordings:
    """Return the recordings of a data source, split by speaker into ``folds``.

    source  None: the embedded digits; an ``.npz`` file; or a Speech Commands folder
    mixing  words, noise and silence of a Speech Commands folder
    """
    if source is None:
        return load_fsdd(folds)
    path = Path(source)
    if path.is_dir():
        from hwgen.data.speech_commands import load_speech_commands

        return load_speech_commands(path, folds, mixing)
    if path.is_file() and path.suffix == ".npz":
        return load_npz(path, folds)
    raise DataError(
        f"data source {path} is neither an .npz file nor a folder; pass a file with x, y, group, "
        "a folder with one sub-folder per word, or nothing for the embedded digits"
    )
