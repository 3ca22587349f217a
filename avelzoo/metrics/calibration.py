"""Whether the relevance score means what it says."""

from __future__ import annotations

from typing import Any

import numpy as np

from avelzoo.metrics.arrays import BoolArray, FloatArray, ratio

BINS = 15
"""Equal bins of [0, 1], as Guo et al. 2017 (arXiv 1706.04599) use them."""


def calibration_error(relevance: FloatArray, event: BoolArray, *, bins: int = BINS) -> dict[str, Any]:
    """Expected calibration error of the relevance score r as a probability of y^r = 1.

    ECE = sum_k |B_k| / (v t) * |mean of y^r in B_k - mean of r in B_k|, with B_k = {k/bins <= r < (k+1)/bins}
    and r = 1 in the last bin (Guo et al. 2017, eq. 3, with the score of the event class as the confidence).

    Args:
        relevance: (v t) r in [0, 1].
        event: (v t) y^r.
        bins: number of bins.

    Returns:
        ``expected_error``, and ``bins``: per bin its edges ``low`` and ``high``, its ``segments``, the mean
        ``score`` and the ``event_share`` in it (None where it is empty).
    """
    score = relevance.ravel().astype(np.float64)
    which = np.minimum((score * bins).astype(np.int64), bins - 1)
    counts = np.bincount(which, minlength=bins)
    score_sums = np.bincount(which, weights=score, minlength=bins)
    event_sums = np.bincount(which, weights=event.ravel(), minlength=bins)
    return {
        "expected_error": float(np.abs(event_sums - score_sums).sum() / score.size),
        "bins": [
            {
                "low": k / bins,
                "high": (k + 1) / bins,
                "segments": int(counts[k]),
                "score": ratio(score_sums[k], counts[k]),
                "event_share": ratio(event_sums[k], counts[k]),
            }
            for k in range(bins)
        ],
    }
