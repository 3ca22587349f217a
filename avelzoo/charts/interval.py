"""Values with their intervals, a row each, and the floors that they have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Drawing, Line, Rectangle, Text
from avelzoo.charts.frame import (
    EDGE,
    SIZE,
    WIDTH,
    Reference,
    finished,
    legend,
    mark,
    names_height,
    references_across,
    started,
    x_axis,
)
from avelzoo.charts.palette import series_colour
from avelzoo.charts.scale import Axis, extent, finite, rounded
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened, shortened_before, text_width

ROW = 26.0
NEAR, FAR = 1.2, 3.0
"""Floors farther from the values than this many times their range are named, not drawn; FAR is for the nearest one."""


@dataclass(frozen=True)
class IntervalRow:
    """A value and what is known about it.

    Attributes:
        label: name of the row.
        value: the value; None or NaN if it is not known.
        low: lower end of its interval.
        high: upper end of its interval.
        published: a value from a paper, marked by a ring.
        note: a few characters at the right end, such as letters of a compact display.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    published: float | None = None
    note: str = ""


def interval_chart(
    rows: Sequence[IntervalRow],
    *,
    title: str,
    description: str,
    floors: Sequence[Reference] = (),
    unit: str = "%",
    label: str = "",
    width: float = WIDTH,
) -> str:
    """Rows of values with intervals on a common axis, floors as dashed vertical lines, as an SVG document.

    >>> interval_chart([IntervalRow("ead-b", 81.3, 80.1, 82.4)], title="T", description="D").startswith("<svg")
    True

    Args:
        rows: from top to bottom.
        title: what is shown.
        description: the finding in words, for readers who do not see the chart.
        floors: named values across all rows; those far outside the rows' values are named above the axis.
        unit: of all values.
        label: name of the axis, such as the measure.
        width: in pixels.
    """
    drawing, y = started(title, description, width)
    shown = [label_of(row) for row in rows]
    left = EDGE + min(max((text_width(text, SIZE) for text in shown), default=0), drawing.width * 0.42) + 12
    notes = max((text_width(row.note, SIZE) for row in rows), default=0)
    right = drawing.width - EDGE - (min(notes, 80) + 10 if notes else 8)
    values = [v for row in rows for v in (row.value, row.low, row.high, row.published)]
    near, far = split_far(values, floors)
    axis = Axis(*extent([*values, *(floor.value for floor in near)]), left, right)
    names, marks = [], []
    if any(finite(row.published) is not None for row in rows):
        names, marks = ["measured, with interval", "published"], [("dot", "series0"), ("ring", "series1")]
    y = legend(drawing, y, names, marks=marks)
    for floor in far:
        y = _aside(drawing, y, floor, unit, axis)
    top = y + names_height(near)
    span = (top, top + max(len(rows), 1) * ROW)
    bottom = x_axis(drawing, axis, span, label, unit)
    references_across(drawing, axis, (y, span[1]), near, unit)
    for i, row in enumerate(rows):
        _row(drawing, axis, top + (i + 0.5) * ROW, row, unit)
    return svg(finished(drawing, bottom))


def split_far(values: Sequence[float | None], floors: Sequence[Reference]) -> tuple[list[Reference], list[Reference]]:
    """Floors that can share an axis with the values, and those so far off that the values would become one point."""
    known = [value for v in values if (value := finite(v)) is not None]
    shown = [floor for floor in floors if finite(floor.value) is not None]
    if not known or max(known) == min(known):
        return shown, []
    low, high = min(known), max(known)
    distance = {id(floor): max(low - floor.value, floor.value - high, 0.0) / (high - low) for floor in shown}
    least = min(distance.values(), default=0.0)
    near = [f for f in shown if distance[id(f)] <= (FAR if distance[id(f)] == least else NEAR)]
    return near, [f for f in shown if f not in near]


def _aside(drawing: Drawing, y: float, floor: Reference, unit: str, axis: Axis) -> float:
    """A line of text for a floor outside the axis; returns the height below."""
    end = f": {rounded(floor.value, axis.high - axis.low)} {unit}".rstrip()
    words = floor.label + end
    arrow = "←" if floor.value < axis.low else "→"
    text = shortened_before(f"{arrow} {floor.label}", f"{end}, outside the axis", SIZE - 1, drawing.width - 2 * EDGE)
    drawing.add(Text(EDGE, y + 12, text, SIZE - 1, "muted", title=words))
    return y + 18


def label_of(row: IntervalRow) -> str:
    """The row's name on one line."""
    return " ".join(row.label.split())


def _row(drawing: Drawing, axis: Axis, y: float, row: IntervalRow, unit: str) -> None:
    label = label_of(row)
    text = shortened(label, SIZE, axis.start - EDGE - 12)
    drawing.add(Text(axis.start - 10, y + 4.5, text, SIZE, anchor="end", title=label if text != label else ""))
    value, low, high, published = map(finite, (row.value, row.low, row.high, row.published))
    colour = series_colour(0)
    span = axis.high - axis.low
    told = f"{label}: {'unknown' if value is None else f'{rounded(value, span)} {unit}'}".rstrip()
    if low is not None and high is not None:
        told += f", interval {rounded(low, span)} to {rounded(high, span)}"
        drawing.add(Line(axis(low), y, axis(high), y, colour, width=2.4))
        drawing.add(*(Line(axis(end), y - 5, axis(end), y + 5, colour, width=1.6) for end in (low, high)))
    if published is not None:
        said = f"{label}, published: {rounded(published, span)} {unit}".rstrip()
        drawing.add(*mark("ring", axis(published), y, "series1", radius=5.2, title=said))
    if value is not None:
        drawing.add(*mark("dot", axis(value), y, colour, title=told))
    elif low is None and published is None:
        drawing.add(Rectangle(axis.start + 3, y - 8, 60, 16, "paper"))
        drawing.add(Text(axis.start + 6, y + 4.5, "no value", SIZE - 1, "muted"))
    if row.note:
        note = shortened(row.note, SIZE, 80)
        drawing.add(
            Text(drawing.width - EDGE, y + 4.5, note, SIZE, "muted", "end", title=row.note if note != row.note else "")
        )
