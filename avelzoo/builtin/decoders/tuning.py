"""Choosing values on val."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def levels(values: np.ndarray, count: int = 33) -> list[float]:
    """Candidates for a threshold of ``values``: 0, and up to ``count`` of their quantiles in ascending order.

    >>> levels(np.array([0.25, 0.5, 0.75]), 3)
    [0.0, 0.25, 0.5, 0.75]
    """
    found = np.quantile(values, np.linspace(0, 1, count), method="lower")
    return [0.0, *(float(value) for value in np.unique(found) if value > 0)]


def best_value(candidates: Sequence[float], scores: Sequence[float]) -> float:
    """The candidate with the highest score; the middle of the longest run of neighbours that are equally good.

    >>> best_value([0.1, 0.2, 0.3, 0.4, 0.5], [0.9, 0.5, 0.9, 0.9, 0.9])
    0.4
    """
    best = max(scores)
    runs: list[list[int]] = [[]]
    for index, score in enumerate(scores):
        if score == best:
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    return candidates[longest[(len(longest) - 1) // 2]]
