"""Annotations.txt: category and event of one video per line, ``category&id&quality&start&end``."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from avelzoo.data.reading.annotation_rows import Annotation, AnnotationRows, Fields
from avelzoo.data.reading.categories import CATEGORIES, check_names, control_character, read_categories, read_text
from avelzoo.errors import DataError, did_you_mean, printable

FIELDS = ("category", "id", "quality", "start", "end")
FORM = "&".join(FIELDS)
_LINES = re.compile(r"\r\n|\n|\r")
_PLAIN = re.compile(r"([^&\s](?:[^&]*[^&\s])?)&([^&\s]+)&([^&\s]*)&([0-9]{1,9})&([0-9]{1,9})").fullmatch
"""A line as most are, without anything to strip or to complain of."""


class Annotations(ABC):
    """All annotations of a file; a line's index (header and blank lines not counted) is its video's row number.

    Attributes:
        path: the file.
        rows: the annotations, by row number.
        categories: event names, by id.
        fixed: whether categories.txt or a label file fixes the ids; otherwise they follow first appearance.
        events: (rows) int64, category id of every row; n for a video without an event.
        starts: (rows) int64, first event segment.
        ends: (rows) int64, the segment after the last.
    """

    def __init__(self, path: Path, rows: Iterable[Annotation], categories: tuple[str, ...] | None = None) -> None:
        self.path = path
        self.rows = AnnotationRows.of(rows)
        self.categories = categories or tuple(dict.fromkeys(self.rows.categories))
        self.fixed = categories is not None
        ids = {name: number for number, name in enumerate(self.categories)}
        ids[""] = len(self.categories)
        self.events = np.array([ids[name] for name in self.rows.categories], dtype=np.int64)
        self.starts, self.ends = self.rows.starts, self.rows.ends

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def video_ids(self) -> tuple[str, ...]:
        """The videos' names, by row number. A name may occur in several rows, under different categories."""
        return tuple(self.rows.video_ids)

    def odd_names(self) -> Iterator[tuple[str, str, str]]:
        """Yield (problem, found, fix) for category names that may be mistakes; none if categories.txt lists them."""
        if not self.fixed:
            yield from check_names(self.categories, self.events)

    @property
    @abstractmethod
    def longest(self) -> int:
        """Number of segments that every event and every row fits in."""

    @abstractmethod
    def lengths(self, t: int) -> np.ndarray:
        """(rows) int64, number of real segments of each row, beside feature files of ``t`` segments.

        Raises:
            DataError: a row has more segments than the feature files.
        """

    @abstractmethod
    def segments(self, t: int) -> np.ndarray:
        """Segment ids, (rows, t) int64, n = background.

        Raises:
            DataError: an event or a row ends after the last segment.
        """


class AnnotationLines(Annotations):
    """The lines of an Annotations.txt: one run of whole segments per row, all rows of one length."""

    @property
    def longest(self) -> int:
        """Latest end of an event."""
        return max(1, int(self.ends.max()))

    def lengths(self, t: int) -> np.ndarray:
        """(rows) int64: t."""
        return np.full(len(self), t)

    def segments(self, t: int) -> np.ndarray:
        """Segment ids, (rows, t) int64: the row's category where start <= segment < end, else n = background.

        This rule gives AVE's ``labels_closs.h5`` on all 41,430 segments.

        Args:
            t: segments per video, one second each.

        Raises:
            DataError: an event ends after the last segment.
        """
        late = np.flatnonzero(self.ends > t)
        if late.size:
            row = self.rows[int(late[0])]
            raise DataError(
                "an event ends after its video",
                where=f"{self.path}, line {row.line}",
                found=f"{row} (and {late.size - 1} more)" if late.size > 1 else str(row),
                expected=f"end <= {t}: the feature files have {t} one-second segments",
                fix="correct the line, or use the features that match this file",
            )
        time = np.arange(t)
        inside = (self.starts[:, None] <= time) & (time < self.ends[:, None])
        return np.where(inside, self.events[:, None], len(self.categories)).astype(np.int64)


def read_annotations(path: Path) -> Annotations:
    """Read an annotation file.

    Category ids follow categories.txt if the folder has one, else first appearance. A byte order mark, CRLF or CR line
    ends, blank lines and a header line (a first line without digits in its last two fields) are skipped. Fields are
    split only at ``&``: categories may contain commas and spaces.

    Starts and ends are whole seconds, written as ``3`` or ``3.0``. ``0&0`` is accepted, because AVE has such a row: the
    video has a category but no event segment. Any other event of length 0 is an error.

    Raises:
        DataError: the file is missing, not text, empty, or has a line that is not an annotation; or categories.txt is
            wrong, or lacks a category.
    """
    rows = read_rows(path)
    if not rows:
        raise DataError(
            "the annotations are empty", where=str(path), found="no annotation line", expected=f"lines {FORM}"
        )
    names = path.with_name(CATEGORIES)
    if not os.path.lexists(names):
        return AnnotationLines(path, rows)
    categories = read_categories(names)
    known = set(categories)
    for number, name in enumerate(rows.categories):
        if name not in known:
            row = rows[number]
            raise DataError(
                f"a category is not in {CATEGORIES}{did_you_mean(row.category, categories)}",
                where=f"{path}, line {row.line}",
                found=row.category,
                expected=f"one of the {len(categories)} names in {names}",
                fix=f"correct the line, or add the category to {CATEGORIES}",
            )
    return AnnotationLines(path, rows, categories)


def read_rows(path: Path) -> AnnotationRows:
    """Read the annotation in every line of a file; the text splits of AVE's video archive have the same form.

    Raises:
        DataError: the file is missing, not text, or has a line that is not an annotation.
    """
    fix = "AVE's file is Annotations.txt; `avelzoo data status DIR` lists the files of the folder and their sources"
    return AnnotationRows(_rows(path, read_text(path, "annotations", f"a text file with lines {FORM}", fix=fix)))


def _rows(path: Path, text: str) -> Iterator[Fields]:
    first = True
    for number, line in enumerate(_LINES.split(text), 1):
        plain = _PLAIN(line) if line.isprintable() else None
        if plain is not None and (start := int(plain[4])) < (end := int(plain[5])):
            first = False
            yield number, plain[1], plain[2], plain[3], start, end
            continue
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split("&")]
        header = first and len(fields) == len(FIELDS) and not any(map(str.isdigit, fields[3] + fields[4]))
        first = False
        if not header:
            yield _annotation(f"{path}, line {number}", number, line, fields)


def _annotation(where: str, number: int, line: str, fields: list[str]) -> Fields:
    shown = printable(line.strip() if len(line) <= 120 else line.strip()[:117] + "...")
    if char := control_character("&".join(fields)):
        raise DataError(
            "a line holds a control character",
            where=where,
            found=f"{printable(char)} in {shown}",
            expected=FORM,
            fix="save the file as UTF-8 text" if char == "\0" else "remove the character",
        )
    if len(fields) != len(FIELDS) or not fields[0] or not fields[1]:
        raise DataError("a line is not an annotation", where=where, found=shown, expected=FORM, fix="correct the line")
    if not all(re.fullmatch(r"-?[0-9]{1,9}(\.0*)?", field) for field in fields[3:]):
        raise DataError(
            "an event's start or end is not a whole number",
            where=where,
            found=shown,
            expected=f"{FORM}, start and end in whole seconds",
            fix="correct the line",
        )
    start, end = (int(field.partition(".")[0]) for field in fields[3:])
    if start < 0 or start > end or start == end != 0:
        raise DataError(
            "an event has length 0" if start == end else "an event's start or end is out of range",
            where=where,
            found=shown,
            expected="0 <= start < end, or 0&0 for a video without an event segment",
            fix="correct the line",
        )
    return number, fields[0], fields[1], fields[2], start, end
