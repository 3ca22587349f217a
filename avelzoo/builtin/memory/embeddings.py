"""Embeddings of stored segments: as stored, re-encoded in every step, or re-encoded in every k-th step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avelzoo.builtin.memory.host_copy import HostCopy
from avelzoo.builtin.memory.reading import Parts, SlotEncoder

if TYPE_CHECKING:
    from avelzoo.builtin.memory.configs import Context
    from avelzoo.builtin.memory.slots import RankedSlots
    from avelzoo.contracts import Encode
    from avelzoo.records import Batch, Encoded, FeatureSpec


class Embeddings(nn.Module, ABC):
    """Stored tensors of a slot, and their embedding.

    Attributes:
        shapes: name -> shape of a stored tensor of one slot.
    """

    shapes: dict[str, tuple[int, ...]]

    @property
    def stores_features(self) -> bool:
        """Whether slots store the data set's features rather than the encoder's output."""
        return "audio" in self.shapes

    @abstractmethod
    def source(self, encoded: Encoded, batch: Batch) -> dict[str, Tensor]:
        """Tensors of a batch's segments that slots may store, name -> (b t ...)."""

    @abstractmethod
    def read(self, slots: RankedSlots, encode: Encode, *, unfilled: bool) -> tuple[Tensor, Parts]:
        """Embeddings (n l d), and the encodings computed for them, if any.

        Args:
            slots: the stored segments.
            encode: the encoder.
            unfilled: embed unfilled slots too.
        """


class Stored(Embeddings):
    """Fused features of each segment from the step of its entry, without gradient.

    Args:
        width: d.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shapes = {"fused": (width,)}

    def source(self, encoded: Encoded, batch: Batch) -> dict[str, Tensor]:
        """The fused features."""
        return {"fused": encoded.fused}

    def read(self, slots: RankedSlots, encode: Encode, *, unfilled: bool) -> tuple[Tensor, Parts]:
        """The stored features."""
        return slots.payload("fused").clone(), []


class EveryStep(Embeddings):
    """Raw segments, encoded at every reading; gradients flow through them into the encoder.

    Args:
        spec: sizes of the features.
        width: d.
        context: temporal context of a stored segment.
        slice_mb: as in `SlotEncoder`.
    """

    def __init__(self, spec: FeatureSpec, width: int, context: Context, slice_mb: int = 0) -> None:
        super().__init__()
        self.width = width
        self.encoded = SlotEncoder(context, slice_mb)
        self.shapes = {"audio": (spec.audio_dim,), "visual": (*spec.grid, spec.visual_dim)}

    def source(self, encoded: Encoded, batch: Batch) -> dict[str, Tensor]:
        """The raw features."""
        return {"audio": batch.audio, "visual": batch.visual}

    def read(self, slots: RankedSlots, encode: Encode, *, unfilled: bool) -> tuple[Tensor, Parts]:
        """Encode every filled slot; embeddings of unfilled slots are 0, unless they are encoded too."""
        n, size = slots.score.shape
        parts = self.encoded(encode, slots, (size,) * n if unfilled else slots.counts())
        items = slots.payload("audio").new_zeros(n, size, self.width)
        if parts:
            category, slot = (torch.cat([where[axis] for where, _ in parts]) for axis in (0, 1))
            fused = torch.cat([part.fused for _, part in parts])
            items = items.to(fused.dtype).index_put((category, slot), fused)
        return items, parts


class EveryKthStep(Embeddings):
    """Raw segments, encoded only in every k-th training step and without gradient: a faster approximation.

    Between two encodings a segment keeps its embedding: first the one from its own video at entry, later the one from
    its category's sequence. Evaluation encodes all slots, as `EveryStep` does.

    Args:
        exact: encoding of a segment.
        k: training steps between two encodings; a training step reads the bank once.
    """

    age: Tensor

    def __init__(self, exact: EveryStep, k: int) -> None:
        super().__init__()
        self.exact, self.k = exact, k
        self.shapes = exact.shapes | {"fused": (exact.width,)}
        self.register_buffer("age", torch.zeros((), dtype=torch.int64))
        self._age = HostCopy(int)

    def source(self, encoded: Encoded, batch: Batch) -> dict[str, Tensor]:
        """The raw features and their embeddings."""
        return self.exact.source(encoded, batch) | {"fused": encoded.fused}

    def read(self, slots: RankedSlots, encode: Encode, *, unfilled: bool) -> tuple[Tensor, Parts]:
        """Embeddings, at most k steps old in training."""
        if not self.training:
            return self.exact.read(slots, encode, unfilled=unfilled)
        age = self._age.value(self.age) + 1
        self.age += 1
        self._age.set(self.age, age)
        stored = slots.payload("fused")
        if age % self.k:
            return stored.clone(), []
        with torch.no_grad():
            items, parts = self.exact.read(slots, encode, unfilled=unfilled)
            stored.copy_(items)
        return items, parts
