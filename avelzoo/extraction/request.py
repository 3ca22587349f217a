"""The settings of an extraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import OptionError
from avelzoo.extraction.locking import Shard
from avelzoo.extraction.naming import AUDIO, VISUAL, extractor_config, require_modality
from avelzoo.extraction.splits import SHARES
from avelzoo.extractors import Extractor, ExtractorConfig, Modality
from avelzoo.plugin.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Features:
    """How features are extracted: everything that a job needs besides its videos.

    Attributes:
        visual: name of the visual extractor.
        audio: name of the audio extractor.
        visual_options: its options.
        audio_options: its options.
        seconds: length of a segment.
        segments: largest number of segments of a video; None for all.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``32``, ``bf16``, or ``auto`` for the faster one on the device.
        offline: never use the network.
    """

    visual: str = VISUAL
    audio: str = AUDIO
    visual_options: Mapping[str, Any] = field(default_factory=dict)
    audio_options: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 1.0
    segments: int | None = None
    device: str = "auto"
    precision: str = "32"
    offline: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.seconds < float("inf"):
            raise OptionError("a segment has no length", where="--seconds", found=f"{self.seconds:g}", expected="> 0")
        if self.segments is not None and self.segments < 1:
            raise OptionError("no segments", where="--segments", found=str(self.segments), expected=">= 1")
        if self.precision not in ("32", "bf16", "auto"):
            expected = "32, bf16 or auto"
            raise OptionError("unknown precision", where="--precision", found=self.precision, expected=expected)

    def configs(self, registry: Registry) -> tuple[ExtractorConfig, ExtractorConfig]:
        """Configs of the visual and the audio extractor.

        Raises:
            UsageError: a name or an option does not exist, or a value is invalid.
        """
        return (
            _config(registry, "visual", self.visual, self.visual_options),
            _config(registry, "audio", self.audio, self.audio_options),
        )

    def resolved(self) -> Features:
        """With the precision that ``auto`` means on this device.

        Raises:
            UsageError: the device does not exist.
        """
        if self.precision != "auto":
            return self
        import torch

        from avelzoo.composition.precision import resolve_precision

        precision, _ = resolve_precision(self.precision, torch.device(chosen_device(self.device)))
        return replace(self, precision=precision.removesuffix("-mixed"))

    def build(self, registry: Registry) -> tuple[Extractor, Extractor]:
        """The visual and the audio extractor.

        Raises:
            DataError: weights are missing or damaged.
            UsageError: the device does not exist.
        """
        from avelzoo.weights.store import WeightStore

        find = WeightStore(offline=self.offline)
        device = chosen_device(self.device)
        visual, audio = self.configs(registry)
        return (
            visual.build(find, device=device, precision=self.precision),
            audio.build(find, device=device, precision=self.precision),
        )


@dataclass(frozen=True, kw_only=True)
class ExtractionRequest:
    """The arguments of an extraction.

    Attributes:
        out: output folder.
        videos: files and folders.
        table: CSV with labels; None for features alone.
        features: how features are extracted.
        shares: shares of train, val and test, unless the table names splits.
        split_seed: seed of the splits.
        shard: share of the videos that this process extracts.
        retry_failed: extract videos again that failed earlier.
        by_content: recognise videos by their content instead of path, size and time of modification.
    """

    out: Path
    videos: tuple[Path, ...] = ()
    table: Path | None = None
    features: Features = field(default_factory=Features)
    shares: tuple[float, float, float] = SHARES
    split_seed: int = 0
    shard: Shard = field(default_factory=Shard)
    retry_failed: bool = False
    by_content: bool = False


def chosen_device(device: str) -> str:
    """The device that ``auto`` means here; any other device as it is.

    Raises:
        UsageError: the device does not exist on this machine.
    """
    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return device
    from avelzoo.engine.device import make_fabric

    return str(make_fabric(device, "32").device)


def _config(registry: Registry, modality: Modality, name: str, options: Mapping[str, Any]) -> ExtractorConfig:
    try:
        config = extractor_config(registry, name, options)
    except OptionError as error:
        error.where = error.where or f"--{modality} {name}"
        raise
    require_modality(config, modality, name)
    return config
