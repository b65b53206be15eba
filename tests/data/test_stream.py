"""Streams, windows and keyword intervals, on recordings small enough to check by hand."""

import numpy as np
import pytest

from hwgen.data import DataError, KeywordTask, Recordings, Stream


@pytest.fixture
def recordings():
    lengths = np.array([3, 2, 4, 3])
    frames = np.arange(12, dtype=np.float32)[:, None]
    return Recordings(
        frames=frames,
        lengths=lengths,
        labels=np.array([0, 1, 0, 1]),
        speakers=np.array(["a", "a", "b", "b"]),
        folds=np.array([0, 0, 1, 1]),
        classes=("no", "yes"),
        origin="made here",
    )


def test_windows_hold_the_context_oldest_first_and_repeat_the_ends():
    frames = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.float32)
    stream = Stream(frames, np.zeros(3, np.int64), np.empty((0, 2), np.int64), left=1, right=1)
    assert stream.windows(np.array([1, 0, 2])).tolist() == [
        [0, 1, 2, 3, 4, 5],
        [0, 1, 0, 1, 2, 3],
        [2, 3, 4, 5, 4, 5],
    ]


def test_a_stream_sets_whole_recordings_end_to_end_and_marks_the_keyword(recordings):
    task = KeywordTask(recordings, "yes", left=0, right=0, test_count=3)
    fold = task.fold(1)
    streams = fold.test_streams()
    assert {tuple(s.frames.ravel()) for s in streams} <= {
        tuple(fold.recordings.frames[order].ravel())
        for order in (np.r_[5:9, 9:12], np.r_[9:12, 5:9])
    }
    for stream in streams:
        start, end = stream.keywords[0]
        assert (start, end) in {(4, 7), (0, 3)}
        assert stream.labels.tolist() == [int(start <= t < end) for t in range(7)]


def test_the_same_seed_draws_the_same_stream_and_another_seed_another(recordings):
    fold = KeywordTask(recordings, "yes", 0, 0, test_count=1, stretch=0.5).fold(0)
    assert np.array_equal(fold.train_stream(3).frames, fold.train_stream(3).frames)
    assert len({len(fold.train_stream(seed)) for seed in range(20)}) > 1


def test_a_slower_recording_runs_from_its_first_to_its_last_frame(recordings):
    fold = KeywordTask(recordings, "yes", 0, 0, test_count=1, stretch=0.5).fold(0)
    for seed in range(10):
        stream = fold.train_stream(seed)
        start, end = stream.keywords[0]
        spoken = stream.frames[start:end, 0]
        original = fold.recordings.frames[9:12, 0]
        assert 2 <= len(spoken) <= 4
        assert (spoken[0], spoken[-1]) == pytest.approx((original[0], original[-1]))
        assert np.all(np.diff(spoken) > 0)


def test_unknown_keyword_is_refused_with_the_words_there_are(recordings):
    with pytest.raises(
        DataError, match=r"keyword 'maybe' is not a word of made here.*one of no, yes"
    ):
        KeywordTask(recordings, "maybe", 0, 0, test_count=1)


def test_warping_features_that_are_no_mfcc_is_refused(recordings):
    with pytest.raises(DataError, match=r"warp = 0\.1 .* has 1 features; set warp = 0"):
        KeywordTask(recordings, "yes", 0, 0, test_count=1, warp=0.1)
