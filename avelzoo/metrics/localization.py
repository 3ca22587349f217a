"""Temporal localization of events, given the correct category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics.arrays import BoolArray, IntArray, mean
from avelzoo.metrics.events import Intervals
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.scores import Localization


def localization_scores(predictions: PredictionArrays, truth: Truth) -> Localization:
    """Overlap and boundaries, given the right category.

    The scores cover the videos with event segments of their category y^e and the correct predicted category (c = y^e).
    In each, Y = {t: y_t = y^e} is the truth, one or several runs Y_k, and S = {t: s_t = y^e} the prediction. Each
    segment of S is assigned to the nearest run in time, the earlier one of two, which gives S_k; with one run, S_1 = S.

    - segment_iou: mean over videos of |S & Y| / |S | Y|, which is 0 for empty S;
    - segment_iou_all_event: mean of |Y| / length over the same videos, the score of predicting an event everywhere;
    - start_error_seconds: mean of |min S_k - min Y_k| times the length of a segment, over runs with non-empty S_k;
    - end_error_seconds: the same for max S_k + 1 and max Y_k + 1;
    - boundary_error_seconds: the mean of both;
    - videos and runs: how many are counted; missed: number of runs with empty S_k.

    Boundary errors ignore missed events, so read them together with ``missed``. All scores are None without videos.
    """
    spans = Spans.of(predictions.segments, predictions.category, truth)
    return Localization(
        segment_iou=mean(spans.iou),
        segment_iou_all_event=mean(spans.event_share),
        start_error_seconds=mean(spans.start),
        end_error_seconds=mean(spans.end),
        boundary_error_seconds=mean((spans.start + spans.end) / 2),
        videos=int(spans.counted.sum()),
        runs=len(spans.hit),
        missed=int((~spans.hit).sum()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """Overlap and boundaries of videos and runs; `localization_scores` defines them.

    Attributes:
        counted: (v) bool, whether a video counts; k do.
        iou, event_share: (k) overlap of a video, and share of its event segments.
        video: (runs) index in 0..v-1 of the video of each run.
        hit: (runs) bool, whether the run was found.
        start, end: (runs found) errors in seconds.
    """

    counted: BoolArray
    iou: NDArray[np.float64]
    event_share: NDArray[np.float64]
    video: IntArray
    hit: BoolArray
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @classmethod
    def of(cls, segments: IntArray, category: IntArray, truth: Truth) -> Spans:
        """Compare predicted ids (v t), with predicted categories (v), with the truth."""
        event = truth.events[:, None]
        true = truth.segments == event
        # An answered category is never n, so videos without one do not count.
        counted = true.any(axis=1) & (category == truth.events)
        true = true[counted]
        found = ((segments == event) & truth.real)[counted]

        runs = Intervals.of(true.astype(np.int64))
        owner = np.take_along_axis(runs.of_segment, _nearest(true), axis=1)
        events = np.flatnonzero(runs.ids)
        true_start, true_end = (end[events] for end in _spans(true, owner, len(runs.ids)))
        found_start, found_end = (end[events] for end in _spans(found, owner, len(runs.ids)))
        hit = found_end > 0
        return cls(
            counted=counted,
            iou=(found & true).sum(axis=1) / (found | true).sum(axis=1),
            event_share=true.sum(axis=1) / truth.lengths[counted],
            video=np.flatnonzero(counted)[runs.videos[events]],
            hit=hit,
            start=np.abs(found_start - true_start)[hit] * truth.seconds_per_segment,
            end=np.abs(found_end - true_end)[hit] * truth.seconds_per_segment,
        )


def _nearest(true: BoolArray) -> IntArray:
    """Index of the nearest true segment, (v t), the earlier of two; every row of (v t) has a true one."""
    length = true.shape[1]
    time = np.arange(length)
    before = np.maximum.accumulate(np.where(true, time, -length), axis=1)
    after = np.minimum.accumulate(np.where(true, time, 2 * length)[:, ::-1], axis=1)[:, ::-1]
    nearest: IntArray = np.where(time - before <= after - time, before, after)
    return nearest


def _spans(mask: BoolArray, owner: IntArray, runs: int) -> tuple[IntArray, IntArray]:
    """First true segment, and one past the last, of every run's part of ``mask``, (runs) each; (t, 0) if empty.

    Args:
        mask: (v t).
        owner: (v t), run of each segment.
        runs: number of runs.
    """
    start, end = np.full(runs, mask.shape[1]), np.zeros(runs, dtype=np.int64)
    owners, times = owner[mask], mask.nonzero()[1]
    np.minimum.at(start, owners, times)
    np.maximum.at(end, owners, times + 1)
    return start, end
