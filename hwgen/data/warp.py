"""Vocal tract length perturbation: other speakers' voices made from the recorded ones."""

import numpy as np
from scipy.fft import dct

from hwgen.data.frontend import DEFAULT, Float64Array, FrontEnd, mel_centres_hz


def warp_matrix(factor: float, front_end: FrontEnd = DEFAULT) -> Float64Array:
    """Return the linear map of MFCC that stretches the frequency axis, (coeffs, coeffs).

    factor  1 keeps the voice; above 1, what was heard at ``factor * f`` is now heard at ``f``:
            a longer vocal tract
    source  N. Jaitly, G. Hinton, "Vocal Tract Length Perturbation (VTLP) improves speech
            recognition", ICML 2013 workshop; here on the smooth spectrum that the cepstrum keeps
    """
    centres = mel_centres_hz(front_end)
    bands = len(centres)
    to_cepstrum = dct(np.eye(bands), type=2, axis=0, norm="ortho")[: front_end.coefficients]
    source = np.interp(np.clip(centres * factor, centres[0], centres[-1]), centres, range(bands))
    resample = np.maximum(0.0, 1 - np.abs(source[:, None] - np.arange(bands)))
    return np.asarray(to_cepstrum @ resample @ to_cepstrum.T)


def warp_factors(reach: float, count: int) -> Float64Array:
    """Return ``count`` factors evenly spaced over 1 +- ``reach``."""
    return np.linspace(1 - reach, 1 + reach, count)
