"""A test of the difference of two systems: swap whole videos between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from avelzoo.statistics.records import Counts, Statistic, check_resamples, same_videos
from avelzoo.statistics.resampling import BLOCK

EXACT = 14
"""Differing videos up to which all 2^k swaps are enumerated."""


@dataclass(frozen=True)
class SwapTest:
    """Result of `swap_test`.

    Attributes:
        difference: statistic of the first system minus that of the second.
        p: two-sided p-value.
        permutations: number of swaps that p rests on.
        exact: whether these are all swaps; random ones otherwise.
        differing: number of videos with different counts.
    """

    difference: float
    p: float
    permutations: int
    exact: bool
    differing: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data; undefined numbers are None."""
        numbers = {name: None if np.isnan(x) else x for name, x in (("difference", self.difference), ("p", self.p))}
        return {**numbers, "permutations": self.permutations, "exact": self.exact, "differing": self.differing}


def swap_test(
    first: Counts, second: Counts, statistic: Statistic, *, resamples: int = 10_000, seed: int = 0
) -> SwapTest:
    """Paired randomization test: two-sided p-value of the difference of a statistic between two systems.

    Null hypothesis: for every video, the counts of the two systems are exchangeable; it does not matter which system
    they come from. So each video is swapped between the systems with probability 1/2, and the statistic is recomputed
    from the sums. p is the share of swaps whose difference is at least as large as the one found, in absolute value.

    If at most 14 videos differ, all 2^k swaps of the k differing videos are enumerated and p is exact. Otherwise
    p = (1 + extreme) / (1 + resamples) for random swaps: never 0, and valid for any number of resamples (Phipson and
    Smyth 2010). Swapping videos that do not differ changes nothing.

    With several runs of a system, the mean counts of its runs are swapped. The hypothesis is then about these very
    runs: whether new runs would show the same difference is a question for `welch_interval`.

    Args:
        first: (v c) or (s v c), counts of one system.
        second: (v c) or (s' v c), counts of another one on the same videos.
        statistic: function of summed counts, recomputed after each swap; swaps where it is undefined count as extreme.
        resamples: number of random swaps.
        seed: random seed.

    Raises:
        OptionError: fewer than 1 resample, or systems with different videos.
    """
    check_resamples(resamples)
    first, second = same_videos(first, second)
    one, other = first.mean(axis=0), second.mean(axis=0)
    change = other - one
    change = change[(change != 0).any(axis=1)]
    totals = one.sum(axis=0), other.sum(axis=0)
    difference = float(statistic(totals[0]) - statistic(totals[1]))
    k = len(change)
    if np.isnan(difference):
        return SwapTest(difference, float("nan"), 0, False, k)

    def extreme(swapped: np.ndarray[Any, Any]) -> int:
        moved = swapped.astype(np.float64) @ change
        found = statistic(totals[0] + moved) - statistic(totals[1] - moved)
        return int((~(np.abs(found) < abs(difference) * (1 - 1e-9) - 1e-15)).sum())

    if k <= EXACT:
        patterns = np.arange(1 << k)[:, None] >> np.arange(k) & 1
        return SwapTest(difference, extreme(patterns) / len(patterns), len(patterns), True, k)
    rng, rows = np.random.default_rng(seed), max(1, BLOCK // k)
    count = sum(
        extreme(rng.integers(0, 2, size=(min(rows, resamples - start), k), dtype=np.int8))
        for start in range(0, resamples, rows)
    )
    return SwapTest(difference, (1 + count) / (1 + resamples), resamples, False, k)
