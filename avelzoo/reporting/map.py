"""A map of embeddings: dots for events, crosses for background, each category's name at its place."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from avelzoo.charts.drawing import Rectangle, Text
from avelzoo.charts.frame import EDGE, SIZE, finished, legend, mark, started
from avelzoo.charts.palette import series_colour
from avelzoo.charts.scale import Axis, extent
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened, text_width

HEIGHT = 520.0

Spot = tuple[float, float, int, bool, str]
"""x, y, category (n for videos without an event), whether an event, what a pointer shows."""


def map_chart(spots: Sequence[Spot], categories: Sequence[str], *, title: str, description: str, width: float) -> str:
    """Segments on a plane as an SVG document.

    Args:
        spots: the segments.
        categories: the n names.
        title: what is shown.
        description: the finding in words.
        width: in pixels.
    """
    drawing, y = started(title, description, width)
    y = legend(drawing, y, ["event segment", "background segment"], marks=[("dot", "muted"), ("cross", "muted")])
    height = min(HEIGHT, width * 0.9)
    box = (EDGE, y, drawing.width - 2 * EDGE, height)
    drawing.add(Rectangle(*box, "band", 6))
    across = Axis(*extent([spot[0] for spot in spots], pad=0.02), EDGE + 12, drawing.width - EDGE - 12)
    up = Axis(*extent([spot[1] for spot in spots], pad=0.02), y + height - 12, y + 12)
    for events in (False, True):  # dots over crosses
        for at_x, at_y, category, event, told in spots:
            if event == events:
                colour = "muted" if category == len(categories) else series_colour(category)
                name = "dot" if event else "cross"
                drawing.add(*mark(name, across(at_x), up(at_y), colour, radius=2.6, title=told))
    places = {
        name: (across(statistics.median(xs)), up(statistics.median(ys)))
        for k, name in enumerate(categories)
        if (xs := [s[0] for s in spots if s[2] == k and s[3]]) and (ys := [s[1] for s in spots if s[2] == k and s[3]])
    }
    for name, left, top, wide in placed(places, (EDGE, y, drawing.width - EDGE, y + height)):
        text = shortened(name, SIZE - 1, 150)
        drawing.add(Rectangle(left, top, wide, 17, "paper", 4))
        drawing.add(Text(left + wide / 2, top + 12.5, text, SIZE - 1, "ink", "middle", bold=True, title=name))
    return svg(finished(drawing, y + height))


def placed(
    places: Mapping[str, tuple[float, float]], box: tuple[float, float, float, float]
) -> list[tuple[str, float, float, float]]:
    """Labels near their places that do not overlap: name, left, top and width of each; those without room are left out.

    Args:
        places: name -> where its middle should be.
        box: left, top, right and bottom of the plot.
    """
    found: list[tuple[str, float, float, float]] = []
    for name, (x, y) in sorted(places.items(), key=lambda one: one[1][1]):
        wide = text_width(shortened(name, SIZE - 1, 150), SIZE - 1) + 10
        left = min(max(x - wide / 2, box[0] + 2), max(box[2] - wide - 2, box[0] + 2))
        for step in (0, 1, -1, 2, -2, 3, -3, 4, -4):
            top = min(max(y - 8.5 + step * 18, box[1] + 2), box[3] - 19)
            if all(abs(top - b) >= 18 or left >= a + w + 2 or a >= left + wide + 2 for _, a, b, w in found):
                found.append((name, left, top, wide))
                break
    return found
