"""A drawing as SVG: one file, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

from avelzoo.timeline.drawing import COLOURS, Curve, Drawing, Line, Photo, Rectangle, Shape, Text
from avelzoo.timeline.raster import jpeg

FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG document with a role, a title and a description; colours follow the reader's scheme."""
    body = "\n".join(_shape(shape) for shape in drawing.shapes)
    name = "avz" + hashlib.sha256(body.encode()).hexdigest()[:8]
    width, height = _number(drawing.width), _number(drawing.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="avz" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="{name}t {name}d" font-family="{FONT}">\n'
        f'<title id="{name}t">{_text(drawing.title)}</title>\n<desc id="{name}d">{_text(drawing.description)}</desc>\n'
        f"<style>{_rules(0)}@media (prefers-color-scheme:dark){{{_rules(1)}}}</style>\n{body}\n</svg>\n"
    )


def _rules(scheme: int) -> str:
    return "".join(
        f".avz .f-{name}{{fill:{colours[scheme]}}}.avz .s-{name}{{stroke:{colours[scheme]}}}"
        for name, colours in COLOURS.items()
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Rectangle():
            inner = f"<title>{_text(shape.title)}</title>" if shape.title else ""
            radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            return f'<rect class="f-{shape.fill}" {_box(shape)}{radius}>{inner}</rect>'
        case Line():
            ends = (
                f'x1="{_number(shape.x1)}" y1="{_number(shape.y1)}" x2="{_number(shape.x2)}" y2="{_number(shape.y2)}"'
            )
            return f'<line class="s-{shape.stroke}" {ends}' + (' stroke-dasharray="5 4"/>' if shape.dashed else "/>")
        case Curve():
            fill = f"f-{shape.fill}" if shape.fill else ""
            stroke = f"s-{shape.stroke}" if shape.stroke else ""
            plain = "" if shape.fill else ' fill="none"'
            opacity = "" if shape.opacity == 1 else f' fill-opacity="{shape.opacity:g}"'
            width = ' stroke-width="1.6"' if shape.stroke else ""
            return f'<path class="{f"{fill} {stroke}".strip()}" d="{_path(shape.points)}"{plain}{opacity}{width}/>'
        case Text():
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            bold = ' font-weight="600"' if shape.bold else ""
            place = f'x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{shape.size:g}"'
            return f'<text class="f-{shape.fill}" {place}{anchor}{bold}>{_text(shape.text)}</text>'
        case Photo():
            data = base64.b64encode(jpeg(shape.pixels)).decode()
            return f'<image {_box(shape)} preserveAspectRatio="xMidYMid slice" href="data:image/jpeg;base64,{data}"/>'


def _box(shape: Rectangle | Photo) -> str:
    x, y, width, height = map(_number, (shape.x, shape.y, shape.width, shape.height))
    return f'x="{x}" y="{y}" width="{width}" height="{height}"'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    """Escaped, without the control characters that XML forbids."""
    return escape("".join(character if character.isprintable() else " " for character in text))
