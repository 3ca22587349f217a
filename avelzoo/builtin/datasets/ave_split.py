"""Splits of a folder in AVE's public layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from avelzoo.contracts import Split
from avelzoo.data.reading.h5 import H5Array
from avelzoo.records import Batch, Targets


@dataclass(frozen=True)
class Features:
    """Audio and visual arrays with the same rows."""

    audio: H5Array
    visual: H5Array

    def fill(self, audio: np.ndarray, visual: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> None:
        """Copy both features of ``rows`` into ``positions`` of the two arrays."""
        self.audio.fill(audio, positions, rows)
        self.visual.fill(visual, positions, rows)


@dataclass(frozen=True)
class Labels:
    """Labels of every row, annotated videos first, then negatives.

    Attributes:
        segments: (rows, t) int64 ids, n = background.
        events: (rows) int64, n for negatives and videos without an event.
        lengths: (rows) int64, number of real segments.
        shares: (rows) float32, the event's share of the video, for ``soft-duration``; otherwise None.
    """

    segments: np.ndarray
    events: np.ndarray
    lengths: np.ndarray
    shares: np.ndarray | None


@dataclass(frozen=True)
class Rows:
    """All rows of a folder: the annotated videos, then the negatives.

    Attributes:
        features: features of the annotated videos.
        negatives: features of the negatives; None if unused.
        labels: labels of all rows.
        video_ids: names of the annotated videos.
        background: n.
    """

    features: Features
    negatives: Features | None
    labels: Labels
    video_ids: tuple[str, ...]
    background: int

    def dtype(self, modality: Literal["audio", "visual"]) -> type[np.floating[Any]]:
        """Number format in which a modality is read: half precision if all of it is stored so, else float32."""
        parts = [part for part in (self.features, self.negatives) if part is not None]
        half = all(getattr(part, modality).info.dtype == np.float16 for part in parts)
        return np.float16 if half else np.float32


class AveSplit(Split):
    """One split of a folder.

    Args:
        name: name of the split.
        table: all rows of the folder.
        rows: (videos) int64, row numbers of the split.
        weak: whether ``fetch`` hides segment labels.
    """

    def __init__(self, name: str, table: Rows, rows: np.ndarray, *, weak: bool) -> None:
        self.name = name
        self._rows = rows
        self._weak = weak
        self._table = table
        self._background = table.background
        self._lengths = table.labels.lengths.take(rows)
        whole = table.labels.segments.shape[1]
        self._t = int(self._lengths.max(initial=1))
        self._varied = bool((table.labels.lengths != whole).any())
        ids = table.video_ids
        self.video_ids: Sequence[str] = [
            ids[row] if row < len(ids) else f"negative-{row - len(ids):03d}" for row in rows.tolist()
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        rows = self._rows[np.asarray(indices, dtype=np.int64)]
        main, negatives = self._table.features, self._table.negatives
        audio = np.empty((len(rows), *main.audio.shape[1:]), dtype=self._table.dtype("audio"))
        visual = np.empty((len(rows), *main.visual.shape[1:]), dtype=self._table.dtype("visual"))
        own = rows < len(main.visual)
        main.fill(audio, visual, np.flatnonzero(own), rows[own])
        if negatives is not None:
            negatives.fill(audio, visual, np.flatnonzero(~own), rows[~own] - len(main.visual))
        mask = None
        if self._varied:
            real = np.arange(self._t) < self._table.labels.lengths[rows][:, None]
            audio, visual, mask = audio[:, : self._t], visual[:, : self._t], torch.from_numpy(real)
        batch = Batch(
            audio=torch.from_numpy(audio),
            visual=torch.from_numpy(visual),
            rows=torch.from_numpy(rows.copy()),
            mask=mask,
        )
        return batch, self._targets(rows)

    def labels(self) -> np.ndarray:
        return self._table.labels.segments.take(self._rows, axis=0)[:, : self._t]

    def lengths(self) -> np.ndarray:
        return self._lengths.copy()

    def events(self) -> np.ndarray:
        return self._table.labels.events.take(self._rows)

    def rows(self) -> np.ndarray:
        return self._rows.copy()

    def _targets(self, rows: np.ndarray) -> Targets:
        """Targets; presence is 1 for every annotated video, even without event segments, as in mil_labels.h5."""
        events = self._table.labels.events[rows]
        shares = self._table.labels.shares if self._weak else None
        presence = (events != self._background).astype(np.float32) if shares is None else shares[rows]
        return Targets(
            event=torch.from_numpy(events),
            presence=torch.from_numpy(presence),
            segments=None if self._weak else torch.from_numpy(self._table.labels.segments[rows][:, : self._t].copy()),
            background=self._background,
        )
