"""Options of the built-in audio extractors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo.config import Bounds, Help
from avelzoo.extractors import ExtractorConfig, FindWeights, Modality

if TYPE_CHECKING:
    from avelzoo.extractors import Extractor


@dataclass(frozen=True, kw_only=True)
class LogMelConfig(ExtractorConfig):
    """Log-mel statistics of each segment, without weights: mean and deviation over time of every band.

    The bands are those of VGGish: 16 kHz, 25 ms every 10 ms, HTK mel from 125 to 7500 Hz, ln(x + 0.01).

    >>> LogMelConfig(bands=40).build(lambda file: None).shape
    (80,)
    """

    modality: ClassVar[Modality] = "audio"

    bands: Annotated[int, Help("mel bands; the features have twice as many values"), Bounds(min=4, max=80)] = 64

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.log_mel import log_mel

        return log_mel(self.bands, device=device)
