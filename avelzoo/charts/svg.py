"""A drawing as SVG: one file, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from avelzoo.charts.drawing import Circle, Curve, Drawing, Line, Photo, Rectangle, Shape, Text
from avelzoo.charts.palette import COLOURS
from avelzoo.charts.raster import jpeg

FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
USED = re.compile(r"\b([fs])-([a-z][a-z0-9-]*)")


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG document with a role, a title and a description.

    Colours are custom properties. They follow the reader's scheme; in a page that holds the document itself, an
    ancestor with ``data-theme="light"`` or ``data-theme="dark"`` decides. Ids depend on the content, so several
    documents can be in one page.
    """
    body = "\n".join(_shape(shape) for shape in drawing.shapes)
    title, description = _text(drawing.title), _text(drawing.description)
    name = "avz" + hashlib.sha256("\n".join((title, description, body)).encode()).hexdigest()[:8]
    width, height = _number(drawing.width), _number(drawing.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="avz" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="{name}t {name}d" font-family="{FONT}">\n'
        f'<title id="{name}t">{title}</title>\n<desc id="{name}d">{description}</desc>\n'
        f"<style>{_style(body)}</style>\n{body}\n</svg>\n"
    )


def _style(body: str) -> str:
    """Rules for the colours of the body; programs without custom properties see the light ones."""
    found = {match for group in re.findall(r'class="([^"]*)"', body) for match in USED.findall(group)}
    light, dark = ("".join(f"--avz-{name}:{COLOURS[name][i]};" for name in _names(found)) for i in (0, 1))
    painted = "".join(
        f".avz .{kind}-{name}{{{prop}:{COLOURS[name][0]};{prop}:var(--avz-{name})}}"
        for kind, name in sorted(found)
        for prop in ("fill" if kind == "f" else "stroke",)
    )
    return (
        f".avz{{{light}}}@media (prefers-color-scheme:dark){{.avz{{{dark}}}}}"
        f"[data-theme=light] .avz{{{light}}}[data-theme=dark] .avz{{{dark}}}{painted}"
    )


def _names(found: set[tuple[str, str]]) -> list[str]:
    return sorted({name for _, name in found})


def _shape(shape: Shape) -> str:
    match shape:
        case Rectangle():
            radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            return f"<rect{_classes(shape.fill, shape.stroke)} {_box(shape)}{radius}{_close('rect', shape.title)}"
        case Circle():
            place = f'cx="{_number(shape.x)}" cy="{_number(shape.y)}" r="{_number(shape.radius)}"'
            outline = ' stroke-width="1.6"' if shape.stroke else ""
            return f"<circle{_classes(shape.fill, shape.stroke)} {place}{outline}{_close('circle', shape.title)}"
        case Line():
            x1, y1, x2, y2 = map(_number, (shape.x1, shape.y1, shape.x2, shape.y2))
            width = "" if shape.width == 1 else f' stroke-width="{shape.width:g}"'
            dash = ' stroke-dasharray="5 4"' if shape.dashed else ""
            return f'<line class="s-{shape.stroke}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{width}{dash}/>'
        case Curve():
            opacity = "" if shape.opacity == 1 else f' fill-opacity="{shape.opacity:g}"'
            width = f' stroke-width="{shape.width:g}"' if shape.stroke else ""
            dash = f' stroke-dasharray="{" ".join(f"{part:g}" for part in shape.dash)}"' if shape.dash else ""
            look = f"{_classes(shape.fill, shape.stroke)}{opacity}{width}{dash}"
            return f'<path{look} d="{_path(shape.points)}"{_close("path", shape.title)}'
        case Text():
            x, y = _number(shape.x), _number(shape.y)
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            bold = ' font-weight="600"' if shape.bold else ""
            turn = f' transform="rotate({shape.angle:g} {x} {y})"' if shape.angle else ""
            inner = _text(shape.text) + (f"<title>{_text(shape.title)}</title>" if shape.title else "")
            look = f'font-size="{shape.size:g}"{anchor}{bold}{turn}'
            return f'<text class="f-{shape.fill}" x="{x}" y="{y}" {look}>{inner}</text>'
        case Photo():
            data = base64.b64encode(jpeg(shape.pixels)).decode()
            return f'<image {_box(shape)} preserveAspectRatio="xMidYMid slice" href="data:image/jpeg;base64,{data}"/>'


def _classes(fill: str, stroke: str) -> str:
    names = " ".join(f"{kind}-{name}" for kind, name in (("f", fill), ("s", stroke)) if name)
    return f' class="{names}"' + ("" if fill else ' fill="none"')


def _close(tag: str, title: str) -> str:
    return f"><title>{_text(title)}</title></{tag}>" if title else "/>"


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
