"""A drawing as PNG, and small pictures as JPEG, by Pillow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, Any

from avelzoo.charts.drawing import Circle, Curve, Drawing, Line, Photo, Rectangle, Text
from avelzoo.charts.palette import COLOURS
from avelzoo.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Points = list[tuple[float, float]]
SCALE = 2
"""Pixels of the PNG for one of the drawing."""
FINER = 2
"""Lines are drawn this many times larger and then reduced, so that their edges are smooth."""
FONTS = {False: ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf"), True: ("DejaVuSans-Bold.ttf", "Arialbd.ttf")}


def jpeg(pixels: np.ndarray, quality: int = 80) -> bytes:
    """(h w 3) uint8 as a JPEG file.

    Raises:
        UsageError: Pillow is missing.
    """
    content = BytesIO()
    _pillow("Image").fromarray(pixels).save(content, "JPEG", quality=quality)
    return content.getvalue()


def png(drawing: Drawing) -> bytes:
    """The drawing as a PNG file in light colours.

    Raises:
        UsageError: Pillow is missing.
    """
    module = _pillow("Image")
    k = SCALE * FINER
    size = (round(drawing.width * k), round(drawing.height * k))
    image = module.new("RGB", size, COLOURS["paper"][0])
    for shape in drawing.shapes:
        match shape:
            case Curve():
                image = _curve(image, shape, k)
            case Photo():
                box = _box(shape, k)
                small = module.fromarray(shape.pixels)
                fitted = _pillow("ImageOps").fit(small, (box[2] - box[0], box[3] - box[1]))
                image.paste(fitted, box[:2])
            case Rectangle():
                pen = _pillow("ImageDraw").Draw(image)
                pen.rounded_rectangle(_box(shape, k), shape.radius * k, **_paint(shape.fill, shape.stroke, k))
            case Circle():
                x, y, r = shape.x * k, shape.y * k, shape.radius * k
                pen = _pillow("ImageDraw").Draw(image)
                pen.ellipse((x - r, y - r, x + r, y + r), **_paint(shape.fill, shape.stroke, k))
            case Line():
                _line(_pillow("ImageDraw").Draw(image), shape, k)
            case Text():
                image = _text(image, shape, k)
    content = BytesIO()
    image.reduce(FINER).save(content, "PNG", optimize=True)
    return content.getvalue()


def _paint(fill: str, stroke: str, k: int) -> dict[str, Any]:
    return {
        "fill": COLOURS[fill][0] if fill else None,
        "outline": COLOURS[stroke][0] if stroke else None,
        "width": round(1.6 * k) if stroke else 0,
    }


def _text(image: Any, shape: Text, k: int) -> Any:
    font = _font(round(shape.size * k), bold=shape.bold)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
    place, colour = (shape.x * k, shape.y * k), COLOURS[shape.fill][0]
    if not shape.angle:
        _pillow("ImageDraw").Draw(image).text(place, shape.text, colour, font=font, anchor=anchor)
        return image
    mask = _pillow("Image").new("L", image.size, 0)
    _pillow("ImageDraw").Draw(mask).text(place, shape.text, 255, font=font, anchor=anchor)
    image.paste(colour, mask=mask.rotate(-shape.angle, center=place))
    return image


def _curve(image: Any, shape: Curve, k: int) -> Any:
    points = [(x * k, y * k) for x, y in shape.points]
    if shape.fill and len(points) > 2:
        mask = _pillow("Image").new("L", image.size, 0)
        _pillow("ImageDraw").Draw(mask).polygon(points, fill=round(255 * shape.opacity))
        image.paste(COLOURS[shape.fill][0], mask=mask)
    if shape.stroke:
        pen = _pillow("ImageDraw").Draw(image)
        colour, width = COLOURS[shape.stroke][0], round(shape.width * k)
        for part in _dashes(points, [length * k for length in shape.dash]):
            pen.line(part, fill=colour, width=width, joint="curve")
    return image


def _line(pen: Any, shape: Line, k: int) -> None:
    points = [(shape.x1 * k, shape.y1 * k), (shape.x2 * k, shape.y2 * k)]
    for part in _dashes(points, (5 * k, 4 * k) if shape.dashed else ()):
        pen.line(part, fill=COLOURS[shape.stroke][0], width=round(shape.width * k))


def _dashes(points: Points, pattern: Sequence[float]) -> Iterator[Points]:
    """The polyline in pieces: on and off by turns, as long as the pattern says."""
    if not pattern:
        yield points
        return
    drawn, left, i = True, pattern[0], 0
    piece = [points[0]]
    for start, end in pairwise(points):
        length, done = math.dist(start, end), 0.0
        while length - done > left:
            done += left
            corner = (
                start[0] + (end[0] - start[0]) * done / length,
                start[1] + (end[1] - start[1]) * done / length,
            )
            if drawn:
                yield [*piece, corner]
            piece, drawn, i = [corner], not drawn, i + 1
            left = pattern[i % len(pattern)]
        left -= length - done
        piece.append(end)
    if drawn and len(piece) > 1:
        yield piece


def _box(shape: Rectangle | Photo, k: int) -> tuple[int, int, int, int]:
    left, top = round(shape.x * k), round(shape.y * k)
    return left, top, max(left + round(shape.width * k), left + 1), max(top + round(shape.height * k), top + 1)


@lru_cache(maxsize=32)
def _font(size: int, *, bold: bool) -> Any:
    fonts = _pillow("ImageFont")
    for name in FONTS[bold]:
        try:
            return fonts.truetype(name, size)
        except OSError:
            continue
    return fonts.load_default(size)


def _pillow(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(f"PIL.{name}")
    except ImportError as error:
        raise UsageError("pictures need the library Pillow", found=str(error), fix="pip install pillow") from error
