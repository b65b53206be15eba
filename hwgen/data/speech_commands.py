"""A folder in the Google Speech Commands layout: ``word/speaker_nohash_take.wav`` (or FLAC)."""

from pathlib import Path

import numpy as np
import soundfile

from hwgen.data.frontend import DEFAULT, Float64Array, FrontEnd, mfcc, resample
from hwgen.data.mixing import Mixing, add_noise
from hwgen.data.recordings import DataError, Recordings, hash_speakers

SUFFIXES = (".wav", ".flac")
NOISE_FOLDER = "_background_noise_"
UNKNOWN, SILENCE = "_unknown_", "_silence_"


def load_speech_commands(
    folder: Path, folds: int, mixing: Mixing | None = None, front_end: FrontEnd = DEFAULT
) -> Recordings:
    """Return every clip of the folder as MFCC frames, split by the hash of its speaker.

    folder     one sub-folder per word; ``_background_noise_`` holds long noise files and is
               optional; ``_unknown_`` and ``_silence_`` sub-folders are classes of their own
    raises     DataError if no clip is found or a file cannot be read
    """
    mixing = mixing or Mixing()
    clips = _clips(folder)
    noise = [_read(path, front_end) for path in _audio_files(folder / NOISE_FOLDER)]
    rng = np.random.default_rng(mixing.seed)
    features, words, speakers = [], [], []
    for path in clips:
        audio = _read(path, front_end)
        if noise and rng.random() < mixing.noise_share:
            audio = add_noise(audio, _cut(noise, len(audio), rng), rng.uniform(*mixing.snr_db))
        features.append(mfcc(audio, front_end))
        words.append(_class_of(path, mixing))
        speakers.append(_speaker_of(path))
    for take in range(round(mixing.silence_share * len(clips)) if noise else 0):
        features.append(mfcc(_cut(noise, front_end.sample_rate_hz, rng), front_end))
        words.append(SILENCE)
        speakers.append(f"noise{take}")
    classes, labels = np.unique(words, return_inverse=True)
    names = np.array(speakers)
    return Recordings(
        frames=np.concatenate(features),
        lengths=np.array([len(frames) for frames in features], dtype=np.int64),
        labels=np.asarray(labels, dtype=np.int64),
        speakers=names,
        folds=hash_speakers(names, folds),
        classes=tuple(str(name) for name in classes),
        origin=f"{folder.name} (Speech Commands layout), split by the speaker's hash",
    )


def _audio_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)


def _clips(folder: Path) -> list[Path]:
    words = sorted(path for path in folder.glob("*") if path.is_dir() and path.name != NOISE_FOLDER)
    clips = [clip for word in words for clip in _audio_files(word)]
    if not clips:
        raise DataError(
            f"{folder}: no audio found; the folder needs one sub-folder per word with .wav or "
            ".flac files named speaker_nohash_take"
        )
    return clips


def _read(path: Path, front_end: FrontEnd) -> Float64Array:
    try:
        audio, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: not readable as audio ({error}); remove or convert it") from error
    mono = resample(audio.mean(axis=1), rate_hz, front_end.sample_rate_hz)
    if len(mono) <= front_end.window_samples // 2:
        raise DataError(
            f"{path}: {len(mono)} samples at {front_end.sample_rate_hz} Hz are shorter than half "
            f"a window ({front_end.window_samples // 2}); remove the file"
        )
    return np.asarray(mono)


def _cut(noise: list[Float64Array], samples: int, rng: np.random.Generator) -> Float64Array:
    source = noise[rng.integers(len(noise))]
    start = int(rng.integers(len(source)))
    return np.take(source, np.arange(start, start + samples), mode="wrap")


def _class_of(path: Path, mixing: Mixing) -> str:
    word = path.parent.name
    keep = not mixing.words or word in mixing.words or word == SILENCE
    return word if keep else UNKNOWN


def _speaker_of(path: Path) -> str:
    return path.stem.split("_nohash_")[0]
