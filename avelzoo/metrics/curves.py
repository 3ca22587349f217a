"""F1 of whole events at every threshold of the relevance at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics.events import event_counts
from avelzoo.metrics.predictions import PredictionArrays, Truth

CELLS = 2**20
"""Decided segments in memory at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EventCurve:
    """Event F1 over the threshold, a step function.

    Attributes:
        edges: (k + 1) thresholds in ascending order, from 0 to 1.
        f1: (k) F1 for every threshold from ``edges[i]`` up to, not including, ``edges[i + 1]``.
    """

    edges: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean F1 over all thresholds from 0 to 1: the area under the curve."""
        return float((np.diff(self.edges) * self.f1).sum())

    @property
    def best(self) -> float:
        """The highest F1 of any threshold."""
        return float(self.f1.max())


def event_curve(predictions: PredictionArrays, truth: Truth) -> EventCurve | None:
    """Event F1 at temporal IoU 0.5 (`event_scores`) of the rule "event where r > threshold", for every threshold.

    Only at the values of r do decisions change, and each value changes its own video only. So the events of a video are
    counted once per value, not once per threshold of the whole split. None if the truth has no event.

    Args:
        predictions: with the categories (v) and the relevance r (v t) to decide by.
        truth: ground truth of the same videos.

    >>> from avelzoo.metrics import Truth, event_curve
    >>> curve = event_curve(PredictionArrays([[1, 1]], [0], [[1.0]], [[0.8, 0.2]]), Truth([[0, 1]], [0], ("dog",)))
    >>> curve.f1.tolist(), round(curve.mean, 3)
    ([1.0, 1.0, 0.0], 0.8)
    """
    if not truth.relevance.any():
        return None
    relevance = np.where(truth.real, predictions.relevance, 0.0).astype(np.float64)
    length = relevance.shape[1]
    thresholds = np.concatenate([np.zeros((len(relevance), 1)), np.sort(relevance, axis=1)], axis=1)
    step = max(1, CELLS // ((length + 1) * max(length, 1)))
    parts = [
        _counts(relevance[i : i + step], thresholds[i : i + step], predictions.category[i : i + step], truth, i)
        for i in range(0, len(relevance), step)
    ]
    counts = np.concatenate(parts)
    values, inverse = np.unique(thresholds[:, 1:], return_inverse=True)
    matched, predicted = (_totals(counts[..., i], inverse.ravel(), len(values)) for i in (0, 1))
    true = int(counts[:, 0, 2].sum())
    return EventCurve(edges=np.concatenate([[0.0], values, [1.0]]), f1=2 * matched / (predicted + true))


def _counts(
    relevance: NDArray[np.float64], thresholds: NDArray[np.float64], category: NDArray[np.int64], truth: Truth, at: int
) -> NDArray[np.int64]:
    """Matched, predicted and true events of some videos at each of their own thresholds, (v t+1 3)."""
    videos, states = thresholds.shape
    event = relevance[:, None, :] > thresholds[:, :, None]
    segments = np.where(event, category[:, None, None], truth.background).reshape(videos * states, -1)
    repeated = Truth(
        segments=truth.segments[at : at + videos].repeat(states, axis=0),
        events=truth.events[at : at + videos].repeat(states),
        categories=truth.categories,
        lengths=truth.lengths[at : at + videos].repeat(states),
    )
    return event_counts(segments, repeated).reshape(videos, states, 3)


def _totals(counts: NDArray[np.int64], value: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Sums over videos at threshold 0 and at each of the sorted values, (1 + size), from counts (v t+1)."""
    changes = np.bincount(value, weights=np.diff(counts, axis=1).ravel(), minlength=size)
    return float(counts[:, 0].sum()) + np.concatenate([[0.0], changes.cumsum()])
