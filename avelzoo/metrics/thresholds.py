"""A global threshold on the relevance: applying and choosing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo.metrics.predictions import PredictionArrays, Truth


def decided_at(predictions: PredictionArrays, threshold: float) -> PredictionArrays:
    """The same predictions with an event where r > threshold: s_vt = c_v there, background elsewhere and in padding.

    Args:
        predictions: with the categories c (v) and the relevance r (v t) to decide by.
        threshold: of r; at 0 every segment with r > 0 is an event, at 1 none is.
    """
    event = (predictions.relevance > threshold) & predictions.real
    segments = np.where(event, predictions.category[:, None], predictions.n)
    return replace(predictions, segments=segments)


def best_threshold(predictions: PredictionArrays, truth: Truth) -> float:
    """The threshold of r with the highest segment accuracy.

    All thresholds in the gap between two neighbouring values of r give the same predictions; the middle of the best gap
    is returned. Of equally good gaps, the widest one is chosen, then the lowest. 0 predicts an event everywhere, 1
    nowhere.

    Args:
        predictions: with the categories (v) and the relevance (v t) to decide by.
        truth: what is true of the same videos.

    Returns:
        A number in [0, 1].
    """
    relevance = predictions.relevance[truth.real].astype(np.float64)
    gain = (truth.segments == truth.background).astype(np.int64) - (truth.segments == predictions.category[:, None])
    order = np.argsort(relevance, kind="stable")
    values, last = np.unique(relevance[order][::-1], return_index=True)
    last = len(relevance) - 1 - last  # last index of each distinct value, in ascending order
    right = np.concatenate([[0], np.cumsum(gain[truth.real][order])[last]])  # besides an event everywhere
    if values[0] == 0:
        right[0] = -1  # no threshold in [0, 1] is below these segments
    edges = np.concatenate([[0.0], values, [1.0]])
    width = np.diff(edges)
    width[[0, -1]] = 0.0  # event everywhere and nowhere are chosen only if no gap between values is as good
    best = np.lexsort((-width, -right))[0]
    if best in (0, len(width) - 1):
        return 0.0 if best == 0 else 1.0
    return float((edges[best] + edges[best + 1]) / 2)
