"""Lines over a common axis, with bands or bars for intervals, and a marked place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Curve, Drawing, Line, Rectangle, Shape, Text
from avelzoo.charts.frame import (
    EDGE,
    REFERENCE_DASHES,
    SIZE,
    WIDTH,
    Reference,
    finished,
    legend,
    mark,
    reference_colour,
    series_mark,
    spread,
    started,
    x_axis,
    y_axis,
)
from avelzoo.charts.palette import series_colour, series_dash
from avelzoo.charts.scale import Axis, extent, finite, number, rounded
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened, shortened_before, text_width

DIRECT = 6
"""Lines that are named at their right ends; more are named in a legend."""
CROWDED = 40
"""Points of a line that have marks; lines of more points have none."""


@dataclass(frozen=True)
class Point:
    """A point of a line, with its interval if there is one; a y of None or NaN is a gap."""

    x: float
    y: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """A named line; ``colour`` numbers the colour, dash and mark of its own, otherwise they follow its place."""

    label: str
    points: Sequence[Point]
    colour: int | None = None


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    description: str,
    x_label: str = "",
    y_label: str = "",
    marked: Reference | None = None,
    references: Sequence[Reference] = (),
    bands: bool = True,
    log_x: bool = False,
    log_y: bool = False,
    from_zero: bool = False,
    x_ticks: Sequence[float] = (),
    width: float = WIDTH,
    height: float = 260.0,
) -> str:
    """Lines with different colours, dashes and marks, as an SVG document.

    >>> line_chart([Series("loss", [Point(1, 2.0), Point(2, 1.5)])], title="T", description="D").startswith("<svg")
    True

    Args:
        series: lines; points in the order of x.
        title: what is shown.
        description: the finding in words.
        x_label: name and unit of the horizontal axis.
        y_label: name and unit of the vertical axis.
        marked: a named place on the horizontal axis, such as the chosen epoch.
        references: horizontal lines, such as floors.
        bands: intervals as areas; otherwise as bars at the points.
        log_x: a logarithmic horizontal axis; points that are not positive are left out.
        log_y: a logarithmic vertical axis; points that are not positive are left out.
        from_zero: the vertical axis begins at 0.
        x_ticks: values to label on the horizontal axis; by default, round ones.
        width: of the document in pixels.
        height: of the plot in pixels.
    """
    drawing, top = started(title, description, width)
    lines = [(s, [p for p in s.points if finite(p.x) is not None and (p.x > 0 or not log_x)]) for s in series]
    if y_label:
        drawing.add(
            Text(EDGE, top + 8, shortened(y_label, SIZE, drawing.width - 2 * EDGE), SIZE, "muted", title=y_label)
        )
        top += 20
    direct = 1 < len(series) <= DIRECT
    if len(series) > DIRECT:
        top = legend(drawing, top, [s.label for s in series])
    room = min(max((text_width(s.label, SIZE) for s in series), default=0), drawing.width * 0.3) if direct else 0
    ys = [v for _, points in lines for p in points for v in (p.y, p.low, p.high)] + [r.value for r in references]
    y_low, y_high = bounds(ys, log=log_y, zero=from_zero)
    x_low, x_high = bounds([p.x for _, points in lines for p in points], log=log_x, pad=0.02)
    edge = max(
        (text_width(number(v), SIZE - 1) for v in Axis(y_low, y_high, height, 0, log_y).ticks(int(height / 40))),
        default=20,
    )
    left, right = EDGE + edge + 10, drawing.width - EDGE - (room + 16 if direct else 6)
    top += 16 if marked else 4
    x, y = Axis(x_low, x_high, left, right, log_x, tuple(x_ticks)), Axis(y_low, y_high, top + height, top, log_y)
    y_axis(drawing, y, left, right)
    bottom = x_axis(drawing, x, (top, top + height), x_label)
    dots = [(x(p.x), y(p.y or 0.0)) for _, points in lines for p in points if finite(p.y) is not None]
    names = _references(drawing, y, (left, right), references, dots)
    if marked and finite(marked.value) is not None:
        _marked(drawing, x, top, top + height, marked)
    for i, (one, points) in enumerate(lines):
        _line(drawing, (x, y), one, points, i=i if one.colour is None else one.colour, bands=bands)
    drawing.add(*names)
    if direct:
        bottom = max(bottom, _names(drawing, y, right + 12, lines, (top, top + height)))
    return svg(finished(drawing, bottom))


def bounds(values: Sequence[float | None], *, log: bool, zero: bool = False, pad: float = 0.06) -> tuple[float, float]:
    """Ends of an axis that shows all values."""
    found = [value for v in values if (value := finite(v)) is not None and (value > 0 or not log)]
    if log:
        low, high = (min(found), max(found)) if found else (1.0, 10.0)
        return low / 1.15, high * 1.15
    low, high = extent([*found, 0.0] if zero else found, pad=pad)
    return (0.0 if zero and min(found, default=0.0) >= 0 else low), high


def pieces(points: Sequence[Point], *, log: bool = False) -> Iterator[list[Point]]:
    """Neighbouring points that have a value."""
    piece: list[Point] = []
    for point in points:
        value = finite(point.y)
        if value is None or (log and value <= 0):
            if piece:
                yield piece
            piece = []
        else:
            piece.append(point)
    if piece:
        yield piece


def _line(
    drawing: Drawing, axes: tuple[Axis, Axis], one: Series, points: Sequence[Point], *, i: int, bands: bool
) -> None:
    x, y = axes
    colour = series_colour(i)
    for piece in pieces(points, log=y.log):
        known = [
            (p.x, low, high)
            for p in piece
            if (low := finite(p.low)) is not None and (high := finite(p.high)) is not None
        ]
        if bands and len(known) > 1:
            area = [*((x(at), y(high)) for at, _, high in known), *((x(at), y(low)) for at, low, _ in reversed(known))]
            drawing.add(Curve(area, fill=colour, opacity=0.15))
        for at, low, high in known if not bands or len(known) == 1 else ():
            drawing.add(Line(x(at), y(low), x(at), y(high), colour, width=1.6))
            drawing.add(*(Line(x(at) - 4, y(end), x(at) + 4, y(end), colour, width=1.6) for end in (low, high)))
        if len(piece) > 1:
            line = [(x(p.x), y(p.y or 0.0)) for p in piece]
            drawing.add(Curve(line, stroke=colour, width=2, dash=series_dash(i), title=one.label))
        for p in piece if len(points) <= CROWDED or len(piece) == 1 else ():
            told = f"{one.label}: {number(p.x)}, {number(round(p.y or 0.0, 6))}"
            drawing.add(*mark(series_mark(i), x(p.x), y(p.y or 0.0), colour, radius=3.8, title=told))


def _references(
    drawing: Drawing,
    y: Axis,
    ends: tuple[float, float],
    references: Sequence[Reference],
    dots: Sequence[tuple[float, float]],
) -> list[Shape]:
    """Horizontal lines; returns their names, above the end that fewer dots are near, on paper."""
    names: list[Shape] = []
    left, right = ends
    known = sorted((r for r in references if finite(r.value) is not None), key=lambda r: -r.value)
    places = spread([y(r.value) - 5 for r in known], 15, y.end + 12, y.start - 4)
    for i, (reference, place) in enumerate(zip(known, places, strict=True)):
        end = f": {rounded(reference.value, y.high - y.low)}"
        words = reference.label + end
        at, colour = y(reference.value), reference_colour(i)
        drawing.add(Curve([(left, at), (right, at)], stroke=colour, dash=REFERENCE_DASHES[i % 3], title=words))
        text = shortened_before(reference.label, end, SIZE - 1, right - left - 8)
        wide = text_width(text, SIZE - 1)
        start = min((left + 6, right - 6 - wide), key=lambda x: _inside(dots, x, wide, place))
        names.append(Rectangle(start - 3, place - 11, wide + 6, 14, "paper"))
        names.append(Text(start, place, text, SIZE - 1, colour, title=words if text != words else ""))
    return names


def _inside(dots: Sequence[tuple[float, float]], x: float, wide: float, base: float) -> int:
    """Number of dots that a name would hide."""
    return sum(x - 8 <= at <= x + wide + 8 and base - 17 <= height <= base + 9 for at, height in dots)


def _marked(drawing: Drawing, x: Axis, top: float, bottom: float, marked: Reference) -> None:
    at = x(marked.value)
    drawing.add(Curve([(at, top), (at, bottom)], stroke="ink", width=1.2, dash=(3, 3), title=marked.label))
    text = shortened(marked.label, SIZE - 1, drawing.width - 2 * EDGE)
    half = text_width(text, SIZE - 1) / 2
    place = min(max(at, EDGE + half), drawing.width - EDGE - half)
    drawing.add(Text(place, top - 5, text, SIZE - 1, "ink", "middle"))


def _names(
    drawing: Drawing, y: Axis, left: float, lines: Sequence[tuple[Series, list[Point]]], span: tuple[float, float]
) -> float:
    """Each line's name beside its end; returns the lowest."""
    ends = []
    for i, (one, points) in enumerate(lines):
        last = next((p.y for p in reversed(points) if finite(p.y) is not None), None)
        ends.append(
            (
                y(last) if last is not None else span[1],
                one.label,
                series_colour(i if one.colour is None else one.colour),
            )
        )
    ends.sort()
    places = spread([at + 4.5 for at, _, _ in ends], SIZE + 3, span[0] + 8, span[1] + 4)
    for place, (at, label, colour) in zip(places, ends, strict=True):
        text = shortened(label, SIZE, drawing.width - EDGE - left - 2)
        drawing.add(Line(left - 10, at, left - 2, place - 4.5, colour))
        drawing.add(Text(left, place, text, SIZE, colour, title=label if text != label else ""))
    return max(places, default=0.0)
