"""Contracts of built components. Every class is abstract or final: behaviour is composed, not overridden."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.channels import Channel
from avelzoo.records import Batch, Encoded, FeatureSpec, HeadOutput, MemoryView, Predictions, Targets, Widths

if TYPE_CHECKING:
    from avelzoo.metrics import PredictionArrays, Truth
    from avelzoo.nn.decision import Decision

Encode = Callable[[Tensor, Tensor], Encoded]
"""An encoder as called by a memory: (audio (b t a), visual (b t h w v)) -> Encoded."""

LossFunction = Callable[[HeadOutput, Targets, MemoryView | None], Tensor]
"""A loss term: head output with the channels of every part, targets, the memory's content -> unweighted scalar.

Where a transform mixes videos it is called twice per step: with the targets, then with those of the partners. A term
with state sees both and keeps what the second call leaves.
"""


class Component(nn.Module, ABC):
    """A part of a model."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Called before each epoch (0-based) of ``epochs``, for components that change during training."""


class Encoder(Component):
    """Maps audio and visual features to three sequences, without access to labels, memory or head.

    Attributes:
        widths: channels of the three outputs.

    >>> encoder = MeanPoolConfig(width=8).build(WorldsConfig().open("full").spec)
    >>> encoder(torch.zeros(2, 5, 32), torch.zeros(2, 5, 3, 3, 48)).fused.shape
    torch.Size([2, 5, 8])
    """

    widths: Widths

    @abstractmethod
    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded. Any b >= 1, t >= 1, h, w >= 1; videos are encoded independently.

        Therefore several processes can each encode a share of the batch. Dropout inside an encoder differs between
        processes; everything after the encoder draws the same random numbers in every process.
        """


class Memory(Component):
    """Content kept between training steps, in buffers, so that checkpoints include it.

    >>> widths = Widths(fused=8, audio=8, visual=8)
    >>> JsdBankConfig(size=4).build(WorldsConfig().open("full").spec, widths, "full").slots.score.shape
    torch.Size([9, 4])
    """

    @abstractmethod
    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> Mapping[Channel, Tensor] | None:
        """Update the content from a training batch; return the channels that the memory gives besides its content.

        Called once per training step before ``read``, never in evaluation. With several processes, each calls it with
        the whole batch and the same random numbers, so that all have the same content.
        """

    def wants_features(self, encoded: Encoded, batch: Batch, targets: Targets) -> Tensor:
        """(b) bool: videos whose features ``observe`` will read from this batch; by default all.

        Called before ``observe``, and only with several processes: each process holds the features of its share of the
        batch, and only wanted features are sent to all. During this call all features are zeros. During ``observe``,
        only the features of unwanted videos are zeros.
        """
        return torch.ones_like(batch.rows, dtype=torch.bool)

    def infer(self, encoded: Encoded) -> Mapping[Channel, Tensor]:
        """Channels that the memory gives in evaluation, such as uni-modal logits; none by default."""
        return {}

    @abstractmethod
    def read(self, encode: Encode) -> MemoryView | None:
        """The content as embeddings (n l d), re-encoded if raw data is stored; None for a memory without content.

        With several processes, ``encode`` splits the rows of its arguments between them and returns all results to
        each, with gradient; so every process must make the same calls.
        """

    def stored(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Stored segments (n l a), (n l h w v), and filled slots (n l) bool, those first; None if none are stored."""
        return None

    def origins(self) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """Training segment in each slot: ``Batch.rows`` value, segment, score (n l), filled (n l); None if unknown."""
        return None


class Head(Component):
    """Maps embeddings and memory to a head output.

    Attributes:
        decision: event/background decision of a head with one score and one threshold; else None.

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
        """The output for loss terms and ``decode``."""

    @abstractmethod
    def decode(self, output: HeadOutput) -> Predictions:
        """Predictions from an output computed in evaluation mode."""


class Decoder(Component):
    """Rule from scores to events, on whole splits. Values chosen on val are buffers, so checkpoints include them.

    >>> spec = WorldsConfig().open("full").spec
    >>> ThresholdConfig().build(spec, head=None).describe()
    'relevance above 0.50 (default, not tuned)'
    """

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """Choose the rule's values on val (predictions of the head's own rule), before every `decide`; else nothing."""

    @abstractmethod
    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """Predictions by this rule from those of the head; no video affects another, and padding is background."""

    @abstractmethod
    def describe(self) -> str:
        """The rule and its values in a few words, without a full stop."""


class Transform(ABC):
    """Augmentation of training batches before the encoder; not used in evaluation.

    >>> class Louder(Transform):
    ...     def __call__(self, batch, targets, generator):
    ...         return dataclasses.replace(batch, audio=2 * batch.audio), targets
    """

    @abstractmethod
    def __call__(self, batch: Batch, targets: Targets, generator: torch.Generator) -> tuple[Batch, Targets]:
        """A new batch and its targets, on the same device; the number of videos may change.

        Args:
            batch: features of the whole batch, even with several processes; must not be changed in place.
            targets: labels of its videos; must not be changed in place.
            generator: CPU generator seeded with the run's seed, epoch and step; the only source of randomness.
        """


class Split(ABC):
    """A split of a data set.

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

        May be called in a DataLoader worker, so it must not use random numbers. Videos of different length are padded
        to the split's longest video, and ``mask`` marks real segments.

        Raises:
            DataError: a file is damaged or contains features that are not finite.
        """

    @abstractmethod
    def labels(self) -> np.ndarray:
        """(videos, t) int64 segment ids of the whole split, for evaluation; n = background, padding included."""

    def lengths(self) -> np.ndarray:
        """(videos,) int64 number of real segments of every video, before its padding; by default t."""
        labels = self.labels()
        return np.full(len(labels), labels.shape[1])

    @abstractmethod
    def events(self) -> np.ndarray:
        """(videos,) int64 event category of every video in 0..n-1; n for a video without one."""

    def rows(self) -> np.ndarray:
        """(videos,) int64 row numbers, as in `Batch.rows`; by default read with the features."""
        return np.array([int(self.fetch([i])[0].rows[0]) for i in range(len(self))], dtype=np.int64)


class Dataset(ABC):
    """Videos with features and labels.

    Attributes:
        spec: sizes and names.
        hidden: splits whose labels are hidden until the final scores, which disables the test curve.
        workers: default number of DataLoader workers; 0 for features in memory.
        extraction: how the features were extracted, as in features.json; None if unknown. A run keeps it.

    >>> WorldsConfig(train_videos=8).open("full").spec.segments
    10
    """

    spec: FeatureSpec
    hidden: frozenset[str] = frozenset()
    workers: int = 0
    extraction: Mapping[str, Any] | None = None

    @abstractmethod
    def split(self, name: str) -> Split:
        """'train', 'val' or 'test'. Under weak supervision 'train' may contain extra videos without any event.

        Raises:
            UsageError: the split does not exist.
        """

    def references(self, name: str) -> Mapping[str, np.ndarray]:
        """Segment ids (videos, t) of reference predictors on a split, for data with a known generator."""
        return {}

    def fingerprint(self) -> Mapping[str, str]:
        """Checksums or sizes that identify the data, for run records."""
        return {}
