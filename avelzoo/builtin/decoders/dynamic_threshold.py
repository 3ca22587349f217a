"""Fusion, class filter, label shift within the video and two thresholds, in the style of AV2A (CVPR 2025)."""

from __future__ import annotations

from itertools import product

import numpy as np

from avelzoo.builtin.decoders.tuning import levels
from avelzoo.builtin.decoders.unimodal import mean_over_real, redecided, scores_of
from avelzoo.builtin.decoders.values import Values
from avelzoo.contracts import Decoder
from avelzoo.metrics import PredictionArrays, Truth, segment_accuracy

WEIGHTS = (0.25, 0.5, 0.75)
"""Weights of sound that are tried on val."""
GRID = 16
"""Quantiles of the peaks and of the segments' scores that are tried on val."""


class DynamicThreshold(Decoder):
    """Scores of both modalities are fused, filtered and re-weighted along the video; two thresholds decide.

        fused     f_t = alpha s^a_t + (1 - alpha) s^v_t
        filter    drop c where max_t f_tc < phi max_{t,c'} f_tc'
        shift     w_t = argmin_w ||C_t w - q_t||^2 + gamma ||w - 1||^2,  g_tc = min(1, max(0, w_tc) f_tc)
        category  k = argmax_c mean_t g_tc
        decision  an event where g_tk >= tau_segment, if max_t g_tk >= tau_video

    q_t is f_t with sum 1; C_t = sum_{i <= t} q_{i-1} q_i' / t is the soft confusion between consecutive segments.
    From AV2A: fusion, filter, two thresholds, least squares on that confusion. Ours: the filter relative to the peak,
    the first threshold on the video's peak, C as a running mean, and that alpha and both thresholds come from val.

    Args:
        alpha: weight of sound, until val chooses another one.
        video: tau_video, until val chooses another one.
        segment: tau_segment, until val chooses another one.
        keep: phi, share of the peak below which a category is dropped.
        gamma: weight of the regularisation.
        weighted: multiply scores by the head's relevance.
    """

    def __init__(
        self, *, alpha: float, video: float, segment: float, keep: float, gamma: float, weighted: bool = False
    ) -> None:
        super().__init__()
        self.values = Values({"alpha": alpha, "video": video, "segment": segment})
        self.keep, self.gamma, self.weighted = keep, gamma, weighted

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """The weight and the pair of thresholds with the highest segment accuracy on val; of equal ones, the first."""
        best = -1.0
        for alpha in WEIGHTS:
            ranked, relevance = self._scored(val, alpha)
            peaks, cells = (levels(part, GRID) for part in (relevance.max(axis=1), relevance[val.real]))
            for video, segment in product(peaks, cells):
                found = _segments(val, ranked, relevance, video, segment)
                if (accuracy := segment_accuracy(found, truth)) > best:
                    best = accuracy
                    self.values.set(alpha=alpha, video=video, segment=segment)

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """Events where the shifted score passes both thresholds."""
        ranked, relevance = self._scored(predictions, self.values["alpha"])
        segments = _segments(predictions, ranked, relevance, self.values["video"], self.values["segment"])
        return redecided(predictions, segments=segments, ranked=ranked, relevance=relevance)

    def describe(self) -> str:
        """The values."""
        alpha, video, segment = (self.values[name] for name in self.values.names)
        return f"{alpha:.2g} of sound, peak from {video:.2g}, segment from {segment:.2g} ({self.values.origin})"

    def _scored(self, predictions: PredictionArrays, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Scores of the categories (v n), and g of the best one (v t)."""
        audio, visual = scores_of(predictions, self.weighted)
        fused = alpha * audio.astype(np.float64) + (1 - alpha) * visual
        peak = fused.max(axis=1)
        kept = fused * (peak >= self.keep * peak.max(axis=1, keepdims=True))[:, None]
        shifted = np.clip(shift(kept, self.gamma) * kept, 0, 1).astype(np.float32)
        ranked = mean_over_real(shifted, predictions)
        best = ranked.argmax(axis=1)[:, None, None]
        return ranked, np.take_along_axis(shifted, best, axis=2)[..., 0]


def _segments(
    predictions: PredictionArrays, ranked: np.ndarray, relevance: np.ndarray, video: float, segment: float
) -> np.ndarray:
    """(v t) ids: the best category of each video where its score passes both thresholds."""
    strong = relevance.max(axis=1, keepdims=True) >= np.float32(video)
    event = strong & (relevance >= np.float32(segment)) & predictions.real
    return np.where(event, ranked.argmax(axis=1)[:, None], predictions.n)


def shift(scores: np.ndarray, gamma: float) -> np.ndarray:
    """Weights w_t (v t n) of each segment's categories from the segments before it; ones in the first segment.

    Args:
        scores: (v t n), 0 or more.
        gamma: weight of the regularisation towards 1, above 0.
    """
    total = scores.sum(axis=2, keepdims=True)
    q = np.divide(scores, total, out=np.zeros_like(scores), where=total > 0)
    videos, t, n = q.shape
    weights = np.ones_like(q)
    confusion = np.zeros((videos, n, n))
    for i in range(1, t):
        confusion += q[:, i - 1, :, None] * q[:, i, None, :]
        c = confusion / i
        left = np.einsum("vji,vjk->vik", c, c) + gamma * np.eye(n)
        right = np.einsum("vji,vj->vi", c, q[:, i]) + gamma
        weights[:, i] = np.linalg.solve(left, right[..., None])[..., 0]
    positive: np.ndarray = np.maximum(weights, 0)
    return positive
