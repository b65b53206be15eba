"""Background noise: how a folder of clips becomes recordings with noise and silence."""

from dataclasses import dataclass

import numpy as np

from hwgen.data.frontend import Float64Array


@dataclass(frozen=True, slots=True)
class Mixing:
    """How the folder is turned into recordings.

    words          words that keep their own class; all others are ``_unknown_``. Empty: keep all
    silence_share  silent recordings cut from the noise files, per other recording
    noise_share    share of the recordings that noise is mixed into
    snr_db         signal-to-noise ratio of the mix, drawn uniformly from this range
    seed           of the noise positions and ratios
    """

    words: tuple[str, ...] = ()
    silence_share: float = 0.1
    noise_share: float = 0.0
    snr_db: tuple[float, float] = (5.0, 20.0)
    seed: int = 1


def add_noise(audio: Float64Array, noise: Float64Array, snr_db: float) -> Float64Array:
    """Return the audio with noise of the same length mixed in at a signal-to-noise ratio.

    A silent clip or silent noise is left as it is: the ratio has no meaning there.
    """
    signal_power, noise_power = np.mean(audio**2), np.mean(noise**2)
    if signal_power == 0 or noise_power == 0:
        return audio
    gain = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    return np.asarray(audio + gain * noise)
