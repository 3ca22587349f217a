"""Labels of the audio editor Audacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import one_line
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization


@dataclass(frozen=True, kw_only=True)
class AudacityConfig(FormatConfig):
    """Label track of Audacity: start, end and category of each event, separated by tabs, without a header.

    >>> AudacityConfig().suffix
    '.audacity.txt'
    """

    suffix: ClassVar[str] = ".audacity.txt"

    def text(self, result: Localization) -> str:
        return "".join(f"{e.start:.6f}\t{e.end:.6f}\t{one_line(e.category)}\n" for e in result.timeline)
