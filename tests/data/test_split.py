"""No speaker is ever in training and held out at once."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.data import DataError, KeywordTask, load
from hwgen.data.recordings import Recordings, deal_speakers, hash_speakers
from hwgen.data.stream import standardise


@pytest.fixture(scope="module")
def digits():
    return load(None, 3)


def marked(recordings: Recordings) -> Recordings:
    """Every frame carries the number of its speaker instead of its features."""
    number = np.unique(recordings.speakers, return_inverse=True)[1]
    frames = np.repeat(number, recordings.lengths)[:, None].astype(np.float32)
    return replace(recordings, frames=frames)


def test_digits_are_six_speakers_in_three_pairs(digits):
    assert len(digits) == 3000
    assert digits.frames.shape == (53999, 13)
    pairs = [sorted(set(digits.speakers[digits.folds == fold])) for fold in range(3)]
    assert pairs == [["george", "jackson"], ["lucas", "nicolas"], ["theo", "yweweler"]]


def test_training_and_held_out_streams_share_no_speaker(digits):
    for held_out in range(3):
        plain = KeywordTask(marked(digits), "7", 0, 0, test_count=2)
        fold = plain.fold(held_out)
        fold = replace(fold, recordings=marked(digits), variants=marked(digits).frames[None])
        heard = set(fold.train_stream(1).frames.ravel())
        tested = set(np.concatenate([s.frames.ravel() for s in fold.test_streams()]))
        assert heard.isdisjoint(tested)
        assert (len(heard), len(tested)) == (4, 2)


def test_training_constants_do_not_see_the_held_out_frames(digits):
    spoiled = digits.frames.copy()
    spoiled[np.repeat(digits.folds == 1, digits.lengths)] += 1000
    _, clean = standardise(digits, 1, "training")
    _, after = standardise(replace(digits, frames=spoiled), 1, "training")
    assert np.array_equal(clean.mean, after.mean)
    assert np.array_equal(clean.deviation, after.deviation)


def test_speaker_constants_are_of_that_speaker_alone(digits):
    result, constants = standardise(digits, 0, "speaker")
    assert constants.speakers.tolist() == sorted(set(digits.speakers))
    theo = result.frames[np.repeat(digits.speakers == "theo", digits.lengths)]
    assert theo.mean(axis=0) == pytest.approx(np.zeros(13), abs=1e-3)
    assert theo.std(axis=0) == pytest.approx(np.ones(13), abs=1e-3)


def test_a_hashed_speaker_stays_in_its_fold_when_others_join():
    few = hash_speakers(np.array(["ab12", "cd34"]), 3)
    more = hash_speakers(np.array(["ab12", "zz99", "cd34", "ab12"]), 3)
    assert (more[0], more[2]) == tuple(few)
    assert more[0] == more[3]


def test_dealing_needs_a_speaker_for_every_fold():
    assert deal_speakers(np.array(["a", "b", "c", "a"]), 3).tolist() == [0, 1, 2, 0]
    with pytest.raises(DataError, match="2 speakers cannot be held out in 3 folds"):
        deal_speakers(np.array(["a", "b"]), 3)
