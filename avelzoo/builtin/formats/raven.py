"""Selection table of the sound analysis program Raven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo.builtin.formats.writing import file_name, one_line, sheet
from avelzoo.config import Bounds, Help
from avelzoo.errors import OptionError
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization

COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Begin File",
    "Annotation",
    "Score",
)


@dataclass(frozen=True, kw_only=True)
class RavenConfig(FormatConfig):
    """Selection table of Raven: a row per event. Events have no frequencies; the table needs a band.

    >>> RavenConfig(high_hz=12000.0).high_hz
    12000.0
    """

    suffix: ClassVar[str] = ".selections.txt"

    low_hz: Annotated[float, Help("lower bound of each selection, in Hz"), Bounds(min=0)] = 0.0
    high_hz: Annotated[float, Help("upper bound of each selection, in Hz"), Bounds(above=0)] = 8000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low_hz >= self.high_hz:
            raise OptionError(
                "the lower bound of the band is not below the upper one",
                where="format.low_hz",
                found=f"{self.low_hz:g} Hz and {self.high_hz:g} Hz",
            )

    def text(self, result: Localization) -> str:
        name = file_name(result.path)
        band = (f"{self.low_hz:.1f}", f"{self.high_hz:.1f}")
        rows = (
            (
                i,
                "Spectrogram 1",
                1,
                f"{e.start:.6f}",
                f"{e.end:.6f}",
                *band,
                name,
                one_line(e.category),
                f"{e.score:.4f}",
            )
            for i, e in enumerate(result.timeline, 1)
        )
        return sheet((COLUMNS, *rows), delimiter="\t")
