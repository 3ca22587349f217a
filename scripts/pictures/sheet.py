"""Block diagrams: boxes with a name and details, arrows with labels, strips of segments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Curve, Drawing, Line, Rectangle, Text
from avelzoo.charts.svg import svg
from avelzoo.charts.text import text_width

Point = tuple[float, float]
WIDTH = 500.0
"""Of charts: legible on a phone, and beside text."""
SIZE, SMALL, LINE = 14.0, 12.0, 15.0
BOLD = 1.1
HEAD = 7.0
"""Length of an arrow's head."""
DATA, MODEL, TRAINING, DECISION = "series6", "series0", "series4", "series2"


@dataclass(frozen=True)
class Box:
    """A placed rectangle and the points where arrows meet it."""

    x: float
    y: float
    width: float
    height: float

    def left(self, share: float = 0.5) -> Point:
        """A point of the left side; ``share`` counts from the top."""
        return self.x, self.y + self.height * share

    def right(self, share: float = 0.5) -> Point:
        """A point of the right side."""
        return self.x + self.width, self.y + self.height * share

    def top(self, share: float = 0.5) -> Point:
        """A point of the upper side; ``share`` counts from the left."""
        return self.x + self.width * share, self.y

    def bottom(self, share: float = 0.5) -> Point:
        """A point of the lower side."""
        return self.x + self.width * share, self.y + self.height


class Sheet:
    """A diagram under construction.

    Args:
        title: what it shows.
        description: its content in words, for readers who do not see it.
        width: in pixels.
        height: in pixels.
    """

    def __init__(self, title: str, description: str, width: float, height: float) -> None:
        self.drawing = Drawing(width, height, title, description)
        self.drawing.add(Rectangle(0, 0, width, height, "paper"))

    def box(
        self, x: float, y: float, width: float, height: float, name: str, *details: str, colour: str = MODEL
    ) -> Box:
        """A rounded box with a bold name and lines of details, centred.

        Raises:
            ValueError: a line is wider than the box.
        """
        self.drawing.add(Rectangle(x, y, width, height, "band", 6, stroke=colour))
        self.drawing.add(Rectangle(x, y, 5, height, colour, 2))
        lines = [(name, SIZE, True)] * bool(name) + [(line, SMALL, False) for line in details]
        first = y + height / 2 - LINE * (len(lines) - 1) / 2 + 4.5
        for i, (text, size, bold) in enumerate(lines):
            if text_width(text, size * (BOLD if bold else 1)) > width - 10:
                raise ValueError(f"{text!r} is wider than its box of {width}")
            self.drawing.add(
                Text(x + 2 + width / 2, first + LINE * i, text, size, "ink" if bold else "muted", "middle", bold)
            )
        return Box(x, y, width, height)

    def arrow(self, points: Sequence[Point], *, dashed: bool = False, colour: str = "muted") -> None:
        """A line with corners that ends in a head."""
        (x1, y1), (x2, y2) = points[-2:]
        length = math.dist((x1, y1), (x2, y2)) or 1.0
        dx, dy = (x2 - x1) / length, (y2 - y1) / length
        base = (x2 - HEAD * dx, y2 - HEAD * dy)
        dash = (5.0, 4.0) if dashed else ()
        self.drawing.add(Curve([*points[:-1], base], stroke=colour, width=1.6, dash=dash))
        half = HEAD * 0.55
        corners = [(x2, y2), (base[0] - half * dy, base[1] + half * dx), (base[0] + half * dy, base[1] - half * dx)]
        self.drawing.add(Curve([*corners, corners[0]], fill=colour))

    def text(self, x: float, y: float, *lines: str, anchor: str = "middle", colour: str = "muted") -> None:
        """Lines of small text; y is the first one's baseline, a first line in ``**`` is bold."""
        for i, line in enumerate(lines):
            bold = line.startswith("**")
            words = line.strip("*")
            fill = "ink" if bold else colour
            self.drawing.add(Text(x, y + LINE * i, words, SMALL, fill, anchor, bold))

    def heading(self, x: float, y: float, text: str) -> None:
        """A bold line."""
        self.drawing.add(Text(x, y, text, SIZE + 1, bold=True))

    def strip(self, x: float, y: float, marks: Sequence[bool], *, cell: float = 12.0, colour: str = "event") -> None:
        """Segments as cells; those of an event are filled and higher."""
        for i, marked in enumerate(marks):
            if marked:
                self.drawing.add(Rectangle(x + i * cell, y - 3, cell - 2, 16, colour, 2))
            else:
                self.drawing.add(Rectangle(x + i * cell, y, cell - 2, 10, "grid", 2))

    def rule(self, x1: float, x2: float, y: float) -> None:
        """A horizontal line."""
        self.drawing.add(Line(x1, y, x2, y, "grid"))

    def svg(self) -> str:
        """The document."""
        return svg(self.drawing)
