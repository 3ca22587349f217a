"""Made-up features of AVE's sizes and number, on the device already: training on them takes as long as on AVE's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from avelzoo import Registrar, hookimpl
from avelzoo.components import DatasetConfig, Supervision
from avelzoo.config import Bounds, Help
from avelzoo.contracts import Dataset, Split
from avelzoo.records import Batch, FeatureSpec, Targets

NAME = "gpu-check"
DIFFERENT = 64
"""Videos with features of their own; the others repeat them."""


@dataclass(frozen=True, kw_only=True)
class FeaturesConfig(DatasetConfig):
    """Random features with AVE's sizes; scores on them say nothing."""

    train_videos: Annotated[int, Help("videos in the training split"), Bounds(min=1)] = 3339
    val_videos: Annotated[int, Help("videos in the validation split"), Bounds(min=1)] = 402
    test_videos: Annotated[int, Help("videos in the test split"), Bounds(min=1)] = 402
    grid: Annotated[int, Help("rows and columns of the visual grid"), Bounds(min=1)] = 7
    audio_channels: Annotated[int, Help("audio channels a"), Bounds(min=1)] = 128
    visual_channels: Annotated[int, Help("visual channels v"), Bounds(min=1)] = 512
    device: Annotated[str, Help("where the features are made")] = "cpu"

    def open(self, supervision: Supervision) -> Dataset:
        """The data set."""
        return FeaturesDataset(self, supervision)


class FeaturesDataset(Dataset):
    """See `FeaturesConfig`."""

    def __init__(self, config: FeaturesConfig, supervision: Supervision) -> None:
        self.spec = FeatureSpec(
            segments=10,
            audio_dim=config.audio_channels,
            grid=(config.grid, config.grid),
            visual_dim=config.visual_channels,
            categories=tuple(f"category {number}" for number in range(28)),
        )
        sizes = {"train": config.train_videos, "val": config.val_videos, "test": config.test_videos}
        weak = supervision == "weak"
        first = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
        self._splits = {
            name: FeaturesSplit(name, first[name], size, self.spec, config.device, weak=weak and name == "train")
            for name, size in sizes.items()
        }

    def split(self, name: str) -> Split:
        """One of the three."""
        return self._splits[name]

    def references(self, name: str) -> Mapping[str, np.ndarray]:
        """None."""
        return {}

    def fingerprint(self) -> Mapping[str, str]:
        """Nothing is read."""
        return {NAME: "random numbers"}


class FeaturesSplit(Split):
    """Some videos; every category has as many, and every event has a first and a last second."""

    def __init__(self, name: str, first: int, size: int, spec: FeatureSpec, device: str, *, weak: bool) -> None:
        self.name = name
        self._first = first
        self.video_ids: Sequence[str] = [f"{name}-{number}" for number in range(size)]
        self._weak = weak
        self._background = spec.background
        generator = torch.Generator(device).manual_seed(len(name))

        def made(*shape: int) -> torch.Tensor:
            return torch.randn(DIFFERENT, spec.segments, *shape, generator=generator, device=device).relu_()

        self._audio, self._visual = made(spec.audio_dim), made(*spec.grid, spec.visual_dim)
        self._events = np.arange(size) % spec.n
        rng = np.random.default_rng(size)
        begin, end = np.sort(rng.integers(0, spec.segments, size=(2, size)), axis=0)
        seconds = np.arange(spec.segments)
        inside = (seconds >= begin[:, None]) & (seconds <= end[:, None])
        self._segments = np.where(inside, self._events[:, None], self._background)

    def __len__(self) -> int:
        return len(self.video_ids)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        """Features on the device, targets on the CPU."""
        places = np.asarray(indices, dtype=np.int64)
        rows = torch.from_numpy(places + self._first)
        which = torch.from_numpy(places % DIFFERENT).to(self._audio.device)
        targets = Targets(
            event=torch.from_numpy(self._events[places]),
            presence=torch.ones(len(places)),
            segments=None if self._weak else torch.from_numpy(self._segments[places]),
            background=self._background,
        )
        return Batch(audio=self._audio[which], visual=self._visual[which], rows=rows), targets

    def labels(self) -> np.ndarray:
        """(videos t) categories."""
        return self._segments.copy()

    def events(self) -> np.ndarray:
        """(videos) categories."""
        return self._events.copy()


class FeaturesPlugin:
    """Registers the data set."""

    @hookimpl
    def avelzoo_register(self, zoo: Registrar) -> None:
        """Offer it."""
        zoo.dataset(NAME, FeaturesConfig)
