"""A drawing as PNG, and small pictures as JPEG, by Pillow."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np

from avelzoo.errors import UsageError
from avelzoo.timeline.drawing import COLOURS, Curve, Drawing, Line, Photo, Rectangle, Text

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
    _pillow("Image").fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(content, "JPEG", quality=quality)
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
                small = module.fromarray(np.ascontiguousarray(shape.pixels, dtype=np.uint8))
                fitted = _pillow("ImageOps").fit(small, (box[2] - box[0], box[3] - box[1]))
                image.paste(fitted, box[:2])
            case Rectangle():
                pen = _pillow("ImageDraw").Draw(image)
                pen.rounded_rectangle(_box(shape, k), shape.radius * k, fill=COLOURS[shape.fill][0])
            case Line():
                _line(_pillow("ImageDraw").Draw(image), shape, k)
            case Text():
                anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
                pen, font = _pillow("ImageDraw").Draw(image), _font(round(shape.size * k), bold=shape.bold)
                pen.text((shape.x * k, shape.y * k), shape.text, COLOURS[shape.fill][0], font=font, anchor=anchor)
    content = BytesIO()
    image.reduce(FINER).save(content, "PNG", optimize=True)
    return content.getvalue()


def _curve(image: Any, shape: Curve, k: int) -> Any:
    points = [(x * k, y * k) for x, y in shape.points]
    if shape.fill and len(points) > 2:
        mask = _pillow("Image").new("L", image.size, 0)
        _pillow("ImageDraw").Draw(mask).polygon(points, fill=round(255 * shape.opacity))
        image.paste(COLOURS[shape.fill][0], mask=mask)
    if shape.stroke:
        pen = _pillow("ImageDraw").Draw(image)
        pen.line(points, fill=COLOURS[shape.stroke][0], width=round(1.6 * k), joint="curve")
    return image


def _line(pen: Any, shape: Line, k: int) -> None:
    """A line; dashed ones are horizontal."""
    x1, y1, x2, y2 = (value * k for value in (shape.x1, shape.y1, shape.x2, shape.y2))
    colour = COLOURS[shape.stroke][0]
    if not shape.dashed:
        pen.line([(x1, y1), (x2, y2)], fill=colour, width=k)
        return
    for left in np.arange(x1, x2, 9 * k):
        pen.line([(left, y1), (min(left + 5 * k, x2), y1)], fill=colour, width=k)


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
