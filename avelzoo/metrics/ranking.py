"""Scores of the relevance that need no threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics.accuracy import segment_accuracy
from avelzoo.metrics.arrays import BoolArray, ratio
from avelzoo.metrics.curves import event_curve
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.scores import Ranking
from avelzoo.metrics.thresholds import best_threshold, decided_at


def ranking_scores(predictions: PredictionArrays, truth: Truth) -> Ranking:
    """Threshold-free scores of the relevance r over all segments, and accuracy at the best threshold.

    - auroc: probability that r of an event segment is larger than r of a background segment; ties count half. 0.5 says
      that r does not tell them apart. None if one of the two is missing.
    - average_precision: sum over thresholds of (recall step) x precision, event segments being positive; the share of
      event segments says that r does not tell them apart. None without event segments.
    - best_accuracy: segment accuracy with the predicted category where r exceeds the best global threshold *of this
      split*: optimistic, an upper bound of what a choice on val reaches.
    - event_f1_mean: mean over all thresholds from 0 to 1 of the F1 of whole events, see `event_curve`. None without
      events.
    - event_f1_best: the highest F1 of any threshold *of this split*: optimistic as well.

    Args:
        predictions: with the relevance (v t) and the categories (v).
        truth: ground truth.
    """
    relevance, event = predictions.relevance[truth.real], truth.relevance[truth.real]
    threshold = best_threshold(predictions, truth)
    curve = event_curve(predictions, truth)
    return Ranking(
        auroc=auroc(relevance, event),
        average_precision=average_precision(relevance, event),
        best_accuracy=segment_accuracy(decided_at(predictions, threshold).segments, truth),
        event_f1_mean=curve.mean if curve else None,
        event_f1_best=curve.best if curve else None,
    )


def auroc(score: NDArray[np.floating], positive: BoolArray) -> float | None:
    """Area under the ROC curve: P(score+ > score-) + P(score+ = score-) / 2; None without both kinds.

    From the mean ranks of equal scores (Mann and Whitney 1947).

    Args:
        score: one number per item.
        positive: whether the item is positive.
    """
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse.ravel()]
    ones = int(positive.sum())
    pairs = ones * (positive.size - ones)
    return ratio(float(ranks[positive.ravel()].sum()) - ones * (ones + 1) / 2, pairs)


def average_precision(score: NDArray[np.floating], positive: BoolArray) -> float | None:
    """Average precision: sum over distinct scores, from the highest, of (R_k - R_(k-1)) P_k; None without positives.

    Args:
        score: one number per item.
        positive: whether the item is positive.
    """
    values, inverse = np.unique(-score.ravel(), return_inverse=True)
    found = np.cumsum(np.bincount(inverse.ravel(), weights=positive.ravel(), minlength=len(values)))
    claimed = np.cumsum(np.bincount(inverse.ravel(), minlength=len(values)))
    if not positive.any():
        return None
    return float((np.diff(found, prepend=0.0) * found / claimed).sum() / found[-1])
