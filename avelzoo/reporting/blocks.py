"""What a page consists of: panels of blocks, with charts, tables and sentences, independent of HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from avelzoo.statistics import Interval


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what is shown.
        key: number to sort by; None to sort by the text.
        code: shown in a fixed-width font.
    """

    text: str
    key: float | None = None
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """A table that readers can sort.

    Attributes:
        caption: what the table holds.
        columns: headings; a heading that ends with a right parenthesis has its unit there.
        rows: cells, one per column; the first is the row's heading.
        numeric: columns whose text is flush right, by number from 0.
        behind: the table belongs to a chart and is folded away below it.
        note: a sentence below.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[int] = frozenset()
    behind: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart in two widths: for wide and for narrow screens; without the second one, narrow screens scroll."""

    wide: str
    narrow: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of a panel.

    Attributes:
        heading: its heading.
        text: paragraphs.
        items: a list below the paragraphs.
        picture: a chart; None for none.
        tables: tables, those behind the chart first.
        facts: names and values, in two columns.
        code: text that a reader copies, such as a command.
        left_out: why the block has no content; empty if it has.
        part: name of a template for content that only this block has.
    """

    heading: str
    text: Sequence[str] = ()
    items: Sequence[str] = ()
    picture: Picture | None = None
    tables: Sequence[DataTable] = ()
    facts: Sequence[tuple[str, str]] = ()
    code: str = ""
    left_out: str = ""
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A tab of the page.

    Attributes:
        id: letters and hyphens.
        title: on the tab.
        shared: blocks about all runs.
        by_run: blocks of each run, in the order of the report's runs; empty if the panel has none.
    """

    id: str
    title: str
    shared: Sequence[Block] = ()
    by_run: Sequence[Sequence[Block]] = field(default_factory=tuple)


def text_cell(text: object) -> Cell:
    """A cell of text."""
    return Cell(str(text))


def number_cell(value: float | None, digits: int = 1, *, scale: float = 1.0, unit: str = "") -> Cell:
    """A number with this many decimals; a dash if it is missing.

    >>> number_cell(0.9234, scale=100)
    Cell(text='92.3', key=92.34, code=False)
    """
    if value is None or not math.isfinite(value):
        return Cell("-", -math.inf)
    shown = round(scale * value, digits) + 0.0  # no negative zero
    return Cell(f"{shown:,.{digits}f}{unit}", scale * value)


def percent_cell(value: float | None, digits: int = 1) -> Cell:
    """A share in percent, without the sign."""
    return number_cell(value, digits, scale=100)


def interval_cell(found: Interval, digits: int = 1, *, signed: bool = False) -> Cell:
    """The ends of an interval of shares, in percent or points; sorted by the lower end."""
    ends = [percent_cell(end, digits) for end in (found.low, found.high)]
    texts = [f"+{end.text}" if signed and (end.key or 0) > 0 else end.text for end in ends]
    return Cell(" to ".join(texts), ends[0].key)


def sentence_case(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def count_cell(value: int | None) -> Cell:
    """A whole number."""
    return number_cell(value, 0)


def percent(value: float | None, digits: int = 1) -> str:
    r"""A share as text in percent, for sentences.

    >>> percent(0.8)
    '80.0\xa0%'
    """
    return "-" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"
