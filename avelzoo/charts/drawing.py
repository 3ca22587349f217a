"""Shapes of a picture, independent of the file format; colours are names of the palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle; ``title`` is shown by browsers under the pointer, of other shapes too."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0.0
    title: str = ""
    stroke: str = ""


@dataclass(frozen=True)
class Circle:
    """A circle, filled if ``fill`` is named, with an outline if ``stroke`` is."""

    x: float
    y: float
    radius: float
    fill: str = ""
    stroke: str = ""
    title: str = ""


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    dashed: bool = False
    width: float = 1.0


@dataclass(frozen=True)
class Curve:
    """A polyline, or a filled area if ``fill`` is named; both are drawn if both are named."""

    points: Sequence[tuple[float, float]]
    stroke: str = ""
    fill: str = ""
    opacity: float = 1.0
    width: float = 1.6
    dash: tuple[float, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Text:
    """One line of text; y is its baseline. ``angle`` turns it around (x, y), clockwise in degrees."""

    x: float
    y: float
    text: str
    size: float = 12.0
    fill: str = "ink"
    anchor: str = "start"
    bold: bool = False
    angle: float = 0.0
    title: str = ""


@dataclass(frozen=True)
class Photo:
    """A picture (h w 3) uint8 that fills a rectangle."""

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray


Shape = Rectangle | Circle | Line | Curve | Text | Photo


@dataclass
class Drawing:
    """Shapes in the order of painting.

    Attributes:
        width: width in pixels.
        height: height in pixels.
        title: what the picture shows, in a few words.
        description: its content in sentences, for readers who do not see it.
        shapes: the shapes.
    """

    width: float
    height: float = 0.0
    title: str = ""
    description: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Paint shapes over the others."""
        self.shapes.extend(shapes)
