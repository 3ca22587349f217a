"""Scores of whole events: precision, recall and F1 at temporal IoU 0.5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avelzoo.metrics.answers import Truth
from avelzoo.metrics.arrays import Figures, IntArray, ratio


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """Maximal runs of one id within a video, background runs included.

    Attributes:
        of_segment: (v t) number of the run that each segment belongs to.
        ids: (runs) the id of each run.
        lengths: (runs) segments in each run.
    """

    of_segment: IntArray
    ids: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, segments: IntArray) -> Runs:
        """The runs of (v t) ids, video by video, in temporal order."""
        opens = np.ones(segments.shape, dtype=np.bool_)
        opens[:, 1:] = segments[:, 1:] != segments[:, :-1]
        of_segment = opens.ravel().cumsum().reshape(segments.shape) - 1
        return cls(of_segment=of_segment, ids=segments[opens], lengths=np.bincount(of_segment.ravel()))

    def count_events(self, background: int) -> int:
        """How many runs are events."""
        return int((self.ids != background).sum())


def event_scores(segments: IntArray, truth: Truth) -> Figures:
    """Events found, at temporal IoU >= 0.5.

    An event is a maximal run of one category within a video; a video may hold several, or none. A predicted run P and a
    true run Y match when they are of the same video and category and |P & Y| / |P | Y| >= 1/2. Matches are one-to-one
    without an assignment step: if P matched Y and Y', it would hold half of itself in each and the gap that separates
    them, more than all of it.

    precision = matched / predicted, recall = matched / true, f1 = 2 matched / (predicted + true); each is None where
    its denominator is 0.

    Args:
        segments: (v t) predicted ids.
        truth: what is true.
    """
    predicted, true = Runs.of(np.where(truth.real, segments, truth.background)), Runs.of(truth.segments)
    shared = (segments == truth.segments) & truth.relevance
    # Number every pair of runs that agree somewhere; how often a pair occurs is the size of its intersection.
    total = len(predicted.ids)
    pairs, intersection = np.unique(true.of_segment[shared] * total + predicted.of_segment[shared], return_counts=True)
    union = true.lengths[pairs // total] + predicted.lengths[pairs % total] - intersection
    matched = int((2 * intersection >= union).sum())
    predicted_events = predicted.count_events(truth.background)
    true_events = true.count_events(truth.background)
    return {
        "f1": ratio(2 * matched, predicted_events + true_events),
        "precision": ratio(matched, predicted_events),
        "recall": ratio(matched, true_events),
        "predicted_events": predicted_events,
        "true_events": true_events,
        "matched_events": matched,
    }
