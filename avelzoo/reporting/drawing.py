"""Charts in two widths, without the style sheets that the page has once."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from avelzoo.charts.palette import COLOURS
from avelzoo.reporting.blocks import Picture

WIDE, NARROW = 760.0, 340.0
"""Widths of charts, in pixels: for wide screens and paper, and for telephones."""

_STYLE = re.compile(r"<style>.*?</style>\s*", re.DOTALL)
_NAME = re.compile(r"\bavz[0-9a-f]{8}(?=[td]\b)")


def picture(draw: Callable[[float], str], *, narrow: bool = True, wide: float = WIDE) -> Picture:
    """A chart in both widths.

    Args:
        draw: returns the SVG document of a width.
        narrow: also draw it for narrow screens; otherwise these scroll.
        wide: width on wide screens.
    """
    return Picture(wide=draw(wide), narrow=draw(NARROW) if narrow else "")


class Inline:
    """Makes SVG documents fit into one page: no style sheets of their own, and ids that occur once."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, svg: str) -> str:
        """The document as part of a page."""
        name = f"chart{next(self._numbers)}"
        return _NAME.sub(name, _STYLE.sub("", svg))


def colour_rules() -> str:
    """Style sheet of the charts' colours: light, dark by preference, and as ``data-theme`` of the page says."""
    light, dark = ("".join(f"--avz-{name}:{pair[i]};" for name, pair in COLOURS.items()) for i in (0, 1))
    painted = "".join(
        f".avz .f-{name}{{fill:var(--avz-{name})}}.avz .s-{name}{{stroke:var(--avz-{name})}}" for name in COLOURS
    )
    return (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f":root[data-theme=light]{{{light}}}:root[data-theme=dark]{{{dark}}}"
        f"@media print{{:root,:root[data-theme]{{{light}}}}}{painted}"
    )
