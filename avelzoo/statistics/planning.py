"""Power of a paired comparison on v videos, before it is run.

All functions use the normal approximation: a difference d of two systems is tested as d / (deviation / sqrt(v)), with
``deviation`` the standard deviation over videos of the difference. It comes from a pilot (`paired_deviation`) or from
an assumption (`assumed_deviation`).
"""

from __future__ import annotations

import math
from statistics import NormalDist

from avelzoo.errors import OptionError
from avelzoo.statistics.records import check_level

_NORMAL = NormalDist()


def power(difference: float, deviation: float, videos: int, *, alpha: float = 0.05) -> float:
    """Probability that a two-sided paired test at level alpha shows a true difference.

    Phi(x - z) + Phi(-x - z) with x = |difference| sqrt(v) / deviation and z the quantile 1 - alpha / 2.

    Args:
        difference: true difference of the two scores.
        deviation: standard deviation of the difference over videos, > 0.
        videos: number of videos v.
        alpha: level of the test.

    Raises:
        OptionError: an argument out of range.

    >>> round(power(0.02, deviation=0.2, videos=402), 2)
    0.52
    """
    _check(deviation, videos, alpha)
    x, z = abs(difference) * math.sqrt(videos) / deviation, _NORMAL.inv_cdf(1 - alpha / 2)
    return _NORMAL.cdf(x - z) + _NORMAL.cdf(-x - z)


def minimum_detectable_difference(deviation: float, videos: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest true difference that a two-sided paired test shows with the given power.

    (z_(1 - alpha / 2) + z_power) deviation / sqrt(v); the negligible chance of an effect in the wrong direction is left
    out.

    Args:
        deviation: standard deviation of the difference over videos, > 0.
        videos: number of videos v.
        alpha: level of the test.
        power: probability of showing the difference, in (0, 1).

    Raises:
        OptionError: an argument out of range.

    >>> round(minimum_detectable_difference(0.2, videos=402), 3)
    0.028
    """
    _check(deviation, videos, alpha)
    check_level(power, where="power")
    return (_NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)) * deviation / math.sqrt(videos)


def videos_needed(difference: float, deviation: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Number of videos with which a two-sided paired test shows a true difference with the given power.

    Args:
        difference: true difference of the two scores, not 0.
        deviation: standard deviation of the difference over videos, > 0.
        alpha: level of the test.
        power: probability of showing the difference, in (0, 1).

    Raises:
        OptionError: an argument out of range.

    >>> videos_needed(0.02, deviation=0.2)
    785
    """
    if difference == 0:
        raise OptionError("No number of videos shows a difference of 0.", where="difference", found="0")
    return math.ceil((minimum_detectable_difference(deviation, 1, alpha=alpha, power=power) / difference) ** 2)


def assumed_deviation(share: float, size: float = 1.0, *, difference: float = 0.0) -> float:
    """Standard deviation over videos of a difference, from an assumed share of differing videos.

    A share q of the videos differs, by +-``size`` each, and all videos differ by ``difference`` in the mean:
    sqrt(q size^2 - difference^2). A video of 10 segments in which 3 differ has size 0.3.

    Args:
        share: share q of videos with different scores, in 0..1.
        size: difference of such a video, in 0..1.
        difference: mean difference over all videos.

    Raises:
        OptionError: a mean difference larger than q size.

    >>> round(assumed_deviation(0.3, size=0.4), 3)
    0.219
    """
    if not (0 <= share <= 1 and abs(difference) <= share * size):
        raise OptionError(
            "The assumed differences contradict each other.",
            where="assumed_deviation",
            found=f"share {share:g}, size {size:g}, difference {difference:g}",
            expected="0 <= share <= 1 and |difference| <= share * size",
        )
    return math.sqrt(share * size * size - difference * difference)


def _check(deviation: float, videos: int, alpha: float) -> None:
    check_level(alpha, where="alpha")
    if not (deviation > 0 and videos >= 1):
        raise OptionError(
            "A comparison needs videos whose difference varies.",
            where="power",
            found=f"deviation {deviation:g}, {videos} videos",
            expected="deviation > 0, 1 or more videos",
        )
