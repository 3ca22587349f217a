"""An interval, and the type of a statistic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import OptionError

Counts = NDArray[np.float64]
"""Additive counts of videos, (v c) or (s v c): s runs (seeds), v videos, c counts."""

Statistic = Callable[[Counts], NDArray[np.float64]]
"""Function of summed counts, (... c) to (...); NaN where it is undefined."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval.

    Attributes:
        value: the estimate; NaN if it is undefined.
        low, high: ends of the interval; NaN if they are undefined.
        level: nominal coverage, such as 0.95.
        method: short name for signatures, such as ``video-bootstrap-10k``; ``seed+...`` if runs were resampled too.
    """

    value: float
    low: float
    high: float
    level: float
    method: str

    @property
    def covers(self) -> str:
        """Sources of variation that the interval covers, in words."""
        if self.method.startswith("seed+"):
            return "choice of test videos and training noise"
        if "seed" in self.method:
            return "training noise, not the choice of test videos"
        return "choice of test videos, not training noise"

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def to_dict(self) -> dict[str, Any]:
        """Plain data; undefined numbers are None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


def check_level(level: float, *, where: str = "level") -> None:
    """Refuse a probability outside (0, 1).

    Raises:
        OptionError: for such a probability.
    """
    if not 0 < level < 1:
        raise OptionError(f"The {where} is out of range.", where=where, found=str(level), expected=f"0 < {where} < 1")


def check_resamples(resamples: int) -> None:
    """Refuse fewer than one resample.

    Raises:
        OptionError: for such a number.
    """
    if resamples < 1:
        raise OptionError(
            "The number of resamples is too small.", where="resamples", found=str(resamples), expected=">= 1"
        )


def runs_of(counts: Counts, *, where: str = "counts") -> Counts:
    """Counts as (s v c) float64; (v c) is one run.

    Raises:
        OptionError: another number of axes, or an empty axis.
    """
    array = np.asarray(counts, dtype=np.float64)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or not array.size:
        raise OptionError(
            "Counts have the wrong shape.", where=where, found=str(array.shape), expected="(s v c), none 0"
        )
    return array


def same_videos(first: Counts, second: Counts) -> tuple[Counts, Counts]:
    """Counts of two systems as (s v c) and (s' v c).

    Raises:
        OptionError: the systems differ in v or c.
    """
    one, other = runs_of(first, where="first"), runs_of(second, where="second")
    if one.shape[1:] != other.shape[1:]:
        raise OptionError(
            "Two systems have counts of different videos.",
            where="second",
            found=f"(v c) = {other.shape[1:]}",
            expected=f"(v c) = {one.shape[1:]}, as in first",
            fix="compare systems on the same videos, in the same order",
        )
    return one, other


def mean_over_runs(counts: Counts, statistic: Statistic) -> float:
    """Mean over runs of the statistic of all videos; undefined if it is undefined for a run."""
    return float(statistic(counts.sum(axis=1)).mean())
