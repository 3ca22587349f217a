"""What the parts hand to each other.

Notation used in every docstring: b videos, t segments, h w grid, v visual channels, a audio channels, d width,
n event categories (background has id n), l bank slots.

This module needs no torch at import: records only hold tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FeatureSpec:
    """Sizes and names of a dataset's features; everything a component needs to know of the data before it is built.

    Attributes:
        segments: t, the usual number of segments of a video. Components accept any other t >= 1 as well.
        audio_dim: a, audio channels.
        grid: (h, w), cells of the visual map.
        visual_dim: v, visual channels.
        categories: the n event names, by id.
        seconds_per_segment: length of a segment in seconds.
    """

    segments: int
    audio_dim: int
    grid: tuple[int, int]
    visual_dim: int
    categories: tuple[str, ...]
    seconds_per_segment: float = 1.0

    @property
    def n(self) -> int:
        """Number of event categories."""
        return len(self.categories)

    @property
    def background(self) -> int:
        """Id of a segment without an event: n."""
        return len(self.categories)

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain data."""
        return {f.name: list(v) if isinstance(v := getattr(self, f.name), tuple) else v for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureSpec:
        """Inverse of ``to_dict``."""
        values = dict(data)
        values["grid"] = (int(values["grid"][0]), int(values["grid"][1]))
        values["categories"] = tuple(values["categories"])
        return cls(**values)


class _TensorRecord:
    """Mixin: what is done to every tensor of a record at once.

    A field holds a tensor, a mapping of tensors, or something else (None, a number), which stays as it is.
    """

    def tensors(self) -> dict[str, Tensor]:
        """The record's tensors by field name; those of a mapping by their own names."""
        found: dict[str, Tensor] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if _is_tensor(value):
                found[f.name] = value
            elif isinstance(value, Mapping):
                found |= value
        return found

    def map(self, function: Callable[..., Tensor], *others: Self) -> Self:
        """A copy whose tensors are ``function(own, *others')``, tensor by tensor.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        names = self.tensors().keys()
        if any(other.tensors().keys() != names for other in others):
            held = [", ".join(record.tensors()) for record in (self, *others)]
            raise ValueError(f"records of {type(self).__name__} hold different tensors: {' | '.join(held)}")
        changes: dict[str, Any] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value, rest = getattr(self, f.name), [getattr(other, f.name) for other in others]
            if _is_tensor(value):
                changes[f.name] = function(value, *rest)
            elif isinstance(value, Mapping):
                changes[f.name] = {name: function(own, *(r[name] for r in rest)) for name, own in value.items()}
        return replace(self, **changes)  # type: ignore[type-var]

    def to(
        self, device: torch.device | str | None = None, *, dtype: torch.dtype | None = None, non_blocking: bool = False
    ) -> Self:
        """A copy on ``device``; floating tensors also change to ``dtype`` when it is given."""

        def moved(value: Tensor) -> Tensor:
            there = value.to(device=device, non_blocking=non_blocking)  # as stored, then widened on the device
            return there if dtype is None or not there.is_floating_point() else there.to(dtype)

        return self.map(moved)

    def take(self, indices: Tensor) -> Self:
        """The videos at these positions: (k) int64 -> tensors (k ...)."""
        return self.map(lambda value: value[indices])

    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self:
        """One record of the videos of several, in their order.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        from torch import cat

        return parts[0].map(lambda *values: cat(values), *parts[1:])

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """One record with a new first dimension, one row for each part.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        from torch import stack

        return parts[0].map(lambda *values: stack(values), *parts[1:])


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "is_floating_point")


@dataclass(frozen=True, kw_only=True)
class Batch(_TensorRecord):
    """Features of b videos.

    Attributes:
        audio: (b t a).
        visual: (b t h w v), channels last.
        rows: (b) int64, the videos' row numbers in their dataset; a video keeps its number across epochs.
    """

    audio: Tensor
    visual: Tensor
    rows: Tensor


@dataclass(frozen=True, kw_only=True)
class Targets(_TensorRecord):
    """What is known about b videos.

    Attributes:
        event: (b) int64, the video's category y^e in 0..n-1, or n for a video without an event category.
        presence: (b) float, the video's relevance: 1 holds an event, 0 does not. The leaking weak protocol
            ``soft-duration`` puts the event's share of the video here instead.
        segments: (b t) int64 ids in 0..n, n = background; None where supervision is weak.
        background: n.
        estimate: (b t) float in [0, 1], the head's own estimate of y^r, without gradient; None where it has none.
    """

    event: Tensor
    presence: Tensor
    segments: Tensor | None
    background: int
    estimate: Tensor | None = None

    @property
    def relevance(self) -> Tensor:
        """(b t) float, y^r: 1 in event segments, 0 in background. Needs ``segments``.

        Raises:
            AttributeError: labels are weak.
        """
        if self.segments is None:
            raise AttributeError("weak targets have no segment labels")
        return (self.segments != self.background).to(self.presence.dtype)

    @property
    def has_event(self) -> Tensor:
        """(b) bool, whether the video has an event category at all."""
        return self.event != self.background

    @property
    def video_labels(self) -> Tensor:
        """(b n+1) label distribution of every video: presence on its category, the rest on background."""
        labels = self.presence.new_zeros(self.presence.shape[0], self.background + 1)
        labels[:, self.background] = 1 - self.presence
        return labels.scatter_add(1, self.event.unsqueeze(1), self.presence.unsqueeze(1))


@dataclass(frozen=True, kw_only=True)
class Encoded(_TensorRecord):
    """What an encoder makes of a batch.

    Attributes:
        fused: (b t d).
        audio: (b t d_audio), in temporal context, before fusion.
        visual: (b t d_visual), in temporal context, before fusion.
        extras: further tensors by name, for a system's own head or objective; each with b first.
    """

    fused: Tensor
    audio: Tensor
    visual: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Channels of an encoder's three outputs."""

    fused: int
    audio: int
    visual: int


@dataclass(frozen=True, kw_only=True)
class Unimodal(_TensorRecord):
    """Event logits from one modality each, both (b t n); eq. 2's u before its softmax."""

    audio_logits: Tensor
    visual_logits: Tensor


@dataclass(frozen=True, kw_only=True)
class MemoryView(_TensorRecord):
    """A memory as heads and objectives see it.

    Attributes:
        items: (n l d), one embedding per slot; rows of unfilled slots are finite but mean nothing.
        filled: (n l) bool.
    """

    items: Tensor
    filled: Tensor

    @property
    def usable(self) -> Tensor:
        """(n) bool, categories with at least one filled slot."""
        return self.filled.any(dim=1)

    def prototypes(self) -> Tensor:
        """(n d), the mean of each category's filled slots (eq. 5); zeros where there are none."""
        weight = self.filled.unsqueeze(-1).to(self.items.dtype)
        return (self.items * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How an embedding measures: dist(x, y) = ||x - y||_2 * scale, an event where dist < margin."""

    scale: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class Predictions(_TensorRecord):
    """What a head says about b videos; a head fills what it has.

    Attributes:
        event_logits: (b n), the video's category.
        relevance_logits: (b t), event against background.
        category_relevance_logits: (b t n), event against background as each category's own classifier sees it.
        segment_logits: (b t n+1), a category per segment, background last.
        prototype_logits: (b t n), from distances to the prototypes (eq. 6).
        nearest_anchor: (b t), distance to the nearest slot of the predicted category (eq. 21); evaluation only.
        audio_logits, visual_logits: (b t n), from the memory's uni-modal classifiers.
        embedding: (b t d), the space in which distances are measured.
        metric: scale and margin of that space.
        extras: further tensors by name, the encoder's included.
    """

    event_logits: Tensor | None = None
    relevance_logits: Tensor | None = None
    category_relevance_logits: Tensor | None = None
    segment_logits: Tensor | None = None
    prototype_logits: Tensor | None = None
    nearest_anchor: Tensor | None = None
    audio_logits: Tensor | None = None
    visual_logits: Tensor | None = None
    embedding: Tensor | None = None
    metric: Metric | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Decoded(_TensorRecord):
    """Final answers for b videos.

    Attributes:
        segments: (b t) int64 ids in 0..n, n = background.
        category: (b) int64 in 0..n-1, the video's most likely category even where every segment is background.
        category_scores: (b n), larger is more likely; argmax is ``category``.
        relevance: (b t) in [0, 1], the score behind event or background.
    """

    segments: Tensor
    category: Tensor
    category_scores: Tensor
    relevance: Tensor
