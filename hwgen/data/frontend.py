"""Audio front end: log-mel and MFCC frames, the definition that torchaudio calls default."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import dct
from scipy.signal import get_window, resample_poly

from hwgen.data.recordings import FloatArray

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Parameters of the front end; the defaults give the features of the embedded data set."""

    sample_rate_hz: int = 8000
    window_samples: int = 400
    hop_samples: int = 200
    mel_bands: int = 128
    coefficients: int = 13
    top_db: float = 80.0


DEFAULT = FrontEnd()


def resample(audio: Float64Array, rate_hz: int, to_hz: int) -> Float64Array:
    """Return mono audio at another sample rate (polyphase filter)."""
    if rate_hz == to_hz:
        return audio
    divisor = int(np.gcd(rate_hz, to_hz))
    return np.asarray(resample_poly(audio, to_hz // divisor, rate_hz // divisor))


def mel_edges_hz(front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return the corners of the triangular filters, (mel bands + 2,), evenly spaced on HTK mel."""
    top = 2595 * np.log10(1 + front_end.sample_rate_hz / 2 / 700)
    mel = np.linspace(0, top, front_end.mel_bands + 2)
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def mel_centres_hz(front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return the centre frequency of each mel band, (mel bands,)."""
    return mel_edges_hz(front_end)[1:-1]


def mel_filters(front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return triangular filters on the HTK mel scale, (bins, mel bands), not normalised."""
    bins = np.linspace(0, front_end.sample_rate_hz / 2, front_end.window_samples // 2 + 1)
    edges = mel_edges_hz(front_end)
    distance, widths = edges[None, :] - bins[:, None], np.diff(edges)
    rising = -distance[:, :-2] / widths[:-1]
    falling = distance[:, 2:] / widths[1:]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def power_spectrum(audio: Float64Array, front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return |STFT|^2, (frames, bins): centred, reflected ends, periodic Hann window."""
    half = front_end.window_samples // 2
    padded = np.pad(audio, half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, front_end.window_samples)
    window = get_window("hann", front_end.window_samples)
    spectrum = np.fft.rfft(frames[:: front_end.hop_samples] * window, axis=1)
    return np.asarray(np.abs(spectrum) ** 2)


def log_mel(audio: Float64Array, front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return log-mel energies in dB, (frames, mel bands), at most ``top_db`` below the peak."""
    energy = power_spectrum(audio, front_end) @ mel_filters(front_end)
    decibels = 10 * np.log10(np.maximum(energy, 1e-10))
    return np.asarray(np.maximum(decibels, decibels.max() - front_end.top_db))


def mfcc(audio: Float64Array, front_end: FrontEnd = DEFAULT) -> FloatArray:
    """Return mel-frequency cepstral coefficients, (frames, coefficients) float32.

    audio   (samples,) in [-1, 1] at ``front_end.sample_rate_hz``, longer than half a window
    """
    cepstrum = dct(log_mel(audio, front_end), type=2, axis=1, norm="ortho")
    return np.asarray(cepstrum[:, : front_end.coefficients], dtype=np.float32)
