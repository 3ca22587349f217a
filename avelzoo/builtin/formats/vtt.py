"""WebVTT: events as cues of a web page's video element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import clock, one_line
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization


@dataclass(frozen=True, kw_only=True)
class VttConfig(FormatConfig):
    """WebVTT: a cue per event; status, reason and decision as notes.

    >>> VttConfig().suffix
    '.vtt'
    """

    suffix: ClassVar[str] = ".vtt"

    def text(self, result: Localization) -> str:
        said = [f"status: {result.status}", f"reason: {result.reason}", f"decision: {result.decision}"]
        notes = [f"NOTE {_note(line)}" for line in said if not line.endswith(": ")]
        cues = [f"{clock(e.start)} --> {clock(e.end)}\n{_escaped(e.category)}" for e in result.timeline]
        return "\n\n".join(["WEBVTT", *notes, *cues]) + "\n"


def _escaped(text: str) -> str:
    """The text of a cue, in which `&`, `<` and `>` begin markup."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _note(text: str) -> str:
    """A comment, which must not contain the arrow of a cue."""
    return one_line(text).replace("-->", "->")
