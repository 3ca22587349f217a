"""Scores of audio-visual event localization, with baselines ("floors") for segment accuracy.

Notation: v videos of a split, t segments, n event categories (background has id n). Requires only numpy.
"""

from __future__ import annotations

from avelzoo.metrics.accuracy import (
    absent_event,
    category_accuracy,
    correct_segments,
    foreground_background,
    partial_event,
    segment_accuracy,
)
from avelzoo.metrics.bootstrap import bootstrap_interval
from avelzoo.metrics.calibration import calibration_error, fit_scale
from avelzoo.metrics.categories import macro_scores, per_category
from avelzoo.metrics.counts import MEASURES, VIDEO_COUNTS, Measure, video_counts
from avelzoo.metrics.curves import EventCurve, event_curve
from avelzoo.metrics.events import event_scores, several_runs
from avelzoo.metrics.floors import floor_accuracies, reference_accuracies
from avelzoo.metrics.groups import (
    GroupScore,
    category_groups,
    group_scores,
    modality_groups,
    run_length_groups,
    seen_groups,
)
from avelzoo.metrics.labels import ReadsLabels, SplitLabels
from avelzoo.metrics.localization import localization_scores
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.ranking import auroc, average_precision, ranking_scores
from avelzoo.metrics.scores import Scores, Thresholds, ThresholdScores, score_names
from avelzoo.metrics.scoring import score
from avelzoo.metrics.signature import Signature, data_hash
from avelzoo.metrics.thresholds import best_threshold, decided_at

__all__ = [
    "MEASURES",
    "VIDEO_COUNTS",
    "EventCurve",
    "GroupScore",
    "Measure",
    "PredictionArrays",
    "ReadsLabels",
    "Scores",
    "Signature",
    "SplitLabels",
    "ThresholdScores",
    "Thresholds",
    "Truth",
    "absent_event",
    "auroc",
    "average_precision",
    "best_threshold",
    "bootstrap_interval",
    "calibration_error",
    "category_accuracy",
    "category_groups",
    "correct_segments",
    "data_hash",
    "decided_at",
    "event_curve",
    "event_scores",
    "fit_scale",
    "floor_accuracies",
    "foreground_background",
    "group_scores",
    "localization_scores",
    "macro_scores",
    "modality_groups",
    "partial_event",
    "per_category",
    "ranking_scores",
    "reference_accuracies",
    "run_length_groups",
    "score",
    "score_names",
    "seen_groups",
    "segment_accuracy",
    "several_runs",
    "video_counts",
]
