"""Scores of videos and of labels alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avelzoo.auditing.records import LabelFacts, Part
from avelzoo.auditing.sources import LabelSource
from avelzoo.metrics import MEASURES, SplitLabels, Truth, correct_segments, segment_accuracy
from avelzoo.statistics import Counts, video_interval

ACCURACY = MEASURES["segment_accuracy"].statistic


def label_facts(source: LabelSource, labels: SplitLabels) -> LabelFacts:
    """What the labels of a split say without predictions."""
    truth, train = labels.truth, source.splits.get("train")
    event = truth.relevance
    own = labels is train
    return LabelFacts(
        videos=len(truth.events),
        segments=int(truth.lengths.sum()),
        categories=truth.n,
        partial_videos=int((event.any(axis=1) & (truth.real & ~event).any(axis=1)).sum()),
        leaked_videos=0 if own else int(leaked(source, labels).sum()),
        background=segment_accuracy(np.full((1, 1), truth.background), truth),
        true_category=segment_accuracy(truth.events[:, None], truth),
        average_window=None if train is None else segment_accuracy(average_windows(train.truth, truth), truth),
    )


def leaked(source: LabelSource, labels: SplitLabels) -> NDArray[np.bool_]:
    """(v) bool, videos whose name is also in train."""
    return np.array([name in source.train_ids for name in labels.video_ids], dtype=np.bool_)


def average_windows(train: Truth, truth: Truth) -> NDArray[np.int64]:
    """The true category in the segments in which more than half of its training videos have it, (v t)."""
    n, width = truth.n, truth.segments.shape[1]
    window = np.zeros((n + 1, width), dtype=np.bool_)
    t = min(width, train.segments.shape[1])
    for category in range(n):
        mine = train.events == category
        real = train.real[mine, :t].sum(axis=0)
        window[category, :t] = 2 * (train.segments[mine, :t] == category).sum(axis=0) > np.maximum(real, 1)
    return np.where(window[truth.events], truth.events[:, None], n)


def part(name: str, counts: Counts, truth: Truth, chosen: NDArray[np.bool_]) -> Part:
    """The score of some videos.

    Args:
        name: what they have in common.
        counts: (v c), `avelzoo.metrics.video_counts` of all videos.
        truth: labels of all videos.
        chosen: (v) bool, at least one.
    """
    lengths = truth.lengths[chosen]
    return Part(
        name=name,
        videos=int(chosen.sum()),
        segments=int(lengths.sum()),
        right=int(counts[chosen, 1].sum()),
        interval=video_interval(counts[chosen], ACCURACY),
        true_category=float(correct_segments(truth.events[:, None], truth)[chosen].sum()) / int(lengths.sum()),
    )
