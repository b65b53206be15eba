"""Loaders: Speech Commands folders (WAV and FLAC), .npz files, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hwgen.data import DataError, Mixing, load, load_npz
from hwgen.data.mixing import add_noise
from hwgen.data.speech_commands import load_speech_commands

REAL = Path(__file__).parents[3] / "shared" / "data" / "speech_commands_dev"


def tone(hertz: float, seconds: float = 0.5, rate_hz: int = 16000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate_hz)) / rate_hz)


@pytest.fixture
def folder(tmp_path):
    for index, (word, suffix) in enumerate([("yes", "wav"), ("no", "flac"), ("cat", "wav")]):
        (tmp_path / word).mkdir()
        for speaker in ("0a", "1b", "2c"):
            path = tmp_path / word / f"{speaker}_nohash_0.{suffix}"
            soundfile.write(path, tone(300 + 200 * index), 16000)
    (tmp_path / "_background_noise_").mkdir()
    noise = 0.1 * np.random.default_rng(1).standard_normal(32000)
    soundfile.write(tmp_path / "_background_noise_" / "hiss.wav", noise, 16000)
    return tmp_path


def test_wav_and_flac_become_labelled_frames_split_by_speaker(folder):
    recordings = load_speech_commands(folder, 3, Mixing(silence_share=0.0))
    assert recordings.classes == ("cat", "no", "yes")
    assert sorted(recordings.labels.tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert set(recordings.lengths.tolist()) == {21}
    assert recordings.frames.shape == (9 * 21, 13)
    for speaker in ("0a", "1b", "2c"):
        assert len(set(recordings.folds[recordings.speakers == speaker])) == 1


def test_other_words_are_unknown_and_silence_is_cut_from_the_noise(folder):
    recordings = load_speech_commands(folder, 3, Mixing(words=("yes",), silence_share=0.5))
    count = dict(
        zip(
            *np.unique(np.array(recordings.classes)[recordings.labels], return_counts=True),
            strict=True,
        )
    )
    assert count == {"_silence_": 4, "_unknown_": 6, "yes": 3}


def test_noise_is_mixed_in_at_the_ratio_asked_for():
    audio, noise = tone(440), np.random.default_rng(1).standard_normal(8000)
    added = add_noise(audio, noise, 10.0) - audio
    assert 10 * np.log10(np.mean(audio**2) / np.mean(added**2)) == pytest.approx(10.0)
    assert np.array_equal(add_noise(np.zeros(8000), noise, 10.0), np.zeros(8000))


def test_mixing_changes_the_frames_and_repeats_with_its_seed(folder):
    clean = load_speech_commands(folder, 3, Mixing(silence_share=0.0))
    noisy = [
        load_speech_commands(folder, 3, Mixing(silence_share=0.0, noise_share=1.0))
        for _ in range(2)
    ]
    assert np.array_equal(noisy[0].frames, noisy[1].frames)
    assert np.abs(noisy[0].frames - clean.frames).max() > 1


def test_unreadable_and_too_short_files_are_named(folder):
    bad = folder / "yes" / "3d_nohash_0.wav"
    bad.write_bytes(b"no audio")
    with pytest.raises(DataError, match=r"3d_nohash_0\.wav: not readable as audio"):
        load(folder, 3)
    soundfile.write(bad, tone(300, seconds=0.02), 16000)
    with pytest.raises(DataError, match="160 samples at 8000 Hz are shorter than half a window"):
        load(folder, 3)


def test_a_folder_without_audio_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(DataError, match="no audio found"):
        load(tmp_path, 3)
    with pytest.raises(DataError, match=r"neither an \.npz file nor a folder"):
        load(tmp_path / "missing.npz", 3)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real Speech Commands folder next to the project")
def test_real_speech_commands_clips_load_and_split():
    recordings = load(REAL, 3)
    assert len(recordings) == 2679
    assert len(recordings.classes) == 12
    assert "_silence_" in recordings.classes
    assert np.isfinite(recordings.frames).all()
    assert min(np.bincount(recordings.folds)) > 500


def test_npz_rows_are_recordings(tmp_path):
    path = tmp_path / "mine.npz"
    x = np.arange(24.0).reshape(4, 3, 2)
    np.savez(path, x=x, y=np.array(["up", "down", "up", "up"]), group=np.array([7, 7, 8, 9]))
    recordings = load(path, 3)
    assert recordings.classes == ("down", "up")
    assert recordings.labels.tolist() == [1, 0, 1, 1]
    assert recordings.folds.tolist() == [0, 0, 1, 2]
    assert np.array_equal(recordings.frames, x.reshape(12, 2))


def test_npz_without_groups_or_with_odd_shapes_is_refused(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((2, 3)), y=np.zeros(2))
    with pytest.raises(DataError, match="no array named group"):
        load_npz(path, 2)
    np.savez(path, x=np.zeros((2, 3)), y=np.zeros(3), group=np.zeros(2))
    with pytest.raises(DataError, match=r"x has shape \(2, 3\), y \(3,\)"):
        load_npz(path, 2)
