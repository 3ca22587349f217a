"""The three scores that papers on OV-AVEBench report, and their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.metrics import MEASURES, Truth, seen_groups, segment_accuracy, video_counts


@dataclass(frozen=True)
class OvAveScores:
    """Scores in [0, 1].

    Attributes:
        clips: number of clips.
        accuracy: share of segments with the right category or background ("total accuracy").
        segment_f1: 2 TP / (2 TP + FP + FN) over the event segments of all clips; a wrong category is one FP and one FN.
        event_f1: F1 of runs that match at an IoU of 0.5 with the right category, over all clips.
    """

    clips: int
    accuracy: float
    segment_f1: float
    event_f1: float

    @property
    def mean(self) -> float:
        """Mean of the three."""
        return (self.accuracy + self.segment_f1 + self.event_f1) / 3


def ov_ave_scores(segments: NDArray[np.int64], truth: Truth) -> OvAveScores:
    """The three scores; counts are summed over the clips before F1 is computed.

    Args:
        segments: (v t) predicted ids, n = background.
        truth: labels.
    """
    predicted, event = segments != truth.n, truth.relevance
    right = int(((segments == truth.segments) & event).sum())
    total = int(predicted.sum()) + int(event.sum())
    return OvAveScores(
        clips=len(segments),
        accuracy=segment_accuracy(segments, truth),
        segment_f1=2 * right / total if total else float("nan"),
        event_f1=float(MEASURES["event_f1_iou50"].statistic(video_counts(segments, truth).sum(axis=0))),
    )


def scores_by_group(segments: NDArray[np.int64], truth: Truth, seen: frozenset[str]) -> Mapping[str, OvAveScores]:
    """The scores of all clips, and of the clips of seen and of unseen categories.

    Args:
        segments: (v t) predicted ids.
        truth: labels.
        seen: names of the categories of training.
    """
    groups = {"all": np.ones(len(segments), dtype=np.bool_)} | seen_groups(truth, seen)
    return {name: ov_ave_scores(segments[inside], _part(truth, inside)) for name, inside in groups.items()}


def _part(truth: Truth, inside: NDArray[np.bool_]) -> Truth:
    return Truth(segments=truth.segments[inside], events=truth.events[inside], categories=truth.categories)
