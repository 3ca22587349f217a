"""Rows of the data folder: the table's rows, on the segments that the videos have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from avelzoo.data.reading.annotation_rows import Annotation
from avelzoo.data.reading.categories import CATEGORIES, control_character
from avelzoo.data.reading.event_table import EventRow, inside, write_event_table
from avelzoo.data.reading.layout import ANNOTATIONS, EVENTS, ORDER_KEYS, ORDERS
from avelzoo.extraction.record import Record
from avelzoo.extraction.table import TableRow
from avelzoo.system.files import write_bytes


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a data set and what was left out of it.

    Attributes:
        rows: rows of the feature files.
        splits: row numbers of each split.
        left_out: rows of the table that are not in the data set, or lost a run, with the reason.
    """

    rows: tuple[EventRow, ...]
    splits: Mapping[str, tuple[int, ...]]
    left_out: tuple[str, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """Event names in the order of their ids: first appearance."""
        return tuple(dict.fromkeys(row.category for row in self.rows if row.category))


def label(
    table: Sequence[TableRow], records: Mapping[str, Record], splits: Mapping[str, str], seconds: float
) -> LabelledRows:
    """Rows whose video was extracted.

    A run after the end of its video is left out, and a row without any other run with it.

    Args:
        table: rows of the table.
        records: records of extracted videos, by name.
        splits: split of every video.
        seconds: length of a segment.
    """
    rows: list[EventRow] = []
    left_out: list[str] = []
    places: dict[str, list[int]] = {name: [] for name in ORDERS}
    for row in table:
        if row.video not in records:
            continue  # reported as a failed video
        t = records[row.video].segments
        runs = tuple(run for run in row.runs if inside(*run, seconds, t).any())
        for start, end in row.runs:
            if (start, end) not in runs:
                length = f"which has {t} segments of {seconds:g} s"
                left_out.append(f"line {row.line}: {start:g} to {end:g} s is after the end of {row.video}, {length}")
        if row.runs and not runs:
            continue
        places[splits[row.video]].append(len(rows))
        rows.append(EventRow(row.video, t, row.category, runs))
    return LabelledRows(tuple(rows), {name: tuple(found) for name, found in places.items()}, tuple(left_out))


def write_labels(folder: Path, labelled: LabelledRows, seconds: float) -> None:
    """Write categories, splits, and Annotations.txt if it can say everything, else events.csv.

    Raises:
        StorageError: a file cannot be written.
    """
    import h5py

    write_bytes(folder / CATEGORIES, "".join(f"{name}\n" for name in labelled.categories).encode())
    lines = as_annotations(labelled.rows, seconds)
    if lines is None:
        write_event_table(folder / EVENTS, labelled.rows)
    else:
        write_bytes(folder / ANNOTATIONS, "".join(f"{line}\n" for line in lines).encode())
    for name, file in ORDERS.items():
        content = BytesIO()
        with h5py.File(content, "w") as stored:
            stored.create_dataset(ORDER_KEYS[0], data=np.array(labelled.splits[name], dtype=np.int64))
        write_bytes(folder / file, content.getvalue())


def as_annotations(rows: Sequence[EventRow], seconds: float) -> list[Annotation] | None:
    """Lines of Annotations.txt; None if it cannot say everything.

    It can if segments last a second, all videos have the same length, and every row has one run in whole seconds.
    """
    if seconds != 1.0 or len({row.segments for row in rows}) != 1:
        return None
    lines = []
    for number, row in enumerate(rows, 1):
        texts = (row.video, row.category)
        plain = all(text and text == text.strip() and "&" not in text for text in texts)
        if len(row.runs) != 1 or not plain or control_character("".join(texts)):
            return None
        start, end = row.runs[0]
        end = min(end, float(row.segments))
        if not (start.is_integer() and end.is_integer()):
            return None
        lines.append(Annotation(number, row.category, row.video, "good", int(start), int(end)))
    return lines
