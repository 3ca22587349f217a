"""CSV and TSV: a row per event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import one_line, sheet
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization

COLUMNS = ("file", "start", "end", "category", "score")


@dataclass(frozen=True, kw_only=True)
class CsvConfig(FormatConfig):
    """Comma-separated values: a header and a row per event, times in seconds.

    >>> CsvConfig().suffix
    '.csv'
    """

    suffix: ClassVar[str] = ".csv"

    def text(self, result: Localization) -> str:
        return _rows(result, ",")


@dataclass(frozen=True, kw_only=True)
class TsvConfig(FormatConfig):
    """Tab-separated values: a header and a row per event, times in seconds; tabs in names become spaces.

    >>> TsvConfig().suffix
    '.tsv'
    """

    suffix: ClassVar[str] = ".tsv"

    def text(self, result: Localization) -> str:
        return _rows(result, "\t")


def _rows(result: Localization, delimiter: str) -> str:
    events = (
        (one_line(result.path), f"{e.start:.3f}", f"{e.end:.3f}", one_line(e.category), f"{e.score:.4f}")
        for e in result.timeline
    )
    return sheet((COLUMNS, *events), delimiter=delimiter)
