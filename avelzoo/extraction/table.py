"""The CSV of a user's own data set: ``video,category,start,end``, and optionally ``split``.

Each line is a run of an event, in seconds from the video's start. Lines of one video with one category are the runs of
one event; another category of the same video is another row of the data set, as in AVE. A line without times is a video
without an event.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avelzoo.data.reading.categories import control_character, read_text
from avelzoo.data.reading.layout import SPLITS
from avelzoo.errors import DataError, did_you_mean, printable

NEEDED = ("video", "category", "start", "end")
SPLIT = "split"


@dataclass(frozen=True)
class TableRow:
    """A row of the data set.

    Attributes:
        video: path of the video, as the table names it.
        line: its first line in the table.
        category: category of the event; empty for a video without one.
        runs: (start, end) of each run, in seconds, in order.
        split: split that the table names; empty for none.
    """

    video: str
    line: int
    category: str = ""
    runs: tuple[tuple[float, float], ...] = ()
    split: str = ""


def read_table(path: Path) -> tuple[TableRow, ...]:
    """Read a table; rows in the order of their first line.

    Columns may have any order, and further columns are ignored.

    Raises:
        DataError: the file is missing, not text, empty, or has a wrong line; the error names the line.
    """
    lines = csv.reader(io.StringIO(read_text(path, "labels", "lines " + ",".join(NEEDED)), newline=""))
    header: list[str] = []
    rows: dict[tuple[str, str], TableRow] = {}
    for line in lines:
        where = f"{path}, line {lines.line_num}"
        if not any(map(str.strip, line)):
            continue
        if not header:
            header = _header(where, line)
            continue
        if len(line) != len(header):
            raise DataError(
                "a line has another number of fields than the header",
                where=where,
                found=f"{len(line)} fields: {_shown(line)}",
                expected=f"{len(header)}: {','.join(header)}",
                fix='put texts that contain a comma into quotation marks, such as "Violin, fiddle"',
            )
        fields = dict(zip(header, map(str.strip, line), strict=True))
        row = _row(where, lines.line_num, fields, line)
        key = row.video, row.category
        rows[key] = _joined(where, rows[key], row) if key in rows else row
    if not rows:
        raise DataError("the table has no rows", where=str(path), expected=",".join(NEEDED) + ", then a line per run")
    _require_whole(path, tuple(rows.values()))
    return tuple(replace(row, runs=tuple(sorted(row.runs))) for row in rows.values())


def _header(where: str, line: Sequence[str]) -> list[str]:
    names = [name.strip().casefold() for name in line]
    missing = [name for name in NEEDED if name not in names]
    if missing or len(set(names)) < len(names):
        other = next((mark for mark in (";", "\t", "|") if mark in line[0]), "")
        near = "; ".join(filter(None, (did_you_mean(name, names).removeprefix("; ") for name in missing)))
        raise DataError(
            f"the table has no column '{missing[0]}'" if missing else "two columns have the same name",
            where=where,
            found=_shown(line) + (f" ({near})" if near else ""),
            expected="a header with " + ",".join(NEEDED) + f", and optionally {SPLIT}",
            fix=f"separate columns by commas, not by {other!r}" if other else "correct the first line",
        )
    return names


def _row(where: str, number: int, fields: Mapping[str, str], line: Sequence[str]) -> TableRow:
    video, category, start, end = (fields[name] for name in NEEDED)
    split = fields.get(SPLIT, "").casefold()

    def wrong(problem: str, expected: str) -> DataError:
        return DataError(problem, where=where, found=_shown(line), expected=expected, fix="correct the line")

    if char := control_character("".join(fields.values())):
        raise wrong("a line holds a control character", f"text without {printable(char)}")
    if not video:
        raise wrong("a line names no video", ",".join(NEEDED))
    if split not in ("", *SPLITS):
        raise wrong(f"unknown split '{split}'{did_you_mean(split, SPLITS)}", ", ".join(SPLITS) + ", or empty")
    if bool(start) != bool(end):
        raise wrong("a line has only one of start and end", "both in seconds, or none for a video without an event")
    if not start:
        return TableRow(video, number, split=split)
    if not category or category.casefold() == "background":
        raise wrong("an event has no category", "a category, or an empty start and end for a video without an event")
    try:
        times = float(start), float(end)
    except ValueError:
        raise wrong("start or end is not a number", "seconds, such as 2 or 2.5") from None
    if not (0 <= times[0] < times[1] and math.isfinite(times[1])):
        raise wrong("start or end is out of range", "0 <= start < end, in seconds")
    return TableRow(video, number, category, (times,), split)


def _joined(where: str, row: TableRow, more: TableRow) -> TableRow:
    if not more.runs:
        raise DataError(
            "a video without an event is listed twice",
            where=where,
            found=f"{more.video}, also in line {row.line}",
            fix="remove one of the lines",
        )
    return replace(row, runs=row.runs + more.runs, split=row.split or more.split)


def _require_whole(path: Path, rows: Sequence[TableRow]) -> None:
    """Refuse tables that contradict themselves: about a video's events, or about splits."""
    first: dict[str, TableRow] = {}
    for row in rows:
        other = first.setdefault(row.video, row)
        if bool(row.runs) != bool(other.runs):
            raise DataError(
                "a video is listed with an event and without one",
                where=f"{path}, line {max(row.line, other.line)}",
                found=f"{row.video}, also in line {min(row.line, other.line)}",
                fix="remove the line without times, or the events",
            )
        if row.split != other.split:
            raise DataError(
                "the rows of a video name different splits",
                where=f"{path}, line {row.line}",
                found=f"'{row.split}' for {row.video}, '{other.split}' in line {other.line}",
                expected="one split per video, so that no video is in training and test",
                fix="correct one of the lines",
            )
    without = next((row for row in rows if not row.split), None)
    if without is not None and any(row.split for row in rows):
        raise DataError(
            "only some videos name a split",
            where=f"{path}, line {without.line}",
            found=f"no split for {without.video}",
            expected=f"one of {', '.join(SPLITS)} for every video, or no column '{SPLIT}'",
            fix="complete the column, or remove it: splits are then drawn",
        )
    if not any(row.runs for row in rows):
        raise DataError("the table has no event", where=str(path), expected="a category, start and end in some lines")


def _shown(line: Sequence[str]) -> str:
    text = ",".join(line)
    return printable(text if len(text) <= 120 else text[:117] + "...")
