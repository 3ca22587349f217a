"""Additive counts of each video, and the scores as functions of their sums.

Sums over videos give each score, so resampling or swapping videos needs sums only (`avelzoo.statistics`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics.accuracy import correct_segments
from avelzoo.metrics.arrays import BoolArray, IntArray
from avelzoo.metrics.events import event_counts
from avelzoo.metrics.localization import Spans
from avelzoo.metrics.predictions import Truth

VIDEO_COUNTS: tuple[str, ...] = (
    *("segments", "right"),
    *("event_segments", "event_found", "background_segments", "background_found"),
    *("partial_segments", "partial_right"),
    *("named_videos", "category_right", "true_category_right"),
    *("own_category_segments", "own_category_right"),
    *("matched_events", "predicted_events", "true_events"),
    *("iou_videos", "iou", "event_share"),
    *("found_runs", "start_error", "end_error"),
    *("absent_videos", "absent_claimed"),
)
"""Names of the columns of `video_counts`."""

Values = NDArray[np.float64]
_COLUMN = {name: i for i, name in enumerate(VIDEO_COUNTS)}


def video_counts(segments: IntArray, truth: Truth, category: IntArray | None = None) -> NDArray[np.float64]:
    """Counts of each video, (v c) float64, with the columns `VIDEO_COUNTS`.

    Args:
        segments: (v t) predicted ids in 0..n.
        truth: ground truth.
        category: (v) predicted categories in 0..n-1; without them, scores that need a category are undefined.
    """
    real, event = truth.real, truth.relevance
    background = real & ~event
    partial = event.any(axis=1) & background.any(axis=1)
    absent = np.logical_not(event.any(axis=1))
    claimed = ((segments != truth.background) & real).any(axis=1)
    right = correct_segments(segments, truth)
    counts = np.zeros((len(truth.events), len(VIDEO_COUNTS)))
    columns: dict[str, IntArray | BoolArray] = {
        "segments": truth.lengths,
        "right": right,
        "event_segments": event.sum(axis=1),
        "event_found": (event & (segments != truth.background)).sum(axis=1),
        "background_segments": background.sum(axis=1),
        "background_found": (background & (segments == truth.background)).sum(axis=1),
        "partial_segments": truth.lengths * partial,
        "partial_right": right * partial,
        "true_category_right": correct_segments(truth.events[:, None], truth),
        "absent_videos": absent,
        "absent_claimed": np.logical_and(absent, claimed),
    }
    for name, values in columns.items():
        counts[:, _COLUMN[name]] = values
    first = _COLUMN["matched_events"]
    counts[:, first : first + 3] = event_counts(segments, truth)
    if category is not None:
        _count_categories(counts, segments, truth, category)
    return counts


def _count_categories(counts: NDArray[np.float64], segments: IntArray, truth: Truth, category: IntArray) -> None:
    """Fill the columns that need predicted categories."""
    counts[:, _COLUMN["named_videos"]] = truth.has_event
    counts[:, _COLUMN["category_right"]] = truth.has_event & (category == truth.events)
    counts[:, _COLUMN["own_category_segments"]] = truth.lengths
    counts[:, _COLUMN["own_category_right"]] = correct_segments(category[:, None], truth)
    spans = Spans.of(segments, category, truth)
    counts[:, _COLUMN["iou_videos"]] = spans.counted
    counts[spans.counted, _COLUMN["iou"]] = spans.iou
    counts[spans.counted, _COLUMN["event_share"]] = spans.event_share
    videos = spans.video[spans.hit]
    for name, values in (("found_runs", np.ones(len(videos))), ("start_error", spans.start), ("end_error", spans.end)):
        np.add.at(counts[:, _COLUMN[name]], videos, values)


@dataclass(frozen=True)
class Measure:
    """A score of a split as a function of summed counts.

    Attributes:
        name: short name, for commands and files.
        title: name in words, for tables.
        score: dotted name of the same score in `Scores`; empty if it is not there.
        statistic: function of sums of `video_counts`, (... c) to (...); NaN where the score is undefined.
        unit: ``percent`` for fractions, or ``seconds``.
        higher_is_better: false for errors.
        needs_category: whether predicted categories are needed.
        share: whether it is a share in [0, 1].
    """

    name: str
    title: str
    score: str
    statistic: Callable[[Values], Values]
    unit: str = "percent"
    higher_is_better: bool = True
    needs_category: bool = False
    share: bool = True


def _ratio(part: str, whole: str) -> Callable[[Values], Values]:
    return lambda sums: _divide(sums[..., _COLUMN[part]], sums[..., _COLUMN[whole]])


def _divide(part: Values, whole: Values) -> Values:
    """Quotient, NaN for 0 / 0."""
    quotient: Values = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole != 0)
    return quotient


def _balanced(sums: Values) -> Values:
    return (_ratio("event_found", "event_segments")(sums) + _ratio("background_found", "background_segments")(sums)) / 2


def _f1(sums: Values) -> Values:
    return _divide(
        2 * sums[..., _COLUMN["matched_events"]],
        sums[..., _COLUMN["predicted_events"]] + sums[..., _COLUMN["true_events"]],
    )


def _boundary(sums: Values) -> Values:
    return (_ratio("start_error", "found_runs")(sums) + _ratio("end_error", "found_runs")(sums)) / 2


def _gain_over_own_category(sums: Values) -> Values:
    return _ratio("right", "segments")(sums) - _ratio("own_category_right", "own_category_segments")(sums)


_FB, _EVENTS, _LOCAL = "foreground_background", "events_iou50", "localization"
_MEASURES = (
    Measure("segment_accuracy", "segment accuracy", "segment_accuracy", _ratio("right", "segments")),
    Measure(
        "category_accuracy",
        "video category accuracy",
        "category_accuracy",
        _ratio("category_right", "named_videos"),
        needs_category=True,
    ),
    Measure("balanced_accuracy", "event/background balanced accuracy", f"{_FB}.balanced_accuracy", _balanced),
    Measure(
        "foreground_recall",
        "recall of event segments",
        f"{_FB}.foreground_recall",
        _ratio("event_found", "event_segments"),
    ),
    Measure(
        "background_recall",
        "recall of background segments",
        f"{_FB}.background_recall",
        _ratio("background_found", "background_segments"),
    ),
    Measure(
        "segment_iou",
        "segment IoU where the category is right",
        f"{_LOCAL}.segment_iou",
        _ratio("iou", "iou_videos"),
        needs_category=True,
    ),
    Measure(
        "segment_iou_all_event",
        "segment IoU of an event everywhere",
        f"{_LOCAL}.segment_iou_all_event",
        _ratio("event_share", "iou_videos"),
        needs_category=True,
    ),
    Measure(
        "boundary_error",
        "error of start and end, in seconds",
        f"{_LOCAL}.boundary_error_seconds",
        _boundary,
        unit="seconds",
        share=False,
        higher_is_better=False,
        needs_category=True,
    ),
    Measure(
        "partial_event",
        "segment accuracy on partial events",
        "partial_event.segment_accuracy",
        _ratio("partial_right", "partial_segments"),
    ),
    Measure("event_f1_iou50", "event F1 at IoU 0.5", "event_f1_iou50", _f1),
    Measure(
        "event_precision_iou50",
        "event precision at IoU 0.5",
        f"{_EVENTS}.precision",
        _ratio("matched_events", "predicted_events"),
    ),
    Measure(
        "event_recall_iou50",
        "event recall at IoU 0.5",
        f"{_EVENTS}.recall",
        _ratio("matched_events", "true_events"),
    ),
    Measure(
        "absent_event_rate",
        "videos without an event in which one is predicted",
        "absent_event.rate",
        _ratio("absent_claimed", "absent_videos"),
        higher_is_better=False,
    ),
    Measure(
        "floor_background",
        "floor: background everywhere",
        "floors.background",
        _ratio("background_segments", "segments"),
    ),
    Measure(
        "floor_own_category",
        "floor: its own category in every segment",
        "floors.own_category_all_event",
        _ratio("own_category_right", "own_category_segments"),
        needs_category=True,
    ),
    Measure(
        "floor_true_category",
        "floor: the true category in every segment",
        "floors.category_oracle_all_event",
        _ratio("true_category_right", "segments"),
    ),
    Measure(
        "gain_over_own_category",
        "segment accuracy minus the floor of its own category",
        "",
        _gain_over_own_category,
        share=False,
        needs_category=True,
    ),
)

MEASURES: Mapping[str, Measure] = MappingProxyType({measure.name: measure for measure in _MEASURES})
"""Scores that are functions of sums of `video_counts`, by short name."""
