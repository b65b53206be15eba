"""Stage 1, data: features and labels, split by speaker."""

from hwgen.data.fsdd import load_fsdd
from hwgen.data.load import load
from hwgen.data.mixing import Mixing
from hwgen.data.recordings import DataError, Recordings, load_npz
from hwgen.data.stream import Fold, KeywordTask, Stream

__all__ = [
    "DataError",
    "Fold",
    "KeywordTask",
    "Mixing",
    "Recordings",
    "Stream",
    "load",
    "load_fsdd",
    "load_npz",
]
