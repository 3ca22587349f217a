"""Points of a plane in groups, as dots and crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Line, Text
from avelzoo.charts.frame import EDGE, SIZE, WIDTH, finished, legend, mark, series_mark, started
from avelzoo.charts.palette import series_colour
from avelzoo.charts.scale import Axis, extent, finite
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened


@dataclass(frozen=True)
class ScatterGroup:
    """Points with one colour and mark.

    Attributes:
        label: name in the legend.
        points: (x, y) of each; a point with NaN is left out.
        marker: ``dot``, ``cross``, ``ring``, ``square``, ``triangle`` or ``diamond``; by default, one for its place.
        colour: number of the colour; by default, its place. Two groups can share one.
        titles: what a pointer at a point shows; by default, the label.
    """

    label: str
    points: Sequence[tuple[float, float]]
    marker: str = ""
    colour: int | None = None
    titles: Sequence[str] = ()


def scatter_chart(
    groups: Sequence[ScatterGroup],
    *,
    title: str,
    description: str,
    x_label: str = "",
    y_label: str = "",
    width: float = WIDTH,
    height: float = 420.0,
) -> str:
    """A map of points without values on its axes, such as a projection of embeddings, as an SVG document.

    >>> scatter_chart([ScatterGroup("bark", [(0.1, 0.2)], "cross")], title="T", description="D").startswith("<svg")
    True

    Args:
        groups: painted in this order.
        title: what is shown.
        description: the finding in words.
        x_label: name of the horizontal axis.
        y_label: name of the vertical axis.
        width: of the document in pixels.
        height: of the plot in pixels.
    """
    drawing, y = started(title, description, width)
    looks = [
        (g.marker or series_mark(i), series_colour(i if g.colour is None else g.colour)) for i, g in enumerate(groups)
    ]
    top = legend(drawing, y, [group.label for group in groups], marks=looks)
    if y_label:
        drawing.add(Text(EDGE, top + 8, shortened(y_label, SIZE, drawing.width - 2 * EDGE), SIZE, "muted"))
        top += 18
    points = [(finite(a), finite(b)) for group in groups for a, b in group.points]
    known = [(a, b) for a, b in points if a is not None and b is not None]
    left, right, bottom = EDGE, drawing.width - EDGE, top + height
    x = Axis(*extent([a for a, _ in known], pad=0.03), left + 8, right - 8)
    v = Axis(*extent([b for _, b in known], pad=0.03), bottom - 8, top + 8)
    for x1, y1, x2, y2 in (
        (left, top, right, top),
        (left, bottom, right, bottom),
        (left, top, left, bottom),
        (right, top, right, bottom),
    ):
        drawing.add(Line(x1, y1, x2, y2, "grid"))
    radius = 4.0 if len(known) <= 300 else 2.6
    for group, (marker, colour) in zip(groups, looks, strict=True):
        for i, (a, b) in enumerate(group.points):
            if finite(a) is not None and finite(b) is not None:
                told = group.titles[i] if i < len(group.titles) else group.label
                drawing.add(*mark(marker, x(a), v(b), colour, radius=radius, title=told))
    if x_label:
        drawing.add(
            Text((left + right) / 2, bottom + 18, shortened(x_label, SIZE, right - left), SIZE, "muted", "middle")
        )
        bottom += 20
    return svg(finished(drawing, bottom))
