"""Mel filter banks, as matrices (bins bands) in float64, and the periodic Hann window."""

from __future__ import annotations

import numpy as np

_SLANEY_BREAK = 1000.0  # Hz; linear below, logarithmic above
_SLANEY_LINEAR = 200 / 3  # Hz per mel
_SLANEY_LOG = np.log(6.4) / 27  # ln Hz per mel


def hann(length: int) -> np.ndarray:
    """Periodic Hann window: 0.5 - 0.5 cos(2 pi i / length).

    >>> hann(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def htk_filters(*, rate: int, bins: int, bands: int, low: float, high: float) -> np.ndarray:
    """Triangles on the HTK curve 1127 ln(1 + f / 700): linear in mel, peak 1, no area normalisation, first bin 0.

    Args:
        rate: samples per second.
        bins: frequencies of the spectrum, from 0 to rate / 2.
        bands: number of triangles.
        low: lower edge of the first triangle in Hz.
        high: upper edge of the last triangle in Hz.

    Source: the input module of VGGish (AudioSet).
    """
    edges = np.linspace(_htk(low), _htk(high), bands + 2)
    filters = _triangles(_htk(np.linspace(0, rate / 2, bins)), edges)
    filters[0] = 0
    return filters


def slaney_filters(*, rate: int, bins: int, bands: int, low: float, high: float) -> np.ndarray:
    """Triangles on Slaney's curve: linear in Hz, area 1 over frequency; the default of librosa.

    The curve is 3 f / 200 mel up to 1 kHz and 15 + 27 ln(f / 1000) / ln(6.4) mel above. Arguments as in `htk_filters`.

    Source: M. Slaney, Auditory Toolbox.
    """
    break_mel = _SLANEY_BREAK / _SLANEY_LINEAR
    mels = np.linspace(_slaney(low), _slaney(high), bands + 2)
    above = _SLANEY_BREAK * np.exp(_SLANEY_LOG * (mels - break_mel))
    edges = np.where(mels < break_mel, mels * _SLANEY_LINEAR, above)
    return _triangles(np.linspace(0, rate / 2, bins), edges) * (2 / (edges[2:] - edges[:-2]))


def _triangles(positions: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Triangle k has its peak 1 at edges[k + 1] and is 0 at edges[k] and edges[k + 2]."""
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    at = positions[:, None]
    rising = (at - lower) / (centre - lower)
    falling = (upper - at) / (upper - centre)
    weights: np.ndarray = np.maximum(0, np.minimum(rising, falling))
    return weights


def _htk(hertz: np.ndarray | float) -> np.ndarray:
    return 1127 * np.log1p(np.asarray(hertz) / 700)


def _slaney(hertz: float) -> float:
    if hertz < _SLANEY_BREAK:
        return hertz / _SLANEY_LINEAR
    return float(_SLANEY_BREAK / _SLANEY_LINEAR + np.log(hertz / _SLANEY_BREAK) / _SLANEY_LOG)
