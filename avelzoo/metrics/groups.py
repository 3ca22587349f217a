"""Groups of videos, and a score with its interval in each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.counts import Measure
from avelzoo.metrics.predictions import Truth
from avelzoo.statistics import Interval, video_interval

Groups = dict[str, BoolArray]
"""Names of groups, in order, and the videos in each, (v) bool."""

LED = ("audio-led", "visual-led", "balanced")
"""Kinds of categories by the modality that identifies them."""

_MOST = 12


@dataclass(frozen=True, kw_only=True)
class GroupScore:
    """A score in one group of videos.

    Attributes:
        name: name of the group.
        videos: number of its videos.
        interval: the score and its interval; NaN where it is undefined in this group.
    """

    name: str
    videos: int
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain data; undefined numbers are None."""
        return {"name": self.name, "videos": self.videos, **self.interval.to_dict()}


def group_scores(
    counts: NDArray[np.float64],
    groups: Mapping[str, BoolArray],
    measure: Measure,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[GroupScore, ...]:
    """A score in each group that has videos, with its interval over the group's videos.

    Args:
        counts: (v c) or (s v c) of `video_counts`.
        groups: name -> (v) bool; groups may overlap.
        measure: the score.
        level: coverage in (0, 1).
        resamples: number of bootstrap samples.
        seed: random seed.
    """
    return tuple(
        GroupScore(
            name=name,
            videos=int(inside.sum()),
            interval=video_interval(
                counts[..., inside, :],
                measure.statistic,
                level=level,
                resamples=resamples,
                seed=seed,
                share=measure.share,
            ),
        )
        for name, inside in groups.items()
        if inside.any()
    )


def run_length_groups(truth: Truth) -> Groups:
    """Videos by their number of event segments, shortest first.

    With more than 12 different numbers, by the share of the video's segments: none, four quarters, and all.
    """
    length = truth.relevance.sum(axis=1)
    values = np.unique(length)
    if len(values) <= _MOST:
        return {f"{value} event segment{'s' * (value != 1)}": length == value for value in values.tolist()}
    quarter = np.ceil(4 * length / truth.lengths).astype(np.int64)
    quarter[length == truth.lengths] = 5
    names = ("no event segment", "up to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %", "every segment")
    return _present({name: quarter == i for i, name in enumerate(names)})


def category_groups(truth: Truth) -> Groups:
    """Videos by category, by id; categories without videos are left out, as are videos without a category."""
    return _present({name: truth.events == c for c, name in enumerate(truth.categories)})


def modality_groups(truth: Truth, led: Mapping[str, str]) -> Groups:
    """Videos by the modality that identifies their category: ``audio-led``, ``visual-led``, ``balanced``.

    Args:
        truth: ground truth.
        led: category -> kind; videos of other categories are in no group.

    Raises:
        DataError: an unknown kind.
    """
    unknown = sorted(set(led.values()) - set(LED))
    if unknown:
        raise DataError(
            "Kinds of categories are unknown.", where="led", found=", ".join(unknown), expected=", ".join(LED)
        )
    kinds = np.array([led.get(name, "") for name in truth.categories] + [""])[truth.events]
    return _present({kind: kinds == kind for kind in LED})


def seen_groups(truth: Truth, seen: Collection[str]) -> Groups:
    """Videos of categories that training had (``seen``), and of others (``unseen``).

    Args:
        truth: ground truth.
        seen: names of the categories in training.
    """
    known = np.array([name in seen for name in truth.categories] + [False])[truth.events]
    return _present({"seen": known, "unseen": ~known & truth.has_event})


def _present(groups: Groups) -> Groups:
    return {name: inside for name, inside in groups.items() if inside.any()}
