"""Rich Transcription Time Marked, the format of diarization tools."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import one_line
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization


@dataclass(frozen=True, kw_only=True)
class RttmConfig(FormatConfig):
    """RTTM of NIST: a SPEAKER line per event, the category as speaker name; white space becomes an underscore.

    >>> RttmConfig().suffix
    '.rttm'
    """

    suffix: ClassVar[str] = ".rttm"

    def text(self, result: Localization) -> str:
        name = _word(PurePath(result.path).stem)
        return "".join(
            f"SPEAKER {name} 1 {e.start:.3f} {e.duration:.3f} <NA> <NA> {_word(e.category)} {e.score:.4f} <NA>\n"
            for e in result.timeline
        )


def _word(text: str) -> str:
    """The text as one field; fields are separated by white space."""
    return re.sub(r"\s+", "_", one_line(text)) or "<NA>"
