"""Simulated features with the statistics of AVE's: rectified Gaussians with category patterns in events."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

Part = Literal["video", "negative"]
_STREAMS = {"video": 0, "negative": 1, "channels": 2, "pattern": 3}
_AUDIO, _VISUAL = 0, 1

# z = bias + video + segment, x = scale * max(z, 0). Fitted to the 178 real negatives (VGGish): 65 % zeros, mean 0.12,
# row norm 3.2, cosine of neighbouring segments 0.76, of two videos 0.45.
BIAS_MEAN = -0.23
BIAS_SPREAD = 0.34
VIDEO_SPREAD = 0.33
SEGMENT_SPREAD = 0.25
SCALE_SPREAD = 0.32

PATTERN_SHARE = 1 / 8
"""Share of the channels in a category's pattern."""
AUDIO_GAIN = 0.55
VISUAL_GAIN = 1.1
GAIN_SPREAD = 0.35
"""Standard deviation of the logarithm of a video's gain."""
AUDIO_REST = 0.15
"""Share of the audio gain that remains in background segments: a faint sound."""
VISUAL_REST = 0.4
"""Share of the visual gain that remains in background segments: the silent object stays in view."""
CELL_SPREAD = 0.35
EXTENT = 0.2
"""Width of an object as a share of the grid."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of one video's features.

    Attributes:
        segments: t.
        grid: (h, w).
        visual_dim: v.
        audio_dim: a.
    """

    segments: int = 10
    grid: tuple[int, int] = (7, 7)
    visual_dim: int = 512
    audio_dim: int = 128

    @property
    def visual(self) -> tuple[int, ...]:
        """(t, h, w, v)."""
        return (self.segments, *self.grid, self.visual_dim)

    @property
    def audio(self) -> tuple[int, ...]:
        """(t, a)."""
        return (self.segments, self.audio_dim)


@dataclass(frozen=True)
class Channels:
    """Fixed properties of one modality's channels: bias and scale (c), and every category's pattern (n c)."""

    bias: np.ndarray
    scale: np.ndarray
    patterns: np.ndarray

    def rectify(self, z: np.ndarray) -> np.ndarray:
        """scale * max(bias + z, 0), in place."""
        z += self.bias
        np.maximum(z, 0.0, out=z)
        z *= self.scale
        return z


class Generator:
    """Features of a video by its row number, independent of the other videos.

    With e_t = 1 in event segments, c the category, g a video's gain:

    ``audio_t = scale * max(bias + video + segment_t + g_a (e_t + 0.15 (1 - e_t)) pattern_c, 0)``

    ``visual_tp = scale * max(bias + video + cell_p + segment_tp + g_v (e_t + 0.4 (1 - e_t)) blob_tp pattern_c, 0)``

    ``blob`` is a Gaussian over the cells p; its centre is drawn per video and drifts. Negatives have no pattern. Each
    term has its own random stream, so a row's features depend only on seed, row, category and sizes: a subset of the
    videos has the same rows as the full set.

    Args:
        seed: random seed.
        categories: n.
        sizes: sizes of the features.
    """

    def __init__(self, seed: int, categories: int, sizes: Sizes) -> None:
        self._seed = seed
        self.sizes = sizes
        self._audio = self._channels(_AUDIO, categories, sizes.audio_dim)
        self._visual = self._channels(_VISUAL, categories, sizes.visual_dim)

    def audio(self, part: Part, row: int, category: int = 0, relevance: np.ndarray | None = None) -> np.ndarray:
        """Audio features, (t a) float32.

        Args:
            part: annotated videos or negatives.
            row: row number of the video.
            category: category id of the video.
            relevance: (t), 1 in event segments; None for a video without an event.
        """
        rng = self._rng(part, row, _AUDIO)
        t, a = self.sizes.audio
        gain = _gain(rng, AUDIO_GAIN)
        z = SEGMENT_SPREAD * rng.standard_normal((t, a), dtype=np.float32)
        z += VIDEO_SPREAD * rng.standard_normal(a, dtype=np.float32)
        if relevance is not None:
            strength = gain * (AUDIO_REST + (1 - AUDIO_REST) * relevance.astype(np.float32))
            z += strength[:, None] * self._audio.patterns[category]
        return self._audio.rectify(z)

    def visual(self, part: Part, row: int, category: int = 0, relevance: np.ndarray | None = None) -> np.ndarray:
        """Visual features, (t h w v) float32; arguments as for ``audio``."""
        rng = self._rng(part, row, _VISUAL)
        t, h, w, v = self.sizes.visual
        gain = _gain(rng, VISUAL_GAIN)
        blob = self._blob(rng)
        z = SEGMENT_SPREAD * rng.standard_normal((t, h, w, v), dtype=np.float32)
        z += CELL_SPREAD * rng.standard_normal((h, w, v), dtype=np.float32)
        z += VIDEO_SPREAD * rng.standard_normal(v, dtype=np.float32)
        if relevance is not None:
            strength = gain * (VISUAL_REST + (1 - VISUAL_REST) * relevance.astype(np.float32))
            raised = np.flatnonzero(self._visual.patterns[category])
            z[..., raised] += (strength[:, None, None] * blob)[..., None] * self._visual.patterns[category, raised]
        return self._visual.rectify(z)

    def _blob(self, rng: np.random.Generator) -> np.ndarray:
        """Position of the object, (t h w) in 0..1; its centre moves a tenth of the grid per segment."""
        t, h, w, _ = self.sizes.visual
        start, steps = rng.uniform(0.15, 0.85, 2), rng.normal(0.0, 0.1, (t, 2))
        centre = np.clip(start + np.cumsum(steps, axis=0), 0.0, 1.0)
        down = (np.arange(h) + 0.5) / h - centre[:, :1]
        across = (np.arange(w) + 0.5) / w - centre[:, 1:]
        squares = down[:, :, None] ** 2 + across[:, None, :] ** 2
        blob: np.ndarray = np.exp(-squares / (2 * EXTENT**2)).astype(np.float32)
        return blob

    def _channels(self, modality: int, categories: int, channels: int) -> Channels:
        rng = self._rng("channels", 0, modality)
        bias = BIAS_MEAN + BIAS_SPREAD * _spread(rng, channels)
        scale = np.exp(SCALE_SPREAD * _spread(rng, channels))
        patterns = np.zeros((categories, channels), dtype=np.float32)
        for category in range(categories):
            own = self._rng("pattern", category, modality)
            raised = own.choice(channels, max(1, round(channels * PATTERN_SHARE)), replace=False)
            patterns[category, raised] = own.uniform(0.5, 1.5, len(raised))
        return Channels(bias, scale, patterns)

    def _rng(self, stream: str, number: int, modality: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, _STREAMS[stream], number, modality])


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    """Quantiles of a Gaussian in random order, (count) float32: the same statistics for any seed."""
    normal = NormalDist()
    quantiles = [normal.inv_cdf((i + 0.5) / count) for i in range(count)]
    return rng.permutation(np.array(quantiles, dtype=np.float32))


def _gain(rng: np.random.Generator, typical: float) -> np.float32:
    return np.float32(typical * np.exp(GAIN_SPREAD * rng.standard_normal()))
