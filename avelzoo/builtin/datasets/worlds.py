"""Synthetic audio-visual event worlds, generated in memory from a seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from avelzoo.builtin.datasets.worlds_generator import Scene, World
from avelzoo.builtin.datasets.worlds_reference import Reference
from avelzoo.components import Supervision
from avelzoo.contracts import Dataset, Split
from avelzoo.errors import OptionError, UsageError
from avelzoo.records import Batch, FeatureSpec, Targets

if TYPE_CHECKING:
    from avelzoo.builtin.datasets.configs import WorldsConfig

GENERATOR = "1"
"""Version of the generator; changes whenever equal options give different features."""
NEUTRAL = {"rest": 1.0, "cue": 1.0, "spread": 0, "eventless": 0.0, "repeated": 0.0}
"""Options added later, with the value that keeps the features unchanged: older runs keep their fingerprint."""
REFERENCE_VIDEOS = 256


class WorldsSplit(Split):
    """One split of a world; a video's features are generated at its first fetch and kept.

    Args:
        name: name of the split.
        world: the world.
        videos: random stream and number of every video.
        first_rows: row number of each stream's first video.
        protocol: the weak protocol; None for full labels.
    """

    def __init__(
        self,
        name: str,
        world: World,
        videos: Sequence[tuple[str, int]],
        first_rows: Mapping[str, int],
        protocol: str | None,
    ) -> None:
        self.name = name
        self._world = world
        self._videos = list(videos)
        self._protocol = protocol
        self._background = len(world.names)
        self._scenes = [world.scene(stream, number) for stream, number in self._videos]
        self._rows = np.array([first_rows[stream] + number for stream, number in self._videos], dtype=np.int64)
        self._lengths = np.array([len(scene.event) for scene in self._scenes], dtype=np.int64)
        t = int(self._lengths.max())
        self._mask = np.arange(t) < self._lengths[:, None]
        holds = np.array([scene.has_event for scene in self._scenes])
        categories = np.array([scene.category for scene in self._scenes], dtype=np.int64)
        active = np.stack([np.pad(scene.event, (0, t - len(scene.event))) for scene in self._scenes])
        self._events = np.where(holds, categories, self._background)
        self._segments = np.where(active, self._events[:, None], self._background)
        presence = active.sum(axis=1) / self._lengths if protocol == "soft-duration" else holds
        self._presence = presence.astype(np.float32)
        self._made = np.zeros(len(self._videos), dtype=bool)
        config, size = world.config, (len(self._videos), t)
        try:
            self._audio = np.zeros((*size, config.audio_channels), dtype=np.float32)
            self._visual = np.zeros(
                (*size, config.grid_height, config.grid_width, config.visual_channels), dtype=np.float32
            )
        except (MemoryError, ValueError) as error:
            raise OptionError(
                f"the split '{name}' of this world does not fit in memory",
                where="dataset",
                found=str(error),
                fix="choose fewer videos, segments, cells or channels",
            ) from error
        self.video_ids: Sequence[str] = [f"{stream}-{number:05d}" for stream, number in self._videos]

    def __len__(self) -> int:
        return len(self._videos)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        places = np.asarray(indices, dtype=np.int64)
        audio, visual = self.features(places)
        batch = Batch(
            audio=torch.from_numpy(audio),
            visual=torch.from_numpy(visual),
            rows=torch.from_numpy(self._rows[places]),
            mask=torch.from_numpy(self._mask[places]) if self._world.config.spread else None,
        )
        targets = Targets(
            event=torch.from_numpy(self._events[places]),
            presence=torch.from_numpy(self._presence[places]),
            segments=None if self._protocol else torch.from_numpy(self._segments[places]),
            background=self._background,
        )
        return batch, targets

    def features(self, places: np.ndarray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Copies of the videos' audio (b t a) and visual (b t h w v) features, padding zero."""
        for i in np.unique(places):
            if not self._made[i]:
                t = self._lengths[i]
                self._audio[i, :t], self._visual[i, :t] = self._world.features(self._scenes[i], *self._videos[i])
                self._made[i] = True
        return self._audio[places], self._visual[places]

    def labels(self) -> np.ndarray:
        return self._segments.copy()

    def lengths(self) -> np.ndarray:
        return self._lengths.copy()

    def events(self) -> np.ndarray:
        return self._events.copy()

    def rows(self) -> np.ndarray:
        return self._rows.copy()

    def scenes(self) -> Sequence[Scene]:
        """True scene of every video, including cues and silent objects."""
        return tuple(self._scenes)


class WorldsDataset(Dataset):
    """A world and its three splits (see docs/worlds.md for the generator).

    Rows number the training videos first, then validation, test and negatives.

    Args:
        config: options.
        supervision: full, or weak for a training split without segment labels and, depending on the protocol, with
            negatives.
    """

    def __init__(self, config: WorldsConfig, supervision: Supervision) -> None:
        self._config = config
        self._world = World(config)
        self.spec = FeatureSpec(
            segments=config.segments,
            audio_dim=config.audio_channels,
            grid=(config.grid_height, config.grid_width),
            visual_dim=config.visual_channels,
            categories=self._world.names,
        )
        self._weak = supervision == "weak"
        self._splits: dict[str, WorldsSplit] = {}

    def split(self, name: str) -> WorldsSplit:
        config = self._config
        sizes = {"train": config.train_videos, "val": config.val_videos, "test": config.test_videos}
        if name not in sizes:
            raise UsageError(f"there is no split '{name}'", expected=", ".join(sizes))
        if name not in self._splits:
            weak = self._weak and name == "train"
            videos = [(name, number) for number in range(sizes[name])]
            if weak and config.weak_protocol != "onehot":
                videos += [("negative", number) for number in range(config.negatives)]
            streams = [*sizes, "negative"]
            first = dict(zip(streams, np.cumsum([0, *sizes.values()]).tolist(), strict=True))
            self._splits[name] = WorldsSplit(name, self._world, videos, first, config.weak_protocol if weak else None)
        return self._splits[name]

    def references(self, name: str) -> Mapping[str, np.ndarray]:
        """Reference predictors: ``bias_aware`` knows the modality that leads each category, ``category_blind`` not."""
        split = self.split(name)
        lengths = split.lengths()
        found: dict[str, np.ndarray] = {}
        for t in np.unique(lengths).tolist():
            reference, places = Reference(self._world, t), np.flatnonzero(lengths == t)
            for first in range(0, len(places), REFERENCE_VIDEOS):
                some = places[first : first + REFERENCE_VIDEOS]
                audio, visual = split.features(some)
                for key, answer in reference.predict(audio[:, :t], visual[:, :t]).items():
                    whole = found.setdefault(key, np.full((len(split), lengths.max()), self.spec.background))
                    whole[some, :t] = answer
        return found

    def fingerprint(self) -> Mapping[str, str]:
        """Hash of the generator's version and all options, except newer options at their neutral values."""
        values = {name: value for name, value in self._config.to_dict().items() if value != NEUTRAL.get(name)}
        options = json.dumps(values | {"generator": GENERATOR}, sort_keys=True)
        return {"worlds": "sha256:" + hashlib.sha256(options.encode()).hexdigest()}
