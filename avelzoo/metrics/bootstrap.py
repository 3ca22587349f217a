"""Bootstrap intervals over videos."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import OptionError

_BLOCK = 1 << 22
"""Counts drawn at a time; limits the memory to 32 MiB for any number of videos."""


def bootstrap_interval(
    values: NDArray[Any],
    *,
    per: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of the mean of one value per video, resampling videos with replacement.

    For videos of different length (``per``), the interval of sum of values / sum of lengths.

    Segments of one video are correlated, so whole videos are drawn. For a paired comparison of two runs on the same
    videos, pass the differences of their values per video.

    A resample's mean depends only on how often each *distinct* value is drawn. These counts are multinomial, with the
    values' shares as probabilities. Drawing the counts gives the same distribution as drawing v videos, and its cost
    does not grow with v if values repeat, as counts of correct segments do (Efron and Tibshirani 1993, ch. 13).

    Args:
        values: (v) one number per video, v >= 1.
        per: (v) number of segments per video; None for the plain mean.
        resamples: number of bootstrap samples.
        seed: random seed.
        level: coverage in (0, 1).

    Returns:
        The quantiles (1 - level) / 2 and (1 + level) / 2 of the resampled means.

    Raises:
        OptionError: fewer than 1 resample or a level outside (0, 1).
    """
    if resamples < 1:
        raise OptionError(
            "The number of bootstrap samples is too small.", where="resamples", found=str(resamples), expected=">= 1"
        )
    if not 0 < level < 1:
        raise OptionError(
            "The coverage level is out of range.", where="level", found=str(level), expected="0 < level < 1"
        )
    pairs = np.stack([values, np.ones_like(values) if per is None else per.astype(values.dtype)], axis=1)
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    shares = counts / values.size
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(distinct))
    sums = np.concatenate(
        [
            rng.multinomial(values.size, shares, size=min(rows, resamples - start)) @ distinct
            for start in range(0, resamples, rows)
        ]
    )
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
