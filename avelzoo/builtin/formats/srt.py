"""SubRip: events as subtitles of video players."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import clock, one_line
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization

LOOKALIKES = str.maketrans({"<": "\u2039", ">": "\u203a", "{": "(", "}": ")", "\\": "/"})
"""SubRip has no escapes: characters that begin markup of players become similar ones."""


@dataclass(frozen=True, kw_only=True)
class SrtConfig(FormatConfig):
    """SubRip subtitles: one per event; `<`, `>`, `{`, `}` and backslashes become similar characters.

    >>> SrtConfig().suffix
    '.srt'
    """

    suffix: ClassVar[str] = ".srt"

    def text(self, result: Localization) -> str:
        return "\n".join(
            f"{number}\n{clock(e.start, separator=',')} --> {clock(e.end, separator=',')}\n"
            f"{one_line(e.category).translate(LOOKALIKES)}\n"
            for number, e in enumerate(result.timeline, 1)
        )
