"""Calibration of the relevance score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics.arrays import BoolArray, FloatArray, ratio
from avelzoo.metrics.scores import Calibration, CalibrationBin

BINS = 15
"""Number of equal bins of [0, 1], as in Guo et al. 2017 (arXiv 1706.04599)."""


def calibration_error(relevance: FloatArray, event: BoolArray, *, bins: int = BINS) -> Calibration:
    """Expected calibration error of the relevance score r as a probability of y^r = 1.

    ECE = sum_k |B_k| / (v t) * |mean of y^r in B_k - mean of r in B_k|, with B_k = {k/bins <= r < (k+1)/bins}
    and r = 1 in the last bin (Guo et al. 2017, eq. 3, with the score of the event class as the confidence).

    Args:
        relevance: (v t) r in [0, 1].
        event: (v t) y^r.
        bins: number of bins.
    """
    score = relevance.ravel().astype(np.float64)
    which = np.minimum((score * bins).astype(np.int64), bins - 1)
    counts = np.bincount(which, minlength=bins)
    score_sums = np.bincount(which, weights=score, minlength=bins)
    event_sums = np.bincount(which, weights=event.ravel(), minlength=bins)
    return Calibration(
        expected_error=float(np.abs(event_sums - score_sums).sum() / score.size),
        bins=tuple(
            CalibrationBin(
                low=k / bins,
                high=(k + 1) / bins,
                segments=int(counts[k]),
                score=ratio(score_sums[k], counts[k]),
                event_share=ratio(event_sums[k], counts[k]),
            )
            for k in range(bins)
        ),
    )


def fit_scale(scores: NDArray[Any], event: BoolArray, *, least: float = 1e-2, most: float = 1e3) -> float:
    """Fit the scale s > 0 in r = sigmoid(s x) to the labels: Platt scaling without an offset.

    Minimizes the cross-entropy between r and the targets (N_1 + 1) / (N_1 + 2) for the N_1 event segments and
    1 / (N_0 + 2) for the N_0 background segments; these targets keep s finite if the scores separate the two (Platt
    1999, sec. 2.2). The loss is convex in s; bisection of log s finds the zero of its derivative, sum x (r - target).

    Args:
        scores: x, with the decision at 0; any shape.
        event: y^r, same shape.
        least: lower bound of s; returned if larger scores do not indicate events.
        most: upper bound of s.
    """
    x = scores.ravel().astype(np.float64)
    ones = int(event.sum())
    target = np.where(event.ravel(), (ones + 1) / (ones + 2), 1 / (event.size - ones + 2))

    def slope(log_scale: float) -> float:
        return float((x * (0.5 + 0.5 * np.tanh(0.5 * np.exp(log_scale) * x) - target)).sum())

    low, high = np.log(least), np.log(most)
    if slope(low) >= 0:
        return least
    if slope(high) <= 0:
        return most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return float(np.exp((low + high) / 2))
