"""What built components promise. Every class is abstract or final: behaviour is composed, not overridden."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.records import (
    Batch,
    Encoded,
    FeatureSpec,
    HeadOutput,
    MemoryView,
    Predictions,
    Targets,
    Unimodal,
    Widths,
)

if TYPE_CHECKING:
    from avelzoo.nn.decision import Decision

Encode = Callable[[Tensor, Tensor], Encoded]
"""An encoder as a memory sees it: (audio (b t a), visual (b t h w v)) -> Encoded."""

LossFunction = Callable[[HeadOutput, Targets, MemoryView | None], Tensor]
"""A loss term: head output with the channels of every part, targets, the memory's content -> unweighted scalar.

Where a transform mixes videos it is called twice per step: with the targets, then with those of the partners. A term
with state sees both and keeps what the second call leaves.
"""


class Component(nn.Module, ABC):
    """A part of a model."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Told before each epoch (0-based) of ``epochs``; for components that change as training goes on."""


class Encoder(Component):
    """Audio and visual features in, three sequences out. Knows no head, no memory, no labels.

    Attributes:
        widths: channels of the three outputs.

    >>> encoder = MeanPoolConfig(width=8).build(WorldsConfig().open("full").spec)
    >>> encoder(torch.zeros(2, 5, 32), torch.zeros(2, 5, 3, 3, 48)).fused.shape
    torch.Size([2, 5, 8])
    """

    widths: Widths

    @abstractmethod
    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded. Any b >= 1, t >= 1, h, w >= 1; videos do not see each other.

        That is what allows several processes to encode a share of the batch each. Dropout inside an encoder differs
        from process to process; everything after it draws the same random numbers everywhere.
        """


class Memory(Component):
    """What is kept between steps. Its content lives in buffers, so that checkpoints hold it.

    >>> widths = Widths(fused=8, audio=8, visual=8)
    >>> JsdBankConfig(size=4).build(WorldsConfig().open("full").spec, widths, "full").slots.score.shape
    torch.Size([9, 4])
    """

    @abstractmethod
    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> Unimodal | None:
        """Update the content from a training batch; returns uni-modal logits where the memory has such classifiers.

        Called once per training step before ``read``, never in evaluation. Where several processes train, each calls it
        with the whole batch, and with the same random numbers, so that all keep the same content.
        """

    def wants_features(self, encoded: Encoded, batch: Batch, targets: Targets) -> Tensor:
        """(b) bool: videos whose features ``observe`` will read from this batch; all unless a memory knows better.

        Asked only where several processes train, before ``observe``: each of them holds the features of its share of
        the batch, and only those that are wanted are sent to all. When this is called none are there, so the batch's
        features are zeros; when ``observe`` is called those that were not wanted are.
        """
        return torch.ones_like(batch.rows, dtype=torch.bool)

    @abstractmethod
    def read(self, encode: Encode) -> MemoryView | None:
        """The content as embeddings (n l d), re-encoded where raw data is stored; None without content of any kind.

        Where several processes train, ``encode`` shares the rows of its arguments out among them and gives each all
        results, with gradient; so every process has to make the same calls.
        """


class Head(Component):
    """Embeddings and memory in, head output out. Knows no data set.

    Attributes:
        decision: how it tells event from background, where that is one threshold of one score; else None.

    >>> widths = Widths(fused=8, audio=8, visual=8)
    >>> DoubleConfig().build(WorldsConfig().open("full").spec, widths, "full").decision.threshold
    0.5
    """

    decision: Decision | None

    def __init__(self) -> None:
        super().__init__()
        self.decision = None

    def estimate(self, encoded: Encoded) -> Tensor | None:
        """(b t) relevance in [0, 1] that needs no memory, without gradient or dropout; None by default."""
        return None

    @abstractmethod
    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """The output that loss terms read and ``decode`` needs."""

    @abstractmethod
    def decode(self, output: HeadOutput) -> Predictions:
        """Predictions from an output made in evaluation mode."""


class Transform(ABC):
    """Augmentation of training batches, in front of the encoder. Never used in evaluation.

    >>> class Louder(Transform):
    ...     def __call__(self, batch, targets, generator):
    ...         return dataclasses.replace(batch, audio=2 * batch.audio), targets
    """

    @abstractmethod
    def __call__(self, batch: Batch, targets: Targets, generator: torch.Generator) -> tuple[Batch, Targets]:
        """A new batch and its targets, on the device of the given ones; the number of videos may change.

        Args:
            batch: features of the whole batch, also where several processes train; not to be changed in place.
            targets: what is known of its videos; not to be changed in place.
            generator: on the CPU, seeded with the run's seed, the epoch and the step; the only source of chance.
        """


class Split(ABC):
    """One part of a data set.

    >>> WorldsConfig(train_videos=8).open("full").split("train").labels().shape
    (8, 10)
    """

    name: str
    video_ids: Sequence[str]

    @abstractmethod
    def __len__(self) -> int:
        """Number of videos."""

    @abstractmethod
    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        """Features (floating, as stored) and targets of the videos at these positions, in this order, on the CPU.

        May be called in a process of its own, which reads ahead; so nothing about it is random.

        Where videos differ in length, all are padded to the split's longest, and ``mask`` says what is real.

        Raises:
            DataError: a file is damaged or holds features that are not finite.
        """

    @abstractmethod
    def labels(self) -> np.ndarray:
        """(videos, t) int64 segment ids of the whole split, for evaluation; n = background, padding included."""

    def lengths(self) -> np.ndarray:
        """(videos,) int64 real segments of every video; what follows them is padding. By default all have t."""
        labels = self.labels()
        return np.full(len(labels), labels.shape[1])

    @abstractmethod
    def events(self) -> np.ndarray:
        """(videos,) int64 event category of every video in 0..n-1; n for a video without one."""


class Dataset(ABC):
    """Videos with features and labels.

    Attributes:
        spec: sizes and names.
        hidden: splits whose labels are not to be seen before the final scores; no test curve is measured then.
        workers: reading processes that pay off: 0 for features in memory.

    >>> WorldsConfig(train_videos=8).open("full").spec.segments
    10
    """

    spec: FeatureSpec
    hidden: frozenset[str] = frozenset()
    workers: int = 0

    @abstractmethod
    def split(self, name: str) -> Split:
        """'train', 'val' or 'test'. Under weak supervision 'train' may hold extra videos without any event.

        Raises:
            UsageError: there is no such split.
        """

    def references(self, name: str) -> Mapping[str, np.ndarray]:
        """Segment ids (videos, t) of known reference predictors on a split, for data whose truth is known."""
        return {}

    def fingerprint(self) -> Mapping[str, str]:
        """Checksums or sizes that identify the data, for run records."""
        return {}
