"""Each block of the front end against a definition written out independently."""

import numpy as np
import pytest

from hwgen.data.frontend import FrontEnd, log_mel, mel_filters, mfcc, power_spectrum, resample
from hwgen.data.warp import warp_matrix

SMALL = FrontEnd(window_samples=64, hop_samples=32, mel_bands=20, coefficients=5)
TOLERANCE = 1e-3  # the blocks differ from these definitions by float rounding only


@pytest.fixture
def audio():
    time = np.arange(2000) / 8000
    chirp = np.sin(2 * np.pi * (200 + 4000 * time) * time)
    return chirp + 0.1 * np.random.default_rng(1).standard_normal(len(time))


def test_power_spectrum_is_the_windowed_dft_of_centred_reflected_frames(audio):
    spectrum = power_spectrum(audio, SMALL)
    assert spectrum.shape == (1 + len(audio) // 32, 33)
    n = np.arange(64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 64)
    for frame in (0, 7, len(spectrum) - 1):
        index = frame * 32 + n - 32
        index = np.abs(index)
        index = np.where(index >= len(audio), 2 * (len(audio) - 1) - index, index)
        for bin_ in (0, 5, 32):
            dft = np.sum(audio[index] * window * np.exp(-2j * np.pi * bin_ * n / 64))
            assert spectrum[frame, bin_] == pytest.approx(abs(dft) ** 2, abs=TOLERANCE)


def test_mel_filters_are_htk_triangles():
    filters = mel_filters(SMALL)
    top = 2595 * np.log10(1 + 4000 / 700)
    for band in (0, 9, 19):
        low, peak, high = (700 * (10 ** (top * (band + i) / 21 / 2595) - 1) for i in range(3))
        for bin_ in range(33):
            f = bin_ * 4000 / 32
            expected = 0.0
            if low < f <= peak:
                expected = (f - low) / (peak - low)
            elif peak < f < high:
                expected = (high - f) / (high - peak)
            assert filters[bin_, band] == pytest.approx(expected, abs=TOLERANCE)


def test_log_mel_is_decibels_with_a_floor_80_below_the_peak(audio):
    decibels = log_mel(np.concatenate([audio, np.zeros(2000)]), SMALL)
    energy = power_spectrum(audio, SMALL)[20] @ mel_filters(SMALL)
    assert decibels[20] == pytest.approx(10 * np.log10(energy), abs=TOLERANCE)
    assert decibels.min() == pytest.approx(decibels.max() - 80)


def test_mfcc_is_the_orthonormal_dct_ii(audio):
    coefficients = mfcc(audio, SMALL)
    bands = log_mel(audio, SMALL)
    n = np.arange(20)
    for k in range(5):
        basis = np.sqrt((1 if k == 0 else 2) / 20) * np.cos(np.pi * k * (2 * n + 1) / 40)
        assert coefficients[:, k] == pytest.approx(bands @ basis, abs=TOLERANCE)


def test_default_frames_have_the_shape_of_the_embedded_data():
    assert mfcc(np.random.default_rng(1).standard_normal(4000)).shape == (21, 13)


def test_resample_halves_the_rate_and_keeps_a_tone():
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    halved = resample(tone, 16000, 8000)
    assert len(halved) == 8000
    expected = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    assert np.abs(halved - expected)[100:-100].max() < 0.01


def test_warp_by_one_keeps_the_cepstrum_and_others_move_a_formant():
    assert warp_matrix(1.0) == pytest.approx(np.eye(13), abs=1e-9)
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    lower = np.sin(2 * np.pi * 900 * np.arange(8000) / 8000)
    noise = 0.05 * np.random.default_rng(1).standard_normal(8000)
    original, target = (mfcc(x + noise).mean(axis=0) for x in (tone, lower))
    warped = warp_matrix(1000 / 900) @ original
    assert np.linalg.norm((warped - target)[1:]) < 0.5 * np.linalg.norm((original - target)[1:])
