"""Rows of annotations as columns: a million rows without a Python object for each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np


@dataclass(frozen=True, slots=True)
class Annotation:
    """One line of the file.

    Attributes:
        line: line number in the file, from 1.
        category: name of the event's category; empty for a video without an event, in events.csv alone.
        video_id: name of the video.
        quality: the annotators' remark.
        start: first second of the event, counted from 0.
        end: second after the last; ``start == end == 0`` means that no segment holds the event.
    """

    line: int
    category: str
    video_id: str
    quality: str
    start: int
    end: int

    @property
    def empty(self) -> bool:
        """Whether the video has a category but no event segment."""
        return bool(self.category) and self.start == self.end

    def __str__(self) -> str:
        return "&".join((self.category, self.video_id, self.quality, str(self.start), str(self.end)))


Fields = tuple[int, str, str, str, int, int]
"""Line, category, video id, quality, start, end."""


class AnnotationRows(Sequence[Annotation]):
    """Annotations by row number; an `Annotation` is made when it is asked for.

    Args:
        fields: the fields of every row.

    Attributes:
        categories: (rows) category names; equal names are one string.
        video_ids: (rows) names of the videos.
        starts: (rows) int64.
        ends: (rows) int64.
    """

    def __init__(self, fields: Iterable[Fields]) -> None:
        self.categories: list[str] = []
        self.video_ids: list[str] = []
        self._qualities: list[str] = []
        numbers: list[int] = []
        for line, category, video_id, quality, start, end in fields:
            self.categories.append(sys.intern(category))
            self.video_ids.append(video_id)
            self._qualities.append(sys.intern(quality))
            numbers += (line, start, end)
        self._lines, self.starts, self.ends = np.array(numbers, dtype=np.int64).reshape(-1, 3).T.copy()

    @classmethod
    def of(cls, rows: Iterable[Annotation]) -> AnnotationRows:
        """The rows as columns."""
        if isinstance(rows, cls):
            return rows
        return cls((row.line, row.category, row.video_id, row.quality, row.start, row.end) for row in rows)

    def __len__(self) -> int:
        return len(self.video_ids)

    @overload
    def __getitem__(self, index: int) -> Annotation: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Annotation]: ...

    def __getitem__(self, index: int | slice) -> Annotation | Sequence[Annotation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Annotation(
            int(self._lines[index]),
            self.categories[index],
            self.video_ids[index],
            self._qualities[index],
            int(self.starts[index]),
            int(self.ends[index]),
        )
