"""Size of a difference, and values of single videos behind a statistic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.statistics.records import Counts, Interval, Statistic, runs_of, same_videos


@dataclass(frozen=True)
class EffectSize:
    """Size of a difference between two systems, see `effect_size`.

    Attributes:
        standardized: mean difference in standard deviations of the videos' differences; None without spread or with
            fewer than two videos.
        superiority: probability that a run of the first system scores higher than a run of the second one; ties count
            half. None if a system has one run.
    """

    standardized: float | None
    superiority: float | None


def effect_size(first: Counts, second: Counts, statistic: Statistic) -> EffectSize:
    """Two effect sizes of first against second: over videos, and over runs.

    - standardized: mean / standard deviation of the paired differences of the videos' values (Cohen's d_z), with the
      values of `video_values`, means over runs.
    - superiority: share of the s s' pairs of runs in which the first system is better (Vargha and Delaney 2000's A).

    Args:
        first: (v c) or (s v c), counts of one system.
        second: (v c) or (s' v c), counts of another one on the same videos.
        statistic: function of summed counts.

    Raises:
        OptionError: systems with different videos.
    """
    first, second = same_videos(first, second)
    deviation = paired_deviation(first, second, statistic) if first.shape[1] > 1 else 0.0
    scores = statistic(first.sum(axis=1)), statistic(second.sum(axis=1))
    standardized = float(scores[0].mean() - scores[1].mean()) / deviation if deviation > 0 else None
    superiority = None
    if min(len(first), len(second)) > 1:
        gap = scores[0][:, None] - scores[1][None, :]
        superiority = float(((gap > 0) + 0.5 * (gap == 0)).mean())
    return EffectSize(standardized, superiority)


def video_values(counts: Counts, statistic: Statistic) -> NDArray[np.float64]:
    """Value of each video behind the statistic, (v): jackknife pseudo-values, means over runs.

    v f(all) - (v - 1) f(all but video i); for a mean over videos this is the video's own value (Efron and Tibshirani
    1993, sec. 11.5). A video without which the statistic is undefined gets f(all).

    Args:
        counts: (v c) or (s v c).
        statistic: function of summed counts.
    """
    counts = runs_of(counts)
    videos, total = counts.shape[1], counts.sum(axis=1)
    whole = statistic(total)[:, None]
    without = statistic(total[:, None] - counts)
    pseudo = np.where(np.isnan(without), whole, videos * whole - (videos - 1) * without)
    means: NDArray[np.float64] = pseudo.mean(axis=0)
    return means


def paired_deviation(first: Counts, second: Counts, statistic: Statistic) -> float:
    """Standard deviation over videos of the difference of two systems' `video_values`: a pilot for `power`.

    Args:
        first: (v c) or (s v c), v >= 2.
        second: (v c) or (s' v c) on the same videos.
        statistic: function of summed counts.
    """
    first, second = same_videos(first, second)
    return float((video_values(first, statistic) - video_values(second, statistic)).std(ddof=1))


def practically_equal(difference: Interval, margin: float) -> bool:
    """Whether the interval of a difference lies wholly inside (-margin, margin).

    With a 95 % interval this is a stricter form of two one-sided tests at 5 %, which use a 90 % interval (Schuirmann
    1987). False says "not shown to be equal", not "different".

    Args:
        difference: such as from `difference_interval`.
        margin: largest difference that does not matter in practice, > 0.

    >>> practically_equal(Interval(0.001, -0.004, 0.006, 0.95, "video-bootstrap-10k"), margin=0.01)
    True
    """
    return -margin < difference.low and difference.high < margin
