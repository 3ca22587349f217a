"""TextGrid of the phonetics program Praat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import length, one_line, tiers
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization
    from avelzoo.timeline.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class TextGridConfig(FormatConfig):
    """TextGrid of Praat in the long text form: a tier of intervals per category.

    >>> TextGridConfig().suffix
    '.TextGrid'
    """

    suffix: ClassVar[str] = ".TextGrid"

    def text(self, result: Localization) -> str:
        end = length(result)
        found = {category: _intervals(line, end) for category, line in tiers(result).items()}
        lines = [
            'File type = "ooTextFile"',
            'Object class = "TextGrid"',
            "",
            "xmin = 0",
            f"xmax = {end:.6f}",
            "tiers? <exists>",
            f"size = {len(found)}",
            "item []:",
        ]
        for number, (category, intervals) in enumerate(found.items(), 1):
            lines += [
                f"    item [{number}]:",
                '        class = "IntervalTier"',
                f"        name = {_quoted(category)}",
                "        xmin = 0",
                f"        xmax = {end:.6f}",
                f"        intervals: size = {len(intervals)}",
            ]
            for i, (start, stop, text) in enumerate(intervals, 1):
                lines += [
                    f"        intervals [{i}]:",
                    f"            xmin = {start:.6f}",
                    f"            xmax = {stop:.6f}",
                    f"            text = {_quoted(text)}",
                ]
        return "\n".join(lines) + "\n"


def _intervals(line: Timeline, end: float) -> list[tuple[float, float, str]]:
    """Intervals that cover the whole axis: events, and empty ones between them."""
    parts = [(event.start, event.end, event.category) for event in line]
    parts += [(gap.start, gap.end, "") for gap in line.gaps()]
    return [(start, min(stop, end), text) for start, stop, text in sorted(parts)] or [(0.0, end, "")]


def _quoted(text: str) -> str:
    """Praat's string: quotes are doubled."""
    return '"' + one_line(text).replace('"', '""') + '"'
