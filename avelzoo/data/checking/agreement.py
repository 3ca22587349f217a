"""Comparison of label files with the annotations: equal, permuted category ids, a variant, or a contradiction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avelzoo.data.checking.findings import listed
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.labels import CHOOSE, REBUILD, RULES, known_rows, read_shares_table, segment_ids
from avelzoo.data.reading.layout import ANNOTATIONS, BY_NAME, SHARES, VIDEO_LABELS
from avelzoo.data.reading.numbering import TOLERATED, Columns, describe, identity, match
from avelzoo.errors import DataError


@dataclass(frozen=True)
class Comparison:
    """Result of comparing a label file with the annotations.

    Attributes:
        columns: the category of each column, inferred from the annotations.
        wrong: rows that differ under this assignment of columns.
        rows: number of rows.
    """

    columns: Columns
    wrong: np.ndarray
    rows: int

    @property
    def contradicts(self) -> bool:
        """Whether the file contradicts the annotations, rather than being a variant of their labels."""
        return not self.columns.permutes or len(self.wrong) > TOLERATED * self.rows


def compare(
    name: str, stored: np.ndarray, annotations: Annotations, segments: np.ndarray, tolerance: float = 0.0
) -> Comparison:
    """Compare a label file's values with the values that its rule gives.

    Args:
        name: file name.
        stored: the file's values; for segment labels (rows t n+1), their ids (rows t).
        annotations: the folder's annotations.
        segments: (rows t), the annotations' segment ids.
        tolerance: largest absolute difference at which two values count as equal.
    """
    n, events = len(annotations.categories), annotations.events
    by_segment = BY_NAME[name].axes == ("rows", "t", "n+1")

    def differing(columns: Columns) -> np.ndarray:
        ids = columns.segments_of(segments)
        expected = ids if by_segment else RULES[name](ids, columns.events_of(events), n)
        same = np.isclose(stored, expected, rtol=0, atol=tolerance)
        return np.flatnonzero(~same.reshape(len(same), -1).all(axis=1))

    columns = identity(n)
    wrong = differing(columns)
    if wrong.size and BY_NAME[name].axes[-1] == "n+1":
        shares = np.stack([(stored == c).mean(axis=1) for c in range(n + 1)], axis=1) if by_segment else stored
        background = None if name == VIDEO_LABELS else (segments == n).mean(axis=1)
        other = match(shares, events, background)
        remaining = differing(other)
        if len(remaining) < len(wrong):
            columns, wrong = other, remaining
    return Comparison(columns, wrong, len(events))


def contradiction(path: Path, found: Comparison, annotations: Annotations) -> DataError:
    """The error for a label file that cannot belong to the annotations."""
    n = len(annotations.categories)
    if found.columns.background != n:
        what = f"background in column {found.columns.background} of {n + 1}"
    elif not found.columns.permutes:
        first = next(c for c, column in enumerate(found.columns.events) if column == n)
        what = f"'{annotations.categories[first]}' in column {n}, which is background's"
    else:
        what = f"a different event in {listed(found.wrong)}"
    return DataError(
        "a label file contradicts the annotations",
        where=str(path),
        found=what,
        expected=f"the events of {annotations.path.name}: categories in columns 0 to {n - 1}, background in column {n}",
        fix=REBUILD if path.name == SHARES else CHOOSE,
    )


@dataclass(frozen=True)
class SegmentLabels:
    """Segment labels of a file.

    Attributes:
        segments: (rows, t) int64 ids, n = background.
        events: (rows) int64, each video's category.
        categories: event names by id.
        note: difference from the annotations, for users; empty if there is none.
    """

    segments: np.ndarray
    events: np.ndarray
    categories: tuple[str, ...]
    note: str


def read_segments(path: Path, annotations: Annotations, t: int) -> SegmentLabels:
    """Read a file of one-hot segment labels (rows t n+1).

    A video's category is the largest event id among its segments, as in the public loaders; a video without an event
    segment keeps its annotated category. If the file orders the categories differently from the annotations, the names
    follow the file, unless categories.txt fixes the ids.

    Raises:
        DataError: the sizes do not match the annotations; a segment is not one-hot; the file contradicts the
            annotations in more than a tenth of the rows, or its ids contradict categories.txt.
    """
    n = len(annotations.categories)
    ids = segment_ids(path, annotations, t)
    found = compare(path.name, ids, annotations, annotations.segments(t))
    if found.contradicts:
        raise contradiction(path, found, annotations)
    note = ""
    if not found.columns.same:
        if annotations.fixed:
            raise DataError(
                f"a label file orders the categories differently from {CATEGORIES}",
                where=str(path),
                found=describe(found.columns, annotations.categories),
                expected=f"the order of {annotations.path.with_name(CATEGORIES)}",
                fix=f"correct or remove {CATEGORIES}; without it, the ids follow {path.name}",
            )
        note = f"category ids follow {path.name}; its order differs from {ANNOTATIONS}"
    if set(found.wrong.tolist()) - known_rows(path.name, annotations):
        note += f"{'; ' * bool(note)}{path.name} differs from {ANNOTATIONS} in {listed(found.wrong)}"
    largest = np.where(ids == n, -1, ids).max(axis=1)
    events = np.where(largest < 0, found.columns.events_of(annotations.events), largest)
    return SegmentLabels(ids, events, found.columns.names(annotations.categories), note)


def read_shares(path: Path, annotations: Annotations, t: int) -> np.ndarray:
    """Read the event's share of every video, (rows) float32 = 1 - background, from ``prob_label.h5``.

    Raises:
        DataError: the sizes do not match the annotations; a video's shares are not numbers from 0 to 1 with sum 1; or
            the shares contradict the annotations by half a segment or more in more than a tenth of the rows.
    """
    shares = read_shares_table(path, annotations)
    found = compare(path.name, shares, annotations, annotations.segments(t), tolerance=0.5 / t)
    if found.contradicts:
        raise contradiction(path, found, annotations)
    return (1.0 - shares[:, -1]).clip(0.0, 1.0)
