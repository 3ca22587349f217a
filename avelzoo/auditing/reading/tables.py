"""CSV files: a line per video (wide), or a line per segment (long)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from avelzoo.auditing.reading.entries import Entry, Label, PredictionFile, fault, occur, others, part_of, shown_keys
from avelzoo.auditing.reading.values import Stop, label, parsed, row_number, video_name
from avelzoo.data.reading.categories import read_text

FORM = "a header video,s0,s1,... with a line per video, or video,segment,label with a line per segment"
_WIDE = re.compile(r"(?:s|t|seg|segment)?[_ ]?([0-9]{1,4})", re.IGNORECASE)
_LABELS = ("label", "prediction", "pred", "predicted", "class")
_SEGMENT = ("segment", "seg", "second", "t", "time")
_CATEGORY = ("category", "event")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table: its fields by part."""

    number: int
    row: int | None
    video: str | None
    category: Label | None
    segment: str
    values: tuple[str, ...]

    @property
    def who(self) -> tuple[int | None, str | None]:
        """What names the video."""
        return self.row, self.video


def read_csv(path: Path) -> PredictionFile:
    """Read a table with a header; fields are separated by commas, semicolons or tabs.

    Raises:
        DataError: the file is missing, not UTF-8, or has a wrong header or line.
    """
    (_, head), *body = table_lines(path)
    header = [name.strip() for name in head]
    stop = partial(fault, path, "line 1")
    wide = [name for name in header if _WIDE.fullmatch(name)]
    segment, value, category = (_first(header, names) for names in (_SEGMENT, _LABELS, _CATEGORY))
    if segment and not value:
        value, category = category, None
    row, video = (part_of(header, part, lambda said, found: stop(said, found=found)) for part in ("row", "video"))
    long = bool(segment and value and (row or video) and not wide)
    if not long and (segment or not wide):
        raise stop("a table has the wrong header", found=shown_keys(header), expected=FORM)
    if len(set(map(str.lower, header))) < len(header):
        raise stop("a column occurs twice", found=shown_keys(header), expected=FORM)
    if not body:
        raise fault(path, "", "a prediction file is empty", found="a header alone", expected=FORM)
    columns = [header.index(name) for name in ([value] if long and value else wide)]
    places = {part: header.index(name) for part, name in _named(row, video, category, segment).items()}
    lines = list(_lines(path, body, len(header), places, columns))
    if long:
        return _long(path, lines)
    order = [int(match[1]) for match in map(_WIDE.fullmatch, wide) if match]
    if order not in (list(range(len(order))), list(range(1, len(order) + 1))):
        raise stop("the columns of segments are not in order", found=shown_keys(wide), expected="s0,s1,s2,...")
    entries = tuple(
        Entry(
            where=f"line {line.number}",
            row=line.row,
            video=line.video,
            category=line.category,
            segments=tuple(_cell(text, partial(fault, path, f"line {line.number}")) for text in line.values),
        )
        for line in lines
    )
    return PredictionFile(path=path, format="csv", entries=entries)


def table_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and fields of every line that is not blank; at least one.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or has a quotation mark that does not end.
    """
    text = read_text(path, "table's lines", FORM)
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=head.count), strict=True)
    try:
        lines = [(reader.line_num, line) for line in reader if any(field.strip() for field in line)]
    except csv.Error as error:
        raise fault(path, f"line {reader.line_num}", f"a table is damaged: {error}", expected=FORM) from None
    if not lines:
        raise fault(path, "", "a table is empty", expected=FORM)
    return lines


def _lines(
    path: Path,
    body: Sequence[tuple[int, list[str]]],
    width: int,
    places: dict[str, int],
    columns: Sequence[int],
) -> Iterator[Line]:
    for number, fields in body:
        stop = partial(fault, path, f"line {number}")
        if len(fields) != width:
            raise stop(
                "a line has the wrong number of fields",
                found=f"{len(fields)}: {','.join(fields)}",
                expected=f"{width}, as in the header",
                fix="the file may be truncated; names with commas need quotation marks",
            )
        given = {part: fields[place] for part, place in places.items() if fields[place].strip()}
        yield Line(
            number=number,
            row=row_number(given["row"], stop) if "row" in given else None,
            video=video_name(given["video"], stop) if "video" in given else None,
            category=label(given["category"], stop) if "category" in given else None,
            segment=given.get("segment", ""),
            values=tuple(fields[i] for i in columns),
        )


def _long(path: Path, lines: Sequence[Line]) -> PredictionFile:
    """Join the lines of each video; segments count from 0, or from 1 if no line has 0."""
    videos: dict[tuple[int | None, str | None], dict[int, Line]] = {}
    again: list[Line] = []
    for line in lines:
        stop = partial(fault, path, f"line {line.number}")
        at = parsed(line.segment)
        if not at.is_integer() or not 0 <= at < 1 << 20:
            raise stop(
                "the number of a segment is not a whole number", found=repr(line.segment), expected="0, 1, 2, ..."
            )
        known = videos.setdefault(line.who, {})
        if known.setdefault(int(at), line) is not line:
            again.append(line)
    if again:
        at = int(parsed(again[0].segment))
        raise fault(
            path,
            f"line {again[0].number}",
            occur("segment", len({(line.who, int(parsed(line.segment))) for line in again})),
            found=f"segment {at}, also in line {videos[again[0].who][at].number}"
            + others([f"line {line.number}" for line in again]),
            expected="every segment of a video once",
            fix="a video with several rows needs the column 'row'",
        )
    first = min(1, *map(min, videos.values()))
    notes = ("Segments are numbered from 1 in the file, not from 0.",) if first == 1 else ()
    entries = tuple(_joined(path, segments, first) for segments in videos.values())
    return PredictionFile(path=path, format="csv", entries=entries, notes=notes)


def _joined(path: Path, segments: dict[int, Line], first: int) -> Entry:
    """The entry of one video's lines."""
    line = next(iter(segments.values()))
    stop = partial(fault, path, f"line {line.number}")
    missing = [i for i in range(first, max(segments)) if i not in segments]
    if missing:
        raise stop(
            "segments of a video are missing",
            found=f"{len(segments)} segments of {line.video if line.video is not None else f'row {line.row}'}",
            expected=f"also {', '.join(map(str, missing[:5]))}",
        )
    if len({one.category for one in segments.values()}) > 1:
        raise stop("a video has two categories", found=str(line.video), expected="the same in all of its lines")
    return Entry(
        where=f"line {line.number}",
        row=line.row,
        video=line.video,
        category=line.category,
        segments=tuple(
            _cell(segments[i].values[0], partial(fault, path, f"line {segments[i].number}")) for i in sorted(segments)
        ),
    )


def _named(row: str | None, video: str | None, category: str | None, segment: str | None) -> dict[str, str]:
    parts = {"row": row, "video": video, "category": category, "segment": segment}
    return {part: name for part, name in parts.items() if name}


def _first(header: Sequence[str], names: Sequence[str]) -> str | None:
    return next((name for name in header if name.lower() in names), None)


def _cell(text: str, stop: Stop) -> Label:
    if not text.strip():
        raise stop("a segment is empty", found="an empty field", expected="a category, Background, or an id")
    return label(text, stop)
