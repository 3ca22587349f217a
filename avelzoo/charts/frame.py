"""What charts share: heading, legend, axes with grid lines, reference lines, marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Circle, Curve, Drawing, Line, Rectangle, Shape, Text
from avelzoo.charts.palette import series_colour, series_dash
from avelzoo.charts.scale import Axis, finite, number, rounded
from avelzoo.charts.text import shortened, shortened_before, text_width, wrapped

WIDTH, EDGE, SIZE = 640.0, 14.0, 13.0
"""Of a chart: width in pixels, margin, size of letters."""
BOLD = 1.1
"""Bold letters are this much wider."""
REFERENCE_DASHES = ((6, 4), (2, 3), (10, 3, 2, 3))
MARKS = ("dot", "square", "triangle", "diamond", "cross", "ring")


@dataclass(frozen=True)
class Reference:
    """A line across a chart at a value that needs no data, such as a floor.

    Attributes:
        label: what the value is.
        value: where the line is.
    """

    label: str
    value: float


def started(title: str, description: str, width: float) -> tuple[Drawing, float]:
    """An empty drawing with its title written on it, and the height below the title."""
    drawing = Drawing(max(width, 240.0), title=title, description=description)
    y = EDGE + 4
    for line in wrapped(title, (SIZE + 2) * BOLD, drawing.width - 2 * EDGE, 2) if title else []:
        y += SIZE + 3
        drawing.add(Text(EDGE, y, line, SIZE + 2, bold=True, title=title if line.endswith("…") else ""))
    return drawing, y + 12


def finished(drawing: Drawing, bottom: float) -> Drawing:
    """The drawing with its height and its ground."""
    drawing.height = math.ceil(bottom + EDGE)
    drawing.shapes.insert(0, Rectangle(0, 0, drawing.width, drawing.height, "paper"))
    return drawing


def mark(name: str, x: float, y: float, colour: str, *, radius: float = 4.5, title: str = "") -> list[Shape]:
    """A mark of a data point: dot, ring, square, triangle, diamond or cross."""
    r = radius
    corners = {
        "square": [(-r, -r), (r, -r), (r, r), (-r, r), (-r, -r)],
        "triangle": [(-r, r), (0, -r * 1.1), (r, r), (-r, r)],
        "diamond": [(-r * 1.3, 0), (0, -r * 1.3), (r * 1.3, 0), (0, r * 1.3), (-r * 1.3, 0)],
    }
    if name == "cross":
        lines = [[(x - r, y - r), (x + r, y + r)], [(x - r, y + r), (x + r, y - r)]]
        return [Curve(points, stroke=colour, width=1.8, title=title) for points in lines]
    if name in corners:
        return [Curve([(x + a, y + b) for a, b in corners[name]], fill=colour, title=title)]
    if name == "ring":
        return [Circle(x, y, r, "paper", colour, title)]
    return [Circle(x, y, r, colour, title=title)]


def series_mark(i: int) -> str:
    """The mark of the i-th series."""
    return MARKS[i % len(MARKS)]


def legend(drawing: Drawing, y: float, labels: Sequence[str], *, marks: Sequence[tuple[str, str]] = ()) -> float:
    """Names of series in as many lines as they need; returns the height below.

    Args:
        drawing: where to.
        y: top.
        labels: a name for each series; lines and marks are those of the series, if ``marks`` names no others.
        marks: (mark, colour) for each; the mark ``line`` is that of the series, ``dashes`` a
            reference line, ``block`` a filled square.
    """
    x, room = EDGE, drawing.width - 2 * EDGE
    for i, label in enumerate(labels):
        name, colour = marks[i] if marks else ("line", series_colour(i))
        text = shortened(label, SIZE, min(room - 40, 260))
        wide = 34 + text_width(text, SIZE) + 16
        if x > EDGE and x + wide > drawing.width - EDGE + 16:
            x, y = EDGE, y + 20
        middle = y + 8
        if name == "line":
            drawing.add(Curve([(x, middle), (x + 26, middle)], stroke=colour, width=2, dash=series_dash(i)))
            drawing.add(*mark(series_mark(i), x + 13, middle, colour, radius=3.6))
        elif name == "dashes":
            drawing.add(Curve([(x, middle), (x + 26, middle)], stroke=colour, width=2, dash=REFERENCE_DASHES[0]))
        elif name == "block":
            drawing.add(Rectangle(x + 12, y + 2, 13, 12, colour, 2))
        else:
            drawing.add(*mark(name, x + 18, middle, colour))
        drawing.add(Text(x + 32, y + 12.5, text, SIZE, title=label if text != label else ""))
        x += wide
    return y + (28 if labels else 0)


def x_axis(drawing: Drawing, axis: Axis, span: tuple[float, float], label: str, unit: str = "") -> float:
    """Vertical grid lines, their values below, and the axis's name; returns the height below."""
    top, bottom = span
    for value in axis.ticks(max(2, int((axis.end - axis.start) / 60))):
        x = axis(value)
        drawing.add(Line(x, top, x, bottom, "grid"))
        drawing.add(Text(x, bottom + 17, number(value), SIZE - 1, "muted", "middle"))
    drawing.add(Line(axis.start, bottom, axis.end, bottom, "muted"))
    name = f"{label}, {unit}" if label and unit else label or unit
    if not name:
        return bottom + 22
    drawing.add(_centred((axis.start + axis.end) / 2, bottom + 35, name, drawing.width))
    return bottom + 40


def y_axis(drawing: Drawing, axis: Axis, left: float, right: float) -> None:
    """Horizontal grid lines with their values at the left; ``axis`` starts at the bottom."""
    for value in axis.ticks(max(2, int((axis.start - axis.end) / 40))):
        y = axis(value)
        drawing.add(Line(left, y, right, y, "grid"))
        drawing.add(Text(left - 7, y + 4, number(value), SIZE - 1, "muted", "end"))


def references_across(
    drawing: Drawing, axis: Axis, span: tuple[float, float], references: Sequence[Reference], unit: str = ""
) -> float:
    """Vertical dashed lines down to the bottom of ``span``, each with its name on a line of its own from its top on.

    Returns the height below the names.
    """
    shown = sorted((r for r in references if finite(r.value) is not None), key=lambda r: r.value)
    y, bottom = span
    labels: list[Shape] = []
    for i, reference in enumerate(shown):
        x, row = axis(reference.value), y + 17 * i
        colour = reference_colour(i)
        end = f": {rounded(reference.value, axis.high - axis.low)} {unit}".rstrip()
        words = reference.label + end
        text = shortened_before(reference.label, end, SIZE - 1, drawing.width - 2 * EDGE - 12)
        wide = text_width(text, SIZE - 1)
        left = x + 7 if x + 7 + wide <= drawing.width - EDGE else max(x - 7 - wide, EDGE)
        drawing.add(Curve([(x, row + 2), (x, bottom)], stroke=colour, dash=REFERENCE_DASHES[i % 3], title=words))
        labels.append(Rectangle(left - 3, row + 1, wide + 6, 15, "paper"))
        labels.append(Text(left, row + 13, text, SIZE - 1, colour, title=words if text != words else ""))
    drawing.add(*labels)
    return y + names_height(references)


def names_height(references: Sequence[Reference]) -> float:
    """Height of the names of reference lines."""
    count = sum(finite(reference.value) is not None for reference in references)
    return 17.0 * count + (7 if count else 0)


def reference_colour(i: int) -> str:
    """Colour of the i-th reference line."""
    return ("threshold", "series4", "series6")[i % 3]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights near the wanted ones (in ascending order), at least ``gap`` apart, within [low, high] if they fit.

    >>> spread([5.0, 6.0, 40.0], 10, 0, 50)
    [0.5, 10.5, 40.0]
    """
    groups: list[list[float]] = []  # sum of the wanted tops, number of members
    for place in wanted:
        groups.append([place, 1])
        while len(groups) > 1 and _first(groups[-2]) + groups[-2][1] * gap > _first(groups[-1]):
            total, count = groups.pop()
            groups[-1][0] += total - gap * groups[-1][1] * count
            groups[-1][1] += count
    found: list[float] = []
    for group in groups:
        first = max(_first(group), found[-1] + gap if found else low)
        found += [first + gap * i for i in range(int(group[1]))]
    over = found[-1] - high if found else 0.0
    limit = high
    for i in range(len(found) - 1, -1, -1) if over > 0 else ():
        found[i] = max(min(found[i], limit), low + gap * i)
        limit = found[i] - gap
    return found


def _first(group: list[float]) -> float:
    """First place of neighbours that touch: the mean of their wanted places, each less its distance to the first."""
    return group[0] / group[1]


def _centred(x: float, y: float, text: str, width: float) -> Text:
    short = shortened(text, SIZE, width - 2 * EDGE)
    half = text_width(short, SIZE) / 2
    return Text(min(max(x, EDGE + half), width - EDGE - half), y, short, SIZE, "muted", "middle")
