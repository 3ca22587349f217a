"""Confidence intervals of a score and of a difference of scores, over videos and runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avelzoo.statistics.proportions import wilson
from avelzoo.statistics.records import (
    Counts,
    Interval,
    Statistic,
    check_level,
    check_resamples,
    mean_over_runs,
    runs_of,
    same_videos,
)
from avelzoo.statistics.resampling import sums_over_videos

FEW = 5
"""Fewer videos than this away from 0 or 1: the interval is Wilson's (the rule of five expected counts)."""


def video_interval(
    counts: Counts,
    statistic: Statistic,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    share: bool = True,
) -> Interval:
    """Interval of a score by resampling whole videos and, with s > 1, runs.

    The value is the mean over runs of the statistic of all videos. A resample draws v videos with replacement, the same
    ones for each run, because segments of a video are not independent. With s > 1 runs it also draws s - 1 runs
    with replacement, which makes the variance between resamples that of a mean of s runs (Rao and Wu 1988); the
    interval then covers training noise as well as the choice of videos; with fewer than 5 runs it is too short where
    training noise prevails (`t_interval`). With s = 1 it covers no training noise:
    ``method`` and ``covers`` say so. The interval is between the quantiles (1 - level) / 2 and (1 + level) / 2.

    If all but fewer than 5 videos score 0, or all but fewer than 5 score 1, a bootstrap interval is too short or has no
    width; the same holds for fewer than 5 videos. The interval is then Wilson's. Its number of trials is p (1 - p) /
    variance of the resamples, or the number of videos if this variance is 0.

    Args:
        counts: (v c) or (s v c), additive counts.
        statistic: function of summed counts.
        level: coverage in (0, 1).
        resamples: number of bootstrap samples.
        seed: random seed.
        share: whether the statistic is a share in [0, 1]; differences and errors have no Wilson interval.

    Raises:
        OptionError: an argument out of range.
    """
    check_level(level)
    check_resamples(resamples)
    counts = runs_of(counts)
    value = mean_over_runs(counts, statistic)
    draws = _resampled(counts, statistic, resamples, seed, stream=1)
    each = statistic(counts)  # of each video alone, in each run
    each = each[:, ~np.isnan(each).any(axis=0)]
    single = each.mean(axis=0)
    if share and each.size and each.min() >= 0 and each.max() <= 1 and 0 <= value <= 1:
        away = int((single != round(value)).sum())
        if away < FEW:
            return _wilson(value, draws, len(single), level, _method(counts, "video-wilson"))
    return _percentiles(value, draws, level, _method(counts, f"video-bootstrap-{_short(resamples)}"))


def difference_interval(
    first: Counts,
    second: Counts,
    statistic: Statistic,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    share: bool = True,
) -> Interval:
    """Interval of the difference first - second, paired by video: both systems are resampled with the same videos.

    As ``video_interval``; runs are drawn for each system on its own, because runs are not paired. It is two-level if
    either system has several runs; a system with one run contributes no training noise. If no video differs, the
    interval is +- the upper end of Wilson's interval of the share of differing videos, 0 of v: a difference of two
    shares is at most this share.

    Args:
        first: (v c) or (s v c), counts of one system.
        second: (v c) or (s' v c), counts of another one on the same videos.
        statistic: function of summed counts.
        level: coverage in (0, 1).
        resamples: number of bootstrap samples.
        seed: random seed.
        share: whether the statistic is a share in [0, 1]; if not, systems without a differing video have no width.

    Raises:
        OptionError: an argument out of range, or systems with different videos.
    """
    check_level(level)
    check_resamples(resamples)
    first, second = same_videos(first, second)
    value = mean_over_runs(first, statistic) - mean_over_runs(second, statistic)
    runs = first if len(first) >= len(second) else second
    if share and first.shape == second.shape and np.array_equal(first, second) and (first == first[:1]).all():
        bound = wilson(0, first.shape[1], level).high
        return Interval(value, -bound, bound, level, _method(runs, "video-wilson"))
    joined = np.concatenate([first, second])
    stats = _statistics(joined, statistic, resamples, seed)
    draws = _mean_of_drawn_runs(stats[:, : len(first)], seed, stream=1)
    draws = draws - _mean_of_drawn_runs(stats[:, len(first) :], seed, stream=2)
    return _percentiles(value, draws, level, _method(runs, f"video-bootstrap-{_short(resamples)}"))


def _statistics(counts: Counts, statistic: Statistic, resamples: int, seed: int) -> NDArray[np.float64]:
    """The statistic of each run for each sample of videos, (resamples s)."""
    runs, videos, width = counts.shape
    rows = counts.transpose(1, 0, 2).reshape(videos, runs * width)
    sums = sums_over_videos(rows, resamples=resamples, seed=seed).reshape(resamples, runs, width)
    return statistic(sums)


def _mean_of_drawn_runs(stats: NDArray[np.float64], seed: int, *, stream: int) -> NDArray[np.float64]:
    """Mean over s - 1 drawn runs for each sample, (resamples)."""
    resamples, runs = stats.shape
    if runs == 1:
        return stats[:, 0]
    drawn = np.random.default_rng([seed, stream]).integers(0, runs, size=(resamples, runs - 1))
    means: NDArray[np.float64] = np.take_along_axis(stats, drawn, axis=1).mean(axis=1)
    return means


def _resampled(counts: Counts, statistic: Statistic, resamples: int, seed: int, *, stream: int) -> NDArray[np.float64]:
    return _mean_of_drawn_runs(_statistics(counts, statistic, resamples, seed), seed, stream=stream)


def _percentiles(value: float, draws: NDArray[np.float64], level: float, method: str) -> Interval:
    """Percentile interval of the resamples in which the statistic is defined."""
    defined = draws[~np.isnan(draws)]
    if np.isnan(value) or not len(defined):
        return Interval(value, float("nan"), float("nan"), level, method)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level, method)


def _wilson(value: float, draws: NDArray[np.float64], videos: int, level: float, method: str) -> Interval:
    variance = float(np.nanvar(draws))
    trials = value * (1 - value) / variance if variance > 1e-20 else videos
    found = wilson(min(value * trials, trials), trials, level)
    return Interval(value, found.low, found.high, level, method)


def _method(counts: Counts, name: str) -> str:
    return f"seed+{name}" if len(counts) > 1 else name


def _short(resamples: int) -> str:
    return f"{resamples // 1000}k" if resamples % 1000 == 0 else str(resamples)
