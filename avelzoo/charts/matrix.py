"""A matrix as shaded cells: confusions, distances."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from avelzoo.charts.drawing import Drawing, Rectangle, Text
from avelzoo.charts.frame import EDGE, SIZE, WIDTH, finished, started
from avelzoo.charts.palette import HEATS, heat
from avelzoo.charts.scale import finite, number
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened, text_width

SMALLEST = 12.0


def matrix_chart(
    values: Sequence[Sequence[float | None]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    title: str,
    description: str,
    row_title: str = "",
    column_title: str = "",
    low: float | None = None,
    high: float | None = None,
    written: Callable[[float], str] = number,
    width: float = WIDTH,
) -> str:
    """Cells shaded by their value, with the value where it fits, as an SVG document.

    >>> matrix_chart([[0.9, 0.1]], ["bark"], ["bark", "bell"], title="T", description="D").startswith("<svg")
    True

    Args:
        values: a sequence for each row; None or NaN is an empty cell.
        row_labels: a name for each row.
        column_labels: a name for each column.
        title: what is shown.
        description: the finding in words.
        row_title: what the rows are.
        column_title: what the columns are.
        low: value of the lightest shade; by default, the smallest value or 0.
        high: value of the strongest shade; by default, the largest value.
        written: text of a value.
        width: of the document in pixels; wider if cells would be too narrow.
    """
    left = EDGE + min(max(text_width(label, SIZE) for label in (*row_labels, row_title, "")), width * 0.28) + 10
    count = max(len(column_labels), 1)
    cell = min(max((width - EDGE - left) / count, SMALLEST), 64.0)
    tall = min(cell, 34.0)
    known = [value for row in values for v in row if (value := finite(v)) is not None]
    low = min([0.0, *known]) if low is None else low
    high = max(known, default=1.0) if high is None else high
    drawing, y = started(title, description, max(width, left + cell * count + EDGE))
    y = _scale(drawing, y, low, high, written)
    if column_title:
        drawing.add(Text(left, y + 12, shortened(column_title, SIZE, drawing.width - left - EDGE), SIZE, "muted"))
        y += 20
    upright = max((text_width(label, SIZE - 1) for label in column_labels), default=0) > cell - 4
    head = min(max((text_width(label, SIZE - 1) for label in column_labels), default=0), 130.0) if upright else 14.0
    for j, label in enumerate(column_labels):
        x = left + (j + 0.5) * cell
        text = shortened(label, SIZE - 1, head if upright else cell)
        where = (x + 4, y + head, text) if upright else (x, y + head - 2, text)
        drawing.add(
            Text(*where, SIZE - 1, anchor="start" if upright else "middle", angle=-90 if upright else 0, title=label)
        )
    if row_title:
        drawing.add(
            Text(
                left - 8,
                y + head - 2,
                shortened(row_title, SIZE, left - EDGE - 8),
                SIZE,
                "muted",
                "end",
                title=row_title,
            )
        )
    top = y + head + 6
    for i, row in enumerate(values):
        at = top + i * tall
        label = row_labels[i] if i < len(row_labels) else ""
        size = min(SIZE, tall)
        text = shortened(label, size, left - EDGE - 8)
        drawing.add(
            Text(left - 8, at + tall / 2 + size * 0.35, text, size, anchor="end", title=label if text != label else "")
        )
        for j, value in enumerate(row[:count]):
            name = column_labels[j] if j < len(column_labels) else ""
            _cell(
                drawing,
                (left + j * cell, at, cell, tall),
                finite(value),
                span=(low, high),
                names=f"{label}, {name}",
                written=written,
            )
    return svg(finished(drawing, top + tall * len(values)))


def _cell(
    drawing: Drawing,
    box: tuple[float, float, float, float],
    value: float | None,
    *,
    span: tuple[float, float],
    names: str,
    written: Callable[[float], str],
) -> None:
    x, y, wide, tall = box
    if value is None:
        drawing.add(Rectangle(x, y, wide - 1, tall - 1, "paper", title=f"{names}: no value"))
        drawing.add(Text(x + (wide - 1) / 2, y + tall / 2 + 3.5, "–", SIZE - 2, "muted", "middle"))  # noqa: RUF001
        return
    low, high = span
    fill, ink = heat((value - low) / (high - low) if high > low else 0.0)
    text = written(value)
    drawing.add(Rectangle(x, y, wide - 1, tall - 1, fill, title=f"{names}: {text}"))
    if text_width(text, SIZE - 2) <= wide - 3 and tall >= SIZE + 1:
        drawing.add(Text(x + (wide - 1) / 2, y + tall / 2 + 3.5, text, SIZE - 2, ink, "middle"))


def _scale(drawing: Drawing, y: float, low: float, high: float, written: Callable[[float], str]) -> float:
    """The shades with the values at their ends; returns the height below."""
    x = EDGE
    first, last = written(low), written(high)
    drawing.add(Text(x, y + 12, first, SIZE - 1, "muted"))
    x += text_width(first, SIZE - 1) + 6
    for i in range(HEATS):
        drawing.add(
            Rectangle(x + i * 20, y + 2, 20, 12, f"heat{i}", title=f"from {written(low + (high - low) * i / HEATS)}")
        )
    drawing.add(Text(x + HEATS * 20 + 6, y + 12, last, SIZE - 1, "muted"))
    return y + 26
