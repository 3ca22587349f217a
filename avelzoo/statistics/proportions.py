"""Wilson's interval of a proportion."""

from __future__ import annotations

import math
from statistics import NormalDist

from avelzoo.errors import OptionError
from avelzoo.statistics.records import Interval, check_level


def wilson(successes: float, total: float, level: float = 0.95) -> Interval:
    """Wilson score interval of the proportion p = successes / total.

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), with n = ``total`` and z the normal quantile
    of (1 + level) / 2 (Wilson 1927). It keeps its width at p = 0 and p = 1, where a bootstrap interval has none.

    Args:
        successes: number of successes in 0..total; effective numbers need not be integers.
        total: number of independent trials, > 0.
        level: coverage in (0, 1).

    Raises:
        OptionError: a number out of range.

    >>> interval = wilson(402, 402)
    >>> round(interval.low, 3), interval.high
    (0.991, 1.0)
    """
    check_level(level)
    if not (total > 0 and 0 <= successes <= total):
        raise OptionError(
            "Successes and total do not fit together.",
            where="wilson",
            found=f"{successes:g} of {total:g}",
            expected="0 <= successes <= total, total > 0",
        )
    p, z = successes / total, NormalDist().inv_cdf((1 + level) / 2)
    shrink = 1 + z * z / total
    centre = (p + z * z / (2 * total)) / shrink
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / shrink
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return Interval(p, low, high, level, "wilson")
