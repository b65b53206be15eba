"""A keyword in a stream: recordings set end to end, and windows of frames with their context."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from hwgen.data.frontend import DEFAULT
from hwgen.data.recordings import DataError, FloatArray, IntArray, Recordings
from hwgen.data.warp import warp_factors, warp_matrix

Grouping = Literal["speaker", "training"]
VOICES = 12  # vocal tracts that a training recording is heard with, besides its own


@dataclass(frozen=True, slots=True)
class Stream:
    """Recordings in one random order, end to end, as a microphone would hear them.

    frames    (frames, features) float32, standardised
    labels    (frames,) 1 inside the keyword, else 0
    keywords  (n, 2) first frame and frame after the last of each keyword
    left, right  frames of context before and after the frame that a window answers for
    """

    frames: FloatArray
    labels: IntArray
    keywords: IntArray
    left: int
    right: int

    def __len__(self) -> int:
        return len(self.frames)

    def windows(self, positions: IntArray) -> FloatArray:
        """Return the network inputs of some frames, (positions, window * features).

        A window is what the frame shift register in front of the network holds, oldest frame
        first; before the first and after the last frame the end frames repeat.
        """
        offsets = np.arange(-self.left, self.right + 1)
        index = np.clip(positions[:, None] + offsets, 0, len(self) - 1)
        return np.asarray(self.frames[index].reshape(len(positions), -1))


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Constants that frames were standardised with: ``(frame - mean) / deviation``.

    speakers   (n,) whose frames each row is for; the one name "*" means everybody's
    mean, deviation  (n, features) float32
    """

    speakers: npt.NDArray[np.str_]
    mean: FloatArray
    deviation: FloatArray


@dataclass(frozen=True, slots=True)
class Fold:
    """One split by speaker: training streams and held-out streams of standardised frames.

    variants  (voices, frames, features) the training frames as other vocal tracts would sound;
              training draws one voice for each recording
    """

    recordings: Recordings
    variants: FloatArray
    standardisation: Standardisation
    keyword: int
    held_out: int
    left: int
    right: int
    test_count: int
    stretch: float

    @property
    def name(self) -> str:
        """The held-out speakers (or how many, where there are many)."""
        names = sorted(set(self.recordings.speakers[self._rows(held_out=True)]))
        return "+".join(names) if len(names) <= 4 else f"{len(names)} speakers"

    def train_stream(self, seed: int) -> Stream:
        """Return all training recordings in random order, each at a new speed in a new voice."""
        return self._stream(self._rows(held_out=False), seed, self.variants, self.stretch)

    def test_streams(self) -> tuple[Stream, ...]:
        """Return the held-out recordings in several fixed random orders."""
        rows = self._rows(held_out=True)
        plain = self.recordings.frames[None]
        return tuple(self._stream(rows, seed, plain, 0.0) for seed in range(self.test_count))

    def _rows(self, *, held_out: bool) -> IntArray:
        return np.flatnonzero((self.recordings.folds == self.held_out) == held_out)

    def _stream(self, rows: IntArray, seed: int, voices: FloatArray, stretch: float) -> Stream:
        rng = np.random.default_rng(seed)
        order = rng.permutation(rows)
        voice = rng.integers(len(voices), size=len(order))
        speeds = rng.uniform(1 - stretch, 1 + stretch, len(order))
        starts, lengths = self.recordings.starts()[order], self.recordings.lengths[order]
        spoken = np.maximum(1, np.round(lengths * speeds)).astype(np.int64)
        ends = np.cumsum(spoken)
        within = np.arange(ends[-1]) - np.repeat(ends - spoken, spoken)
        place = within * np.repeat((lengths - 1) / np.maximum(spoken - 1, 1), spoken)
        first = np.repeat(voice * voices.shape[1] + starts, spoken)
        is_keyword = self.recordings.labels[order] == self.keyword
        return Stream(
            frames=_between(voices.reshape(-1, voices.shape[-1]), first, place),
            labels=np.repeat(is_keyword, spoken).astype(np.int64),
            keywords=np.stack([ends - spoken, ends], axis=1)[is_keyword],
            left=self.left,
            right=self.right,
        )


def _between(frames: FloatArray, starts: IntArray, place: npt.NDArray[np.float64]) -> FloatArray:
    """Return frames at fractional places after ``starts``, linear between their neighbours."""
    below, above = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    share = (place - below)[:, None].astype(np.float32)
    return np.asarray(frames[starts + below] * (1 - share) + frames[starts + above] * share)


def standardise(
    recordings: Recordings, fold: int, by: Grouping
) -> tuple[Recordings, Standardisation]:
    """Return the recordings with every feature at mean 0 and deviation 1, and the constants.

    by  "speaker": constants of each speaker's own frames, no labels (cepstral mean and variance
        normalisation, as a device does for its user and microphone); "training": constants of the
        frames not held out in ``fold``, for everybody
    """
    of_frame = np.repeat(np.arange(len(recordings)), recordings.lengths)
    everybody = np.full(len(recordings), "*")
    names, group = np.unique(
        recordings.speakers if by == "speaker" else everybody, return_inverse=True
    )
    used = np.ones(len(recordings), bool) if by == "speaker" else recordings.folds != fold
    mean, deviation = np.empty((2, len(names), recordings.frames.shape[1]), np.float32)
    for index in range(len(names)):
        frames = recordings.frames[(used & (group == index))[of_frame]]
        mean[index] = frames.mean(axis=0, dtype=np.float64)
        deviation[index] = np.maximum(frames.std(axis=0, dtype=np.float64), 1e-6)
    rows = group[of_frame]
    frames = (recordings.frames - mean[rows]) / deviation[rows]
    return replace(recordings, frames=frames), Standardisation(names, mean, deviation)


@dataclass(frozen=True, slots=True)
class KeywordTask:
    """One word against the rest, in folds of held-out speakers.

    keyword      a name in ``recordings.classes``
    left, right  context frames of a window; the network sees ``left + 1 + right`` frames
    test_count   how many random orders of the held-out recordings are scored
    standardise  whose frames give mean and deviation: each "speaker" alone, or the "training" set
    stretch      training recordings are played at a speed of 1 +- this share, drawn anew
    warp         and with a vocal tract of 1 +- this share; 0 is off (and the only choice for
                 features other than the MFCC of our front end)
    """

    recordings: Recordings
    keyword: str
    left: int
    right: int
    test_count: int
    standardise: Grouping = "training"
    stretch: float = 0.0
    warp: float = 0.0

    def __post_init__(self) -> None:
        if self.keyword not in self.recordings.classes:
            raise DataError(
                f"keyword {self.keyword!r} is not a word of {self.recordings.origin}; set keyword "
                "in the model's train.toml to one of " + ", ".join(self.recordings.classes)
            )
        features = self.recordings.frames.shape[1]
        if self.warp and features != DEFAULT.coefficients:
            raise DataError(
                f"warp = {self.warp} changes the voice in {DEFAULT.coefficients} MFCC per frame, "
                f"but {self.recordings.origin} has {features} features; set warp = 0 in the "
                "model's train.toml"
            )

    @property
    def origin(self) -> str:
        """One line for reports: which data and which split."""
        return self.recordings.origin

    @property
    def fold_count(self) -> int:
        """Number of groups of held-out speakers."""
        return int(self.recordings.folds.max()) + 1

    def fold(self, held_out: int) -> Fold:
        """Return the split that holds out one group of speakers."""
        recordings, constants = standardise(self.recordings, held_out, self.standardise)
        voices = [recordings.frames]
        for factor in warp_factors(self.warp, VOICES) if self.warp else ():
            frames = (self.recordings.frames @ warp_matrix(factor).T).astype(np.float32)
            warped = replace(self.recordings, frames=frames)
            voices.append(standardise(warped, held_out, self.standardise)[0].frames)
        return Fold(
            recordings=recordings,
            variants=np.stack(voices),
            standardisation=constants,
            keyword=self.recordings.classes.index(self.keyword),
            held_out=held_out,
            left=self.left,
            right=self.right,
            test_count=self.test_count,
            stretch=self.stretch,
        )
