"""Shapes of a picture and their colours in light and dark, independent of the file format."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#16191d"),
    "band": ("#f3f4f6", "#20252b"),
    "grid": ("#d8dce1", "#363d46"),
    "muted": ("#5b6470", "#a4adb8"),
    "ink": ("#16191d", "#f0f2f4"),
    "wave": ("#7d8794", "#8f99a6"),
    "relevance": ("#6a4fb3", "#b39df2"),
    "threshold": ("#b3261e", "#ff8a80"),
    "audio": ("#c2570c", "#f5a15c"),
    "visual": ("#0b6fb8", "#6db8f2"),
    "event": ("#0a7a5a", "#35b58d"),
    "on-event": ("#ffffff", "#0a1a14"),
}
"""Name of a colour -> in light, in dark. Sound and sight differ for colour-blind readers; contrast of text: 4.5."""


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle; ``title`` is shown by browsers under the pointer."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0.0
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


@dataclass(frozen=True)
class Curve:
    """A polyline, or a filled area if ``fill`` is named; both are drawn if both are named."""

    points: Sequence[tuple[float, float]]
    stroke: str = ""
    fill: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line of text; y is its baseline."""

    x: float
    y: float
    text: str
    size: float = 12.0
    fill: str = "ink"
    anchor: str = "start"
    bold: bool = False


@dataclass(frozen=True)
class Photo:
    """A picture (h w 3) uint8 that fills a rectangle."""

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray


Shape = Rectangle | Line | Curve | Text | Photo


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


def text_width(text: str, size: float) -> float:
    """Approximate width of a line in a sans-serif font.

    >>> text_width("bark", 10) < text_width("BARK", 10)
    True
    """
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in "iljtfr.,:;'|!() ":
        return 0.37
    return 0.76 if character.isupper() or character in "mwMW@%" else 0.62


def shortened(text: str, size: float, width: float) -> str:
    """The text, or its beginning and an ellipsis where it is wider than ``width``."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip(" ,;-") + "…"


def wrapped(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text in at most ``lines`` lines of ``width``, broken at spaces; the last one is shortened."""
    words, found = text.split(), [""]
    for i, word in enumerate(words):
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and text_width(longer, size) > width:
            if len(found) == lines:
                found[-1] = shortened(" ".join([found[-1], *words[i:]]), size, width)
                return found
            found.append(word)
        else:
            found[-1] = longer
    return [shortened(line, size, width) for line in found]
