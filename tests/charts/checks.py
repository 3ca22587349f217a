"""What holds for every drawing: well-formed, inside its frame, no text over another."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from avelzoo.charts.text import text_width

SVG = "{http://www.w3.org/2000/svg}"


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 - written by this project


def numbers(element):
    """Pairs of coordinates of an element, and its largest extent."""
    get = lambda *names: [float(element.get(name)) for name in names]  # noqa: E731
    match element.tag.removeprefix(SVG):
        case "line":
            x1, y1, x2, y2 = get("x1", "y1", "x2", "y2")
            return [(x1, y1), (x2, y2)]
        case "rect":
            x, y, width, height = get("x", "y", "width", "height")
            assert width >= 0 and height >= 0
            return [(x, y), (x + width, y + height)]
        case "circle":
            x, y, r = get("cx", "cy", "r")
            return [(x - r, y - r), (x + r, y + r)]
        case "text":
            return [tuple(get("x", "y"))]
        case "path":
            pairs = [pair.split() for pair in element.get("d")[1:].split("L")]
            return [(float(x), float(y)) for x, y in pairs]
    return []


def check(text):
    """Everything that holds for every chart; its root."""
    root = parsed(text)
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert not re.search(r'="[^"]*\b(nan|inf)\b[^"]*"', text)
    for element in root.iter():
        for x, y in numbers(element):
            assert -0.1 <= x <= width + 0.1 and -0.1 <= y <= height + 0.1, ET.tostring(element)
    return root


def extent(text):
    """Left, right, top and bottom of a horizontal text, by the widths the layout counts on."""
    size, x, y = float(text.get("font-size")), float(text.get("x")), float(text.get("y"))
    wide = text_width(text.text or "", size)
    left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
    return left, left + wide, y - size * 0.7, y + size * 0.1


def overlapping(root):
    """Pairs of horizontal texts that cover each other."""
    boxes = [(extent(t), t.text) for t in root.iter(SVG + "text") if t.get("transform") is None]
    return [
        (name, other)
        for i, (a, name) in enumerate(boxes)
        for b, other in boxes[i + 1 :]
        if min(a[1], b[1]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[2], b[2]) > 1
    ]
