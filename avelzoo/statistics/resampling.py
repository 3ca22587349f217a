"""Sums of counts over resampled videos."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avelzoo.statistics.records import Counts

BLOCK = 1 << 22
"""Numbers drawn at a time; limits the memory to 32 MiB for any number of videos."""


def sums_over_rows(rows: Counts, *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Sums of v rows drawn with replacement, (resamples c), by drawing how often each *distinct* row occurs.

    These numbers are multinomial, with the rows' shares as probabilities: the same distribution as that of drawing v
    rows, at a cost that does not grow with v if rows repeat (Efron and Tibshirani 1993, ch. 13).

    Args:
        rows: (v c), one row per video.
        resamples: number of samples.
        seed: random seed.
    """
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    return np.concatenate([draws @ distinct for draws in _multinomial(counts, resamples, seed)])


def sums_over_videos(rows: Counts, *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Sums of v rows drawn with replacement, (resamples c): the faster one of two ways to draw.

    If most rows are distinct, the videos themselves are drawn; equal ``v``, ``resamples`` and ``seed`` then give equal
    samples of videos, whatever the counts.
    """
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if 4 * len(distinct) <= len(rows):
        return np.concatenate([draws @ distinct for draws in _multinomial(counts, resamples, seed)])
    if len(rows) * resamples <= BLOCK:
        return _video_draws(len(rows), resamples, seed) @ rows
    return np.concatenate([draws @ rows for draws in _videos(len(rows), resamples, seed)])


def _multinomial(counts: NDArray[np.int64], resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng, total = np.random.default_rng(seed), int(counts.sum())
    for size in _blocks(len(counts), resamples):
        yield rng.multinomial(total, counts / total, size=size).astype(np.float64)


def _videos(videos: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    for size in _blocks(videos, resamples):
        drawn = rng.integers(0, videos, size=(size, videos)) + videos * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * videos).reshape(size, videos).astype(np.float64)


@lru_cache(maxsize=1)
def _video_draws(videos: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each video occurs in each sample, (resamples v); kept, as the rows of a table use the same samples."""
    draws = np.concatenate(list(_videos(videos, resamples, seed)))
    draws.flags.writeable = False
    return draws


def _blocks(width: int, resamples: int) -> Iterator[int]:
    rows = max(1, BLOCK // width)
    return (min(rows, resamples - start) for start in range(0, resamples, rows))
