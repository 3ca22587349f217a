"""Grouped horizontal bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Line, Rectangle, Text
from avelzoo.charts.frame import (
    EDGE,
    SIZE,
    WIDTH,
    Reference,
    finished,
    legend,
    names_height,
    references_across,
    started,
    x_axis,
)
from avelzoo.charts.palette import series_colour
from avelzoo.charts.scale import Axis, extent, finite, number
from avelzoo.charts.svg import svg
from avelzoo.charts.text import text_width, wrapped

BAR = 16.0


@dataclass(frozen=True)
class BarGroup:
    """A label and a value for each series; None or NaN is a missing bar."""

    label: str
    values: Sequence[float | None]


def bar_chart(
    groups: Sequence[BarGroup],
    *,
    title: str,
    description: str,
    series: Sequence[str] = (),
    references: Sequence[Reference] = (),
    unit: str = "",
    label: str = "",
    width: float = WIDTH,
) -> str:
    """Horizontal bars from 0, each with its value, as an SVG document.

    >>> bar_chart([BarGroup("float32", [3.9])], title="T", description="D", unit="s").startswith("<svg")
    True

    Args:
        groups: from top to bottom.
        title: what is shown.
        description: the finding in words.
        series: names of the bars of a group, in the order of its values.
        references: named vertical lines.
        unit: of all values.
        label: name of the axis.
        width: in pixels.
    """
    drawing, y = started(title, description, width)
    labels = [" ".join(group.label.split()) for group in groups]
    left = EDGE + min(max((text_width(text, SIZE) for text in labels), default=0), drawing.width * 0.36) + 12
    values = [finite(v) for group in groups for v in group.values]
    written = max((text_width(number(round(v, 4)), SIZE - 1) for v in values if v is not None), default=0.0)
    low, high = extent([0.0, *values, *(r.value for r in references)], pad=0.02)
    low = 0.0 if min((v for v in values if v is not None), default=0.0) >= 0 else low
    axis = Axis(low, high, left + (written + 8 if low < 0 else 0), drawing.width - EDGE - written - 8)
    if len(series) > 1:
        blocks = [("block", series_colour(i)) for i in range(len(series))]
        y = legend(drawing, y, [f"{i + 1}. {name}" for i, name in enumerate(series)], marks=blocks)
    sizes = [max(len(group.values), 1) * BAR + 10 for group in groups]
    height = sum(sizes) or 30.0
    top = y + names_height(references)
    bottom = x_axis(drawing, axis, (top, top + height), label, unit)
    references_across(drawing, axis, (y, top + height), references, unit)
    for group, text, size in zip(groups, labels, sizes, strict=True):
        lines = wrapped(text, SIZE, left - EDGE - 12, 2 if size >= 2 * BAR + 10 else 1)
        for k, line in enumerate(lines):
            y = top + size / 2 + 4.5 + 15 * (k - (len(lines) - 1) / 2)
            drawing.add(Text(left - 10, y, line, SIZE, anchor="end", title=text if line.endswith("…") else ""))
        for i, value in enumerate(map(finite, group.values)):
            at = top + 5 + i * BAR
            if value is None:
                drawing.add(Text(axis(0) + 5, at + 12, "no value", SIZE - 1, "muted"))
                continue
            x1, x2 = sorted((axis(0), axis(value)))
            said = f"{text}{f', {series[i]}' if i < len(series) else ''}: {number(round(value, 4))} {unit}".rstrip()
            drawing.add(Rectangle(x1, at + 1, max(x2 - x1, 1), BAR - 2, series_colour(i), 2, said))
            end = (x2 + 5, "start") if value >= 0 else (x1 - 5, "end")
            drawing.add(Text(end[0], at + 12.5, number(round(value, 4)), SIZE - 1, "ink", end[1]))
        top += size
    drawing.add(Line(axis(0), top - height, axis(0), top, "muted"))
    return svg(finished(drawing, bottom))
