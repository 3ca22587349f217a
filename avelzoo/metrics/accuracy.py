"""Shares of right predictions: per segment, per video, event against background, on partial events."""

from __future__ import annotations

from avelzoo.metrics.arrays import IntArray, mean, ratio
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.scores import AbsentEvent, ForegroundBackground, PartialEvent


def correct_segments(segments: IntArray, truth: Truth) -> IntArray:
    """Number of correct segments of each video, (v) int64: sum_t [s_vt = y_vt].

    Args:
        segments: (v t) ids, or (v 1) for one id in all segments of a video.
        truth: ground truth.
    """
    right: IntArray = ((segments == truth.segments) & truth.real).sum(axis=1)
    return right


def segment_accuracy(segments: IntArray, truth: Truth) -> float:
    """Share of correct segments, including background: sum_vt [s_vt = y_vt] over the number of segments.

    The main score of every AVE paper (Ge et al. 2023, sec. 4.1.2).

    Args:
        segments: (v t) ids, or (v 1) for one id in all segments of a video.
        truth: ground truth.
    """
    return int(correct_segments(segments, truth).sum()) / int(truth.lengths.sum())


def category_accuracy(predictions: PredictionArrays, truth: Truth) -> float | None:
    """Share of videos whose category is right, among videos that have one: mean_v [c_v = y^e_v].

    None if no video has a category.
    """
    return mean((predictions.category == truth.events)[truth.has_event])


def foreground_background(predictions: PredictionArrays, truth: Truth) -> ForegroundBackground:
    """Event against background over all segments, whatever the category.

    foreground_recall = mean of [s != n] where y != n; background_recall = mean of [s = n] where y = n;
    balanced_accuracy = their mean. Each is None if it has no segments; predicting an event everywhere scores 0.5.
    """
    event = truth.relevance
    foreground = mean(predictions.segments[event] != truth.background)
    background = mean(predictions.segments[~event & truth.real] == truth.background)
    recalls = [share for share in (foreground, background) if share is not None]
    return ForegroundBackground(
        balanced_accuracy=sum(recalls) / 2 if len(recalls) == 2 else None,
        foreground_recall=foreground,
        background_recall=background,
    )


def partial_event(predictions: PredictionArrays, truth: Truth) -> PartialEvent:
    """Segment accuracy on the videos with event and background segments both, where localization shows.

    ``videos`` counts them (AVE annotations: 141 of 402 in the test split); the accuracy is None if there are none.
    """
    event = truth.relevance
    partial = event.any(axis=1) & (truth.real & ~event).any(axis=1)
    videos = int(partial.sum())
    right = int(correct_segments(predictions.segments, truth)[partial].sum())
    return PartialEvent(segment_accuracy=ratio(right, int(truth.lengths[partial].sum())), videos=videos)


def absent_event(segments: IntArray, truth: Truth) -> AbsentEvent:
    """Share of the videos without any event segment in which an event is predicted somewhere; lower is better.

    ``videos`` counts them (AVE annotations: one in all splits together); the rate is None if there are none.

    Args:
        segments: (v t) ids.
        truth: ground truth.
    """
    absent = ~truth.relevance.any(axis=1)
    claimed = ((segments != truth.background) & truth.real).any(axis=1)
    return AbsentEvent(rate=mean(claimed[absent]), videos=int(absent.sum()))
