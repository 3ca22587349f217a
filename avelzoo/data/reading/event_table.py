"""events.csv: what Annotations.txt cannot say - several runs, videos without an event, different lengths, fractions.

One line per run: ``row,video,segments,category,start,end``. Lines of one row number describe one row of the feature
files; a row without an event has one line with empty category, start and end. Times are seconds.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avelzoo.data.reading.annotation_rows import Annotation
from avelzoo.data.reading.annotations import Annotations, read_annotations
from avelzoo.data.reading.categories import CATEGORIES, control_character, read_categories, read_text
from avelzoo.data.reading.features_record import read_features_record
from avelzoo.data.reading.layout import EVENTS
from avelzoo.errors import DataError, did_you_mean, printable
from avelzoo.system.files import write_bytes

FIELDS = ("row", "video", "segments", "category", "start", "end")
FORM = ",".join(FIELDS)


@dataclass(frozen=True)
class EventRow:
    """A row of the feature files.

    Attributes:
        video: name of the video.
        segments: number of real segments.
        category: category of the event; empty for a video without one.
        runs: (start, end) of each run of the event, in seconds.
    """

    video: str
    segments: int
    category: str = ""
    runs: tuple[tuple[float, float], ...] = ()


def inside(start: float, end: float, seconds: float, t: int) -> np.ndarray:
    """(t) bool, the segments of a run: those of which [start, end) covers at least half.

    For whole segments this is AVE's rule, start <= t < end. A run shorter than that keeps the one segment that it
    overlaps most, so no event vanishes; a run after the last segment has none.

    >>> inside(2.4, 4.6, 1.0, 6).astype(int).tolist(), inside(2.1, 2.3, 1.0, 4).astype(int).tolist()
    ([0, 0, 1, 1, 1, 0], [0, 0, 1, 0])
    """
    edges = np.arange(t) * seconds
    overlap = np.clip(np.minimum(end, edges + seconds) - np.maximum(start, edges), 0.0, None)
    found: np.ndarray = overlap >= seconds / 2 - 1e-9
    if not found.any() and overlap.any():
        found[int(overlap.argmax())] = True
    return found


class EventTable(Annotations):
    """All rows of an events.csv; see `Annotations`.

    Args:
        path: the file.
        table: the rows, by row number.
        lines: first line of each row in the file.
        categories: event names, by id.
        seconds: length of a segment.
    """

    def __init__(
        self, path: Path, table: Sequence[EventRow], lines: Sequence[int], categories: tuple[str, ...], seconds: float
    ) -> None:
        self._table, self._seconds = tuple(table), seconds
        t = max(row.segments for row in table)
        hulls = [np.flatnonzero(self._inside(row, t)) for row in table]
        rows = tuple(
            Annotation(
                line,
                row.category,
                row.video,
                "good",
                int(hull[0]) if hull.size else 0,
                int(hull[-1]) + 1 if hull.size else 0,
            )
            for line, row, hull in zip(lines, table, hulls, strict=True)
        )
        super().__init__(path, rows, categories)

    @property
    def longest(self) -> int:
        """Largest number of segments of a row."""
        return max(row.segments for row in self._table)

    def lengths(self, t: int) -> np.ndarray:
        """(rows) int64, number of real segments of each row.

        Raises:
            DataError: a row has more segments than the feature files.
        """
        lengths = np.array([row.segments for row in self._table], dtype=np.int64)
        late = np.flatnonzero(lengths > t)
        if late.size:
            row = self.rows[int(late[0])]
            raise DataError(
                "a video has more segments than the feature files",
                where=f"{self.path}, line {row.line}",
                found=f"{lengths[late[0]]} segments of {row.video_id}",
                expected=f"at most {t}",
                fix="use the events.csv that belongs to these feature files",
            )
        return lengths

    def segments(self, t: int) -> np.ndarray:
        """Segment ids, (rows, t) int64: the row's category in each of its runs, see `inside`; else n = background.

        Raises:
            DataError: a row has more segments than ``t``.
        """
        self.lengths(t)
        found = np.full((len(self), t), len(self.categories), dtype=np.int64)
        for number, row in enumerate(self._table):
            found[number, self._inside(row, t)] = self.events[number]
        return found

    def _inside(self, row: EventRow, t: int) -> np.ndarray:
        found = np.zeros(t, dtype=bool)
        for start, end in row.runs:
            found[: row.segments] |= inside(start, end, self._seconds, row.segments)
        return found


def read_annotated(path: Path) -> Annotations:
    """Read Annotations.txt or events.csv.

    Raises:
        DataError: the file is missing, not text, empty, or has a wrong line; or categories.txt is wrong.
    """
    return read_event_table(path) if path.name == EVENTS else read_annotations(path)


def read_event_table(path: Path) -> EventTable:
    """Read an events.csv. The length of a segment is that of the folder's features.json, else 1 second.

    Raises:
        DataError: the file is missing, not text, empty, or has a wrong line; or categories.txt is wrong.
    """
    lines = list(csv.reader(io.StringIO(read_text(path, "events", f"lines {FORM}"), newline="")))
    if not lines or tuple(lines[0]) != FIELDS:
        raise DataError(
            "an event table has the wrong header",
            where=f"{path}, line 1",
            found=printable(",".join(lines[0])) if lines else "an empty file",
            expected=FORM,
            fix="write the folder again with `avelzoo extract`",
        )
    table: list[EventRow] = []
    starts: list[int] = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        index, row = _row(f"{path}, line {number}", line)
        if index == len(table):
            table.append(row)
            starts.append(number)
        elif index == len(table) - 1 and row.runs and table[-1] == _without_runs(row, table[-1]):
            table[-1] = EventRow(row.video, row.segments, row.category, table[-1].runs + row.runs)
        else:
            raise DataError(
                "the rows of an event table are not in order",
                where=f"{path}, line {number}",
                found=f"row {index}",
                expected=f"row {len(table)}, or another run of the event in row {len(table) - 1}",
                fix="write the folder again with `avelzoo extract`",
            )
    if not table:
        raise DataError("the event table is empty", where=str(path), expected=f"lines {FORM}")
    categories = _categories(path, table, starts)
    record = read_features_record(path.parent)
    return EventTable(path, table, starts, categories, record.seconds if record else 1.0)


def write_event_table(path: Path, table: Iterable[EventRow]) -> None:
    """Write an events.csv.

    Raises:
        StorageError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for number, row in enumerate(table):
        for start, end in row.runs or (("", ""),):
            writer.writerow([number, row.video, row.segments, row.category, _plain(start), _plain(end)])
    write_bytes(path, text.getvalue().encode())


def _plain(time: float | str) -> str:
    return time if isinstance(time, str) else f"{time:.6f}".rstrip("0").rstrip(".")


def _without_runs(row: EventRow, earlier: EventRow) -> EventRow:
    return EventRow(row.video, row.segments, row.category, earlier.runs)


def _row(where: str, line: Sequence[str]) -> tuple[int, EventRow]:
    try:
        row, video, segments, category, start, end = line
        index, length = int(row), int(segments)
        runs = ((float(start), float(end)),) if category else ()
        sound = length > 0 and bool(video) and (category != "" or (start, end) == ("", ""))
        sound = sound and all(0 <= start < end and math.isfinite(end) for start, end in runs)
        if not sound or control_character("".join(line)):
            raise ValueError
    except ValueError:
        raise DataError(
            "a line of an event table is wrong",
            where=where,
            found=printable(",".join(line))[:120],
            expected=f"{FORM}, with segments >= 1 and 0 <= start < end; the last three empty without an event",
            fix="correct the line",
        ) from None
    return index, EventRow(video, length, category, runs)


def _categories(path: Path, table: Sequence[EventRow], lines: Sequence[int]) -> tuple[str, ...]:
    known = read_categories(path.with_name(CATEGORIES))
    for line, row in zip(lines, table, strict=True):
        if row.category and row.category not in known:
            raise DataError(
                f"a category is not in {CATEGORIES}{did_you_mean(row.category, known)}",
                where=f"{path}, line {line}",
                found=row.category,
                expected=f"one of the {len(known)} names in {path.with_name(CATEGORIES)}",
                fix=f"correct the line, or add the category to {CATEGORIES}",
            )
    return known
