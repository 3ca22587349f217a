"""Scores of whole events: precision, recall and F1 at temporal IoU 0.5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avelzoo.metrics.arrays import IntArray, ratio
from avelzoo.metrics.predictions import Truth
from avelzoo.metrics.scores import EventScores


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """Maximal intervals of one id within a video, background included.

    Attributes:
        of_segment: (v t) number of the interval that each segment belongs to.
        ids: (intervals) the id of each.
        lengths: (intervals) segments in each.
        videos: (intervals) the video of each.
    """

    of_segment: IntArray
    ids: IntArray
    lengths: IntArray
    videos: IntArray

    @classmethod
    def of(cls, segments: IntArray) -> Intervals:
        """The intervals of (v t) ids, video by video, in temporal order."""
        opens = np.ones(segments.shape, dtype=np.bool_)
        opens[:, 1:] = segments[:, 1:] != segments[:, :-1]
        of_segment = opens.ravel().cumsum().reshape(segments.shape) - 1
        lengths = np.bincount(of_segment.ravel())
        return cls(of_segment=of_segment, ids=segments[opens], lengths=lengths, videos=opens.nonzero()[0])

    def events_by_video(self, background: int) -> IntArray:
        """Number of intervals of each video that are events, (v)."""
        return np.bincount(self.videos[self.ids != background], minlength=len(self.of_segment))


def several_runs(segments: IntArray, background: int) -> bool:
    """Whether any video of (v t) ids has more than one event run."""
    events = segments != background
    opens = events.copy()
    opens[:, 1:] &= segments[:, 1:] != segments[:, :-1]
    return bool((opens.sum(axis=1) > 1).any())


def event_scores(segments: IntArray, truth: Truth) -> EventScores:
    """Events found, at temporal IoU >= 0.5.

    An event is a maximal run of one category within a video; a video may have several events, or none. A predicted run
    P and a true run Y match if they have the same video and category and |P & Y| / |P | Y| >= 1/2. Matches are
    one-to-one without an assignment step: if P matched Y and Y', at least half of P would lie in each of them, and P
    would also cover the gap between them, which is impossible.

    precision = matched / predicted, recall = matched / true, f1 = 2 matched / (predicted + true); each is None if its
    denominator is 0.

    Args:
        segments: (v t) predicted ids.
        truth: ground truth.
    """
    matched, predicted_events, true_events = map(int, event_counts(segments, truth).sum(axis=0))
    return EventScores(
        precision=ratio(matched, predicted_events),
        recall=ratio(matched, true_events),
        predicted_events=predicted_events,
        true_events=true_events,
        matched_events=matched,
    )


def event_counts(segments: IntArray, truth: Truth) -> IntArray:
    """Matched, predicted and true events of each video, (v 3); `event_scores` defines them.

    Args:
        segments: (v t) predicted ids.
        truth: ground truth.
    """
    predicted, true = Intervals.of(np.where(truth.real, segments, truth.background)), Intervals.of(truth.segments)
    shared = (segments == truth.segments) & truth.relevance
    # Number every pair of overlapping runs with equal ids; the count of a pair is the size of its intersection.
    total = len(predicted.ids)
    pairs, intersection = np.unique(true.of_segment[shared] * total + predicted.of_segment[shared], return_counts=True)
    union = true.lengths[pairs // total] + predicted.lengths[pairs % total] - intersection
    videos = true.videos[pairs // total][2 * intersection >= union]
    counts: IntArray = np.stack(
        [
            np.bincount(videos, minlength=len(segments)),
            predicted.events_by_video(truth.background),
            true.events_by_video(truth.background),
        ],
        axis=1,
    )
    return counts
