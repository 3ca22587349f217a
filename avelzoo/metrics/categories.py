"""Scores per category and their mean over categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avelzoo.metrics.accuracy import correct_segments
from avelzoo.metrics.arrays import IntArray, mean, ratio
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.scores import CategoryScores, MacroScores


def per_category(predictions: PredictionArrays, truth: Truth) -> tuple[CategoryScores, ...]:
    """One row per category, by id, over the videos whose category it is.

    segment_accuracy = share of correct segments, including background; all_event = segment accuracy of predicting the
    category in every segment; category_recall = share of videos with the correct category. None if a category has no
    videos. Videos without a category are in no row.
    """
    segments = _totals(truth.lengths, truth)
    videos = _totals(np.ones_like(truth.events), truth)
    right = _totals(correct_segments(predictions.segments, truth), truth)
    all_event = _totals(correct_segments(truth.events[:, None], truth), truth)
    named = _totals((predictions.category == truth.events).astype(np.int64), truth)
    return tuple(
        CategoryScores(
            category=name,
            videos=int(videos[c]),
            segment_accuracy=ratio(right[c], segments[c]),
            all_event=ratio(all_event[c], segments[c]),
            category_recall=ratio(named[c], videos[c]),
        )
        for c, name in enumerate(truth.categories)
    )


def macro_scores(rows: Sequence[CategoryScores]) -> MacroScores:
    """Means over the categories that have videos, each category counting the same.

    Args:
        rows: from ``per_category``.
    """
    present = [row for row in rows if row.videos]
    return MacroScores(
        segment_accuracy=mean(np.array([row.segment_accuracy for row in present])),
        category_recall=mean(np.array([row.category_recall for row in present])),
        categories=len(present),
    )


def _totals(values: IntArray, truth: Truth) -> IntArray:
    """Sum integer values (v) over the videos of each category: (n) int64."""
    totals = np.zeros(truth.n + 1, dtype=np.int64)
    np.add.at(totals, truth.events, values)
    return totals[: truth.n]
