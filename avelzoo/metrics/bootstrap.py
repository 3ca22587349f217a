"""Bootstrap intervals over videos."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.statistics.records import check_level, check_resamples
from avelzoo.statistics.resampling import sums_over_rows


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

    `avelzoo.statistics.video_interval` does the same for other scores and for several runs.

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
    check_resamples(resamples)
    check_level(level)
    rows = np.stack([values, np.ones_like(values) if per is None else per], axis=1).astype(np.float64)
    sums = sums_over_rows(rows, resamples=resamples, seed=seed)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
