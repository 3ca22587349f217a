"""One run of segments per video: the span with the largest sum of relevance above a threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo.builtin.decoders.tuning import best_value, levels
from avelzoo.builtin.decoders.values import Values
from avelzoo.contracts import Decoder
from avelzoo.metrics import PredictionArrays, Truth, segment_accuracy

PADDING = -2.0
"""Gain of padding, below every gain of a real segment."""


class SingleSpan(Decoder):
    """The video's category in the span [s, e) that maximises sum_{t in [s, e)} (r_t - threshold).

    Background everywhere if no sum is above 0. Of equal spans, the one that ends first, then the shortest.

    Args:
        threshold: until val chooses another one.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.values = Values({"threshold": threshold})

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """The threshold with the highest segment accuracy, among quantiles of the relevance on val."""
        candidates = levels(val.relevance[val.real])
        found = [segment_accuracy(spanned(val, threshold).segments, truth) for threshold in candidates]
        self.values.set(threshold=best_value(candidates, found))

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """The best span of every video."""
        return spanned(predictions, self.values["threshold"])

    def describe(self) -> str:
        """The threshold."""
        return f"one span, of relevance above {self.values['threshold']:.2f} ({self.values.origin})"


def spanned(predictions: PredictionArrays, threshold: float) -> PredictionArrays:
    """The same predictions with the best single span of each video as its event; O(t) per video."""
    gain = np.where(predictions.real, predictions.relevance.astype(np.float64) - threshold, PADDING)
    before = np.concatenate([np.zeros((len(gain), 1)), gain.cumsum(axis=1)], axis=1)
    lowest = np.minimum.accumulate(before[:, :-1], axis=1)
    total = before[:, 1:] - lowest
    end = total.argmax(axis=1)[:, None]
    time = np.arange(gain.shape[1])
    opens = (time <= end) & (before[:, :-1] == np.take_along_axis(lowest, end, axis=1))
    start = np.where(opens, time, -1).max(axis=1)[:, None]
    event = (time >= start) & (time <= end) & (np.take_along_axis(total, end, axis=1) > 0)
    return replace(predictions, segments=np.where(event, predictions.category[:, None], predictions.n))
