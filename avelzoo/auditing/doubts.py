"""Readings of a file that only the labels can contradict: ids in another order, background as 0, another split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avelzoo.auditing.reading.entries import PredictionFile, fault
from avelzoo.errors import some
from avelzoo.metrics import PredictionArrays, SplitLabels, Truth, segment_accuracy

DOUBT = 0.2
"""Gain in segment accuracy by which another reading of a file makes the present one implausible."""


def doubt_numbering(file: PredictionFile, found: PredictionArrays, truth: Truth) -> None:
    """Refuse ids that fit the labels far better if 0 is background and 1 the first category.

    Raises:
        DataError: so they do.
    """
    n, now = truth.n, segment_accuracy(found.segments, truth)
    shifted = segment_accuracy(np.where(found.segments == 0, n, found.segments - 1), truth)
    if shifted >= now + DOUBT:
        raise fault(
            file.path,
            "",
            "ids seem to count from background = 0",
            found=f"{now:.1%} of the segments are right as the ids stand, {shifted:.1%} if 0 is background",
            expected=f"0 is '{truth.categories[0]}' and {n} background",
            fix="choose --ids background-first, or --ids background-last to score the file as it stands",
        )


def doubt_split(file: PredictionFile, found: PredictionArrays, splits: Mapping[str, SplitLabels], split: str) -> None:
    """Refuse predictions without names that fit another split of the same size far better.

    Raises:
        DataError: so they do.
    """
    truth = splits[split].truth
    now = segment_accuracy(found.segments, truth)
    for name, other in splits.items():
        if name == split or other.truth.segments.shape != truth.segments.shape:
            continue
        there = segment_accuracy(found.segments, other.truth)
        if there >= now + DOUBT:
            raise fault(
                file.path,
                "",
                f"the predictions seem to be those of the {name} split",
                found=f"{now:.1%} of the segments are right on {split}, {there:.1%} on {name}",
                expected=f"the videos of {split}, in order",
                fix=f"choose --split {name}",
            )


def doubt_order(file: PredictionFile, found: PredictionArrays, truth: Truth) -> None:
    """Refuse ids if a permutation of them explains most categories of the videos, and the ids themselves do not.

    Raises:
        DataError: so it does.
    """
    has = truth.has_event
    n, events, category = truth.n, truth.events[has], found.category[has]
    table = np.zeros((n, n), dtype=np.int64)
    np.add.at(table, (events, category), 1)
    present = np.flatnonzero(table.sum(axis=1))
    best = table[present].argmax(axis=1)
    if len(present) < 3 or len(events) < 3 * len(present) or len(set(best.tolist())) < len(best):
        return
    now, then = np.trace(table) / len(events), table[present, best].sum() / len(events)
    if then >= max(0.6, now + 0.3):
        moved = [f"{b} for '{truth.categories[c]}'" for c, b in zip(present, best, strict=True) if b != c]
        raise fault(
            file.path,
            "",
            "category ids seem to follow another order than the labels",
            found=f"{now:.1%} of the videos have the right category as the ids stand, {then:.1%} with {some(moved, 2)}",
            expected=f"0 is '{truth.categories[0]}', 1 is '{truth.categories[1 % n]}', ...",
            fix="write names instead of ids, or name the file's order with --categories FILE, one name per line",
        )
