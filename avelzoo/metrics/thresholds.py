"""A global threshold on the relevance: applying and choosing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo.metrics.answers import Answers, Truth


def decided_at(answers: Answers, threshold: float) -> Answers:
    """Apply a threshold: s_vt = c_v where r > threshold, background elsewhere.

    Args:
        answers: predictions with categories c (v) and relevance r (v t).
        threshold: threshold on r; at 0 every segment with r > 0 is an event, at 1 none is.
    """
    segments = np.where(answers.relevance > threshold, answers.category[:, None], answers.n)
    return replace(answers, segments=segments)


def best_threshold(answers: Answers, truth: Truth) -> float:
    """Choose the threshold on r with the highest segment accuracy.

    All thresholds in the gap between two neighbouring values of r give the same predictions; the middle of the best gap
    is returned. Of equally good gaps, the widest one is chosen, then the lowest. 0 predicts an event everywhere, 1
    nowhere.

    Args:
        answers: predictions with categories (v) and relevance (v t).
        truth: ground truth of the same videos.

    Returns:
        A number in [0, 1].
    """
    relevance = answers.relevance[truth.real].astype(np.float64)
    gain = (truth.segments == truth.background).astype(np.int64) - (truth.segments == answers.category[:, None])
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
