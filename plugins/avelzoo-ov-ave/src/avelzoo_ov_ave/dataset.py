"""Clips with features, for training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from avelzoo import Batch, Dataset, FeatureSpec, Split, Targets, UsageError
from avelzoo_ov_ave.features import Features, open_features
from avelzoo_ov_ave.files import SPLITS
from avelzoo_ov_ave.labels import Clips, read_clips

if TYPE_CHECKING:
    from avelzoo import Supervision
    from avelzoo.metrics import Truth
    from avelzoo_ov_ave.configs import OvAveConfig


class OvAveDataset(Dataset):
    """Labels of a folder and the features beside them.

    Args:
        config: options.
        supervision: full, or weak for a training split without segment labels.

    Raises:
        DataError: a file is missing, damaged or does not match the others.
    """

    def __init__(self, config: OvAveConfig, supervision: Supervision) -> None:
        self._clips: Clips = read_clips(config)
        assert config.root is not None  # read_clips has found its files
        self._features = open_features(config.root.expanduser())
        self._t, self._weak = config.segments, supervision == "weak"
        (_, _, a), (_, _, h, w, v) = self._features.shapes
        self.extraction = self._features.record
        self.spec = FeatureSpec(
            segments=config.segments, audio_dim=a, grid=(h, w), visual_dim=v, categories=self._clips.categories
        )

    def split(self, name: str) -> Split:
        """A split.

        Raises:
            UsageError: there is no such split.
            DataError: a clip has no features.
        """
        if name not in SPLITS:
            raise UsageError(f"there is no split '{name}'", expected=", ".join(SPLITS))
        rows = self._clips.rows(name)
        names = [self._clips.clips[row].name for row in rows]
        return OvAveSplit(name, names, self._clips.truth(rows), self._features, weak=self._weak and name == "train")

    def fingerprint(self) -> Mapping[str, str]:
        """SHA-256 of the two files of labels, size of the feature files."""
        labels = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self._clips.paths}
        arrays = (self._features.audio, self._features.visual)
        return labels | {path.name: f"{path.stat().st_size} bytes" for path in arrays}


class OvAveSplit(Split):
    """One split.

    Args:
        name: name of the split.
        names: names of the clips.
        truth: their labels.
        features: features of all clips.
        weak: whether `fetch` hides segment labels.
    """

    def __init__(self, name: str, names: Sequence[str], truth: Truth, features: Features, *, weak: bool) -> None:
        self.name, self.video_ids = name, names
        self._truth, self._features, self._weak = truth, features, weak
        self._rows = np.array(features.need(names), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.video_ids)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        """Features and targets of the clips at these positions."""
        at = np.asarray(indices, dtype=np.int64)
        audio, visual = self._features.read(self._rows[at].tolist(), self._truth.segments.shape[1])
        segments = torch.from_numpy(self._truth.segments[at])
        presence = torch.ones(len(at)) if self._weak else (segments != self._truth.n).any(dim=1).float()
        batch = Batch(
            audio=torch.from_numpy(audio), visual=torch.from_numpy(visual), rows=torch.from_numpy(self._rows[at])
        )
        return batch, Targets(
            event=torch.from_numpy(self._truth.events[at]),
            presence=presence,
            segments=None if self._weak else segments,
            background=self._truth.n,
        )

    def labels(self) -> np.ndarray:
        """(clips t) ids."""
        return self._truth.segments

    def events(self) -> np.ndarray:
        """(clips) categories."""
        return self._truth.events
