"""Intervals, tests and power for scores of videos and seeds. Requires only numpy.

Notation: s runs (seeds) of a system, v videos, c additive counts of a video. A statistic is a function of summed
counts, (... c) to (...); `avelzoo.metrics` has counts and statistics of all scores.
"""

from __future__ import annotations

from avelzoo.statistics.effects import EffectSize, effect_size, paired_deviation, practically_equal, video_values
from avelzoo.statistics.intervals import difference_interval, video_interval
from avelzoo.statistics.planning import assumed_deviation, minimum_detectable_difference, power, videos_needed
from avelzoo.statistics.proportions import wilson
from avelzoo.statistics.records import Counts, Interval, Statistic
from avelzoo.statistics.resampling import sums_over_rows
from avelzoo.statistics.runs import student_quantile, t_interval, welch_interval
from avelzoo.statistics.swapping import SwapTest, swap_test
from avelzoo.statistics.tables import holm, letters

__all__ = [
    "Counts",
    "EffectSize",
    "Interval",
    "Statistic",
    "SwapTest",
    "assumed_deviation",
    "difference_interval",
    "effect_size",
    "holm",
    "letters",
    "minimum_detectable_difference",
    "paired_deviation",
    "power",
    "practically_equal",
    "student_quantile",
    "sums_over_rows",
    "swap_test",
    "t_interval",
    "video_interval",
    "video_values",
    "videos_needed",
    "welch_interval",
    "wilson",
]
