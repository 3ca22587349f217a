"""Rows, pairs and groups of a comparison, from counts of videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avelzoo.comparing.comparison import Group, Pair, Row, RowFloors
from avelzoo.comparing.systems import System
from avelzoo.metrics import Truth, segment_accuracy
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.counts import Measure, video_counts
from avelzoo.statistics import (
    Counts,
    Interval,
    SwapTest,
    difference_interval,
    effect_size,
    holm,
    minimum_detectable_difference,
    paired_deviation,
    practically_equal,
    swap_test,
    video_interval,
)

HEADLINE = "segment_accuracy"
"""The measure that floors belong to."""


@dataclass(frozen=True, eq=False)
class Counted:
    """A system and the counts of its runs.

    Attributes:
        system: the system.
        counts: (s v c), see `video_counts`.
        own: (s v c) of its own category in every segment; None if it predicted segments only.
    """

    system: System
    counts: Counts
    own: Counts | None


@dataclass(frozen=True, eq=False)
class Rating:
    """How numbers of a comparison are computed.

    Attributes:
        measure: the measure.
        truth: truth of the v videos.
        level: coverage of the intervals.
        resamples: number of bootstrap samples and of random swaps.
        seed: seed of both.
    """

    measure: Measure
    truth: Truth
    level: float
    resamples: int
    seed: int

    def counted(self, system: System) -> Counted:
        """Counts of a system's runs."""
        categories = [None] * system.runs if system.category is None else list(system.category)
        counts = [
            video_counts(segments, self.truth, category)
            for segments, category in zip(system.segments, categories, strict=True)
        ]
        own = None
        if system.category is not None and self.measure.name == HEADLINE:
            everywhere = np.broadcast_to(system.category[:, :, None], system.segments.shape)
            own = np.stack(
                [video_counts(one, self.truth, c) for one, c in zip(everywhere, system.category, strict=True)]
            )
        return Counted(system, np.stack(counts), own)

    def rank(self, one: Counted) -> float:
        """Sorting key: the best system first, undefined ones last."""
        mean = float(self._values(one.counts).mean())
        if math.isnan(mean):
            return math.inf
        return -mean if self.measure.higher_is_better else mean

    def row(self, one: Counted, inside: BoolArray | None = None) -> Row:
        """The row of a system, on all videos or those ``inside``."""
        counts = _within(one.counts, inside)
        own = None if one.own is None else _within(one.own, inside)
        values = self._values(counts)
        system, floors = one.system, None
        if self.measure.name == HEADLINE:
            truth = self.truth if inside is None else _subset(self.truth, inside)
            floors = RowFloors(
                background=segment_accuracy(np.full((1, 1), truth.background), truth),
                category_oracle=segment_accuracy(truth.events[:, None], truth),
                own_category=None if own is None else float(self._values(own).mean()),
            )
        return Row(
            name=system.name,
            seeds=system.seeds,
            values=tuple(map(float, values)),
            std=float(values.std(ddof=1)) if len(values) > 1 else None,
            interval=self._interval(counts),
            floors=floors,
            gain=None if own is None else self._gain(counts, own),
            leaks_duration=system.leaks_duration,
        )

    def pairs(self, pairs: Sequence[tuple[Counted, Counted]], margin: float) -> tuple[Pair, ...]:
        """Tests of all pairs, with Holm's correction over them."""
        tests = [
            swap_test(a.counts, b.counts, self.measure.statistic, resamples=self.resamples, seed=self.seed)
            for a, b in pairs
        ]
        adjusted = holm([test.p for test in tests])
        return tuple(self._pair(a, b, test, p, margin) for (a, b), test, p in zip(pairs, tests, adjusted, strict=True))

    def group(
        self, name: str, inside: BoolArray, counted: Sequence[Counted], pairs: Sequence[tuple[Counted, Counted]]
    ) -> Group:
        """Rows and differences on some of the videos."""
        return Group(
            name=name,
            videos=int(inside.sum()),
            rows=tuple(self.row(one, inside) for one in counted),
            differences=tuple(self._difference(a, b, inside) for a, b in pairs),
        )

    def _pair(self, a: Counted, b: Counted, test: SwapTest, adjusted: float, margin: float) -> Pair:
        difference = self._difference(a, b)
        size = effect_size(a.counts, b.counts, self.measure.statistic)
        videos = len(self.truth.events)
        deviation = paired_deviation(a.counts, b.counts, self.measure.statistic) if videos > 1 else 0.0
        alpha = 1 - self.level
        return Pair(
            first=a.system.name,
            second=b.system.name,
            difference=difference,
            p=test.p,
            exact=test.exact,
            adjusted_p=adjusted,
            effect_size=size.standardized,
            superiority=size.superiority,
            minimum_detectable=minimum_detectable_difference(deviation, videos, alpha=alpha) if deviation > 0 else None,
            separated=adjusted < alpha and 0 not in difference,
            practically_equal=practically_equal(difference, margin),
            identical=np.array_equal(a.system.segments, b.system.segments),
        )

    def _difference(self, a: Counted, b: Counted, inside: BoolArray | None = None) -> Interval:
        return difference_interval(
            _within(a.counts, inside),
            _within(b.counts, inside),
            self.measure.statistic,
            level=self.level,
            resamples=self.resamples,
            seed=self.seed,
            share=self.measure.share,
        )

    def _interval(self, counts: Counts) -> Interval:
        return video_interval(
            counts,
            self.measure.statistic,
            level=self.level,
            resamples=self.resamples,
            seed=self.seed,
            share=self.measure.share,
        )

    def _gain(self, counts: Counts, own: Counts) -> Interval:
        """Interval of the score minus that of the own category everywhere; runs stay paired with their floor."""
        width, statistic = counts.shape[-1], self.measure.statistic

        def gain(sums: Counts) -> Counts:
            return statistic(sums[..., :width]) - statistic(sums[..., width:])

        return video_interval(
            np.concatenate([counts, own], axis=-1),
            gain,
            level=self.level,
            resamples=self.resamples,
            seed=self.seed,
            share=False,
        )

    def _values(self, counts: Counts) -> Counts:
        return self.measure.statistic(counts.sum(axis=1))


def _within(counts: Counts, inside: BoolArray | None) -> Counts:
    return counts if inside is None else counts[:, inside]


def _subset(truth: Truth, inside: BoolArray) -> Truth:
    return Truth(
        segments=truth.segments[inside],
        events=truth.events[inside],
        categories=truth.categories,
        seconds_per_segment=truth.seconds_per_segment,
        lengths=truth.lengths[inside],
    )
