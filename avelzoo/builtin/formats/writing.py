"""What text formats share: clean names, times, tables, and events without overlap."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization
    from avelzoo.timeline.timeline import Timeline

NO_EVENT = "events"
"""Name of the empty tier of a video without an event."""


def one_line(text: str) -> str:
    r"""Text without line breaks, tabs and other control characters; each becomes a space.

    >>> one_line("dog\tbark\n")
    'dog bark'
    """
    return "".join(c if c.isprintable() else " " for c in text).strip()


def file_name(path: str) -> str:
    """The last part of a path, on one line."""
    return one_line(PurePath(path).name) or "video"


def clock(seconds: float, *, separator: str = ".") -> str:
    """HH:MM:SS and milliseconds; hours grow as needed.

    >>> clock(3661.5)
    '01:01:01.500'
    """
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{separator}{rest % 1000:03d}"


def sheet(rows: Iterable[Sequence[object]], *, delimiter: str) -> str:
    """Delimited text; cells that need it are quoted as in RFC 4180."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def tiers(result: Localization) -> dict[str, Timeline]:
    """Events by category, without overlap within a category; one empty tier for a video without an event.

    Programs refuse files without tiers.
    """
    joined = result.timeline.support()
    return {category: joined[category] for category in joined.categories} or {NO_EVENT: joined}


def length(result: Localization) -> float:
    """Length of the time axis in seconds, above 0 for programs that refuse an empty one."""
    return max(result.timeline.duration, 0.001)
