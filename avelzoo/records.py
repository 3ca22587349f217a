"""Records that components exchange.

Notation used in every docstring: b videos, t segments, h w grid, v visual channels, a audio channels, d width,
n event categories (background has id n), l bank slots.

This module needs no torch at import: records only hold tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from avelzoo.channels import HOUSE, Channel
from avelzoo.errors import ChannelError
from avelzoo.tensor_record import TensorRecord

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FeatureSpec:
    """Feature sizes and category names of a data set, from which components are built.

    Attributes:
        segments: t, the usual number of segments per video. Components accept any t >= 1.
        audio_dim: a, audio channels.
        grid: (h, w), cells of the visual map.
        visual_dim: v, visual channels.
        categories: the n event names, by id.
        seconds_per_segment: length of a segment in seconds.

    >>> FeatureSpec(segments=10, audio_dim=128, grid=(7, 7), visual_dim=512, categories=("bark", "bell")).n
    2
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


@dataclass(frozen=True, kw_only=True)
class Batch(TensorRecord):
    """Features of b videos.

    Attributes:
        audio: (b t a).
        visual: (b t h w v), channels last.
        rows: (b) int64, row numbers of the videos in their data set, the same in all epochs.
        mask: (b t) bool, true for real segments, which come first, false for padding; None if all segments are real.
            Features of padding are zeros, and no result depends on them.

    >>> Batch(audio=torch.zeros(2, 10, 128), visual=torch.zeros(2, 10, 7, 7, 512), rows=torch.arange(2)).rows
    tensor([0, 1])
    """

    audio: Tensor
    visual: Tensor
    rows: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Targets(TensorRecord):
    """Labels of b videos.

    Attributes:
        event: (b) int64, the video's category y^e in 0..n-1, or n for a video without an event category.
        presence: (b) float, the video's relevance: 1 with an event, 0 without. The leaking weak protocol
            ``soft-duration`` uses the event's share of the video instead.
        segments: (b t) int64 ids in 0..n, n = background; None under weak supervision.
        background: n.
        estimate: (b t) float in [0, 1], the head's estimate of y^r, without gradient; None if it has none.
        partner: (b) int64, index of the video mixed into each video; None without mixing.
        share: weight of these targets in the loss; the partners' targets have weight 1 - share.
        mask: (b t) bool, as in `Batch`; the model puts it here for the loss terms.

    >>> Targets(event=torch.tensor([0]), presence=torch.ones(1), segments=None, background=28).has_event
    tensor([True])
    """

    event: Tensor
    presence: Tensor
    segments: Tensor | None
    background: int
    estimate: Tensor | None = None
    partner: Tensor | None = None
    share: float = 1.0
    mask: Tensor | None = None

    @property
    def mixed_in(self) -> Targets | None:
        """Targets of the mixed-in videos; None without mixing."""
        return (
            None if self.partner is None else replace(self.take(self.partner), partner=None, share=1.0, mask=self.mask)
        )

    @property
    def relevance(self) -> Tensor:
        """(b t) float, y^r: 1 in event segments, 0 in background. Needs ``segments``.

        Raises:
            AttributeError: the labels are weak.
        """
        if self.segments is None:
            raise AttributeError("weak targets have no segment labels")
        return (self.segments != self.background).to(self.presence.dtype)

    @property
    def has_event(self) -> Tensor:
        """(b) bool, whether the video has an event category."""
        return self.event != self.background

    @property
    def video_labels(self) -> Tensor:
        """(b n+1) label distribution of each video: presence for its category, 1 - presence for background."""
        labels = self.presence.new_zeros(self.presence.shape[0], self.background + 1)
        labels[:, self.background] = 1 - self.presence
        return labels.scatter_add(1, self.event.unsqueeze(1), self.presence.unsqueeze(1))


class _Channels:
    """Mixin: a record's tensors by channel, in the field with the channel's name, otherwise in a mapping."""

    channels: Mapping[Channel, Tensor]

    def get(self, channel: Channel) -> Tensor | None:
        """The channel's tensor; None if it is missing."""
        if channel.name in self._named():
            value: Tensor | None = getattr(self, channel.name)
            return value
        return self.channels.get(channel)

    def __contains__(self, channel: Channel) -> bool:
        """Whether the record has the channel."""
        return self.get(channel) is not None

    def __getitem__(self, channel: Channel) -> Tensor:
        """The channel's tensor.

        Raises:
            ChannelError: the channel is missing.
        """
        value = self.get(channel)
        if value is None:
            raise ChannelError(
                f"the channel '{channel}' is read, but no part gave it",
                found=", ".join(map(str, self.given())) or "no channel",
                expected=f"{channel} {channel.shape}, {channel.meaning}",
                fix="declare the channel in the config's `reads` or the term's `needs`; it is then checked in advance",
            )
        return value

    def given(self) -> dict[Channel, Tensor]:
        """All channels of the record."""
        named = {HOUSE[name]: getattr(self, name) for name in self._named()}
        return {c: value for c, value in (named | dict(self.channels)).items() if value is not None}

    def _named(self) -> list[str]:
        return [f.name for f in fields(self) if f.name in HOUSE]  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Encoded(_Channels, TensorRecord):
    """Output of an encoder.

    Attributes:
        fused: (b t d).
        audio: (b t d_audio), in temporal context, before fusion.
        visual: (b t d_visual), in temporal context, before fusion.
        channels: further tensors for specific heads or loss terms, each with b as first dimension.
        mask: (b t) bool, as in `Batch`; set by the model, not by encoders.

    >>> x = torch.zeros(1, 10, 8)
    >>> Encoded(fused=x, audio=x, visual=x).fused.shape
    torch.Size([1, 10, 8])
    """

    fused: Tensor
    audio: Tensor
    visual: Tensor
    channels: Mapping[Channel, Tensor] = field(default_factory=dict)
    mask: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Channels of an encoder's three outputs.

    >>> Widths(fused=256, audio=128, visual=128).fused
    256
    """

    fused: int
    audio: int
    visual: int


@dataclass(frozen=True, kw_only=True)
class MemoryView(TensorRecord):
    """Content of a memory, for heads and objectives.

    Attributes:
        items: (n l d), one embedding per slot; rows of unfilled slots are finite but meaningless.
        filled: (n l) bool.

    >>> MemoryView(items=torch.ones(2, 3, 4), filled=torch.ones(2, 3, dtype=torch.bool)).prototypes().shape
    torch.Size([2, 4])
    """

    items: Tensor
    filled: Tensor

    @property
    def usable(self) -> Tensor:
        """(n) bool, categories with at least one filled slot."""
        return self.filled.any(dim=1)

    def prototypes(self) -> Tensor:
        """(n d), the mean of each category's filled slots (eq. 5); zeros for categories without filled slots."""
        weight = self.filled.unsqueeze(-1).to(self.items.dtype)
        return (self.items * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Distance of an embedding: dist(x, y) = ||x - y||_2 * scale, event if dist < margin.

    >>> Metric(scale=1.0, margin=0.7).margin
    0.7
    """

    scale: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class HeadOutput(_Channels, TensorRecord):
    """Output of a head for b videos; the model adds the channels of encoder and memory.

    Attributes:
        event_logits: (b n), the video's category.
        relevance_logits: (b t), event versus background.
        category_relevance_logits: (b t n), event versus background by the classifier of each category.
        segment_logits: (b t n+1), a category per segment, background last.
        prototype_logits: (b t n), from distances to the prototypes (eq. 6).
        nearest_anchor: (b t), distance to the nearest slot of the predicted category (eq. 21); only in evaluation.
        audio_logits, visual_logits: (b t n), from the memory's uni-modal classifiers.
        embedding: (b t d), the space in which distances are measured.
        metric: scale and margin of that space.
        channels: further tensors, including those of the encoder and the memory.
        mask: (b t) bool, as in `Batch`; set by the model, not by heads.

    >>> HeadOutput(event_logits=torch.zeros(2, 28)).event_logits.shape
    torch.Size([2, 28])
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
    channels: Mapping[Channel, Tensor] = field(default_factory=dict)
    mask: Tensor | None = None

    def joined(self, given: Mapping[Channel, Tensor]) -> HeadOutput:
        """A copy with channels of other parts; the head's own channels are kept."""
        both = {**given, **self.given()}
        named = {name: both.pop(HOUSE[name], None) for name in self._named()}
        return replace(self, **named, channels=both)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Predictions(TensorRecord):
    """Final predictions for b videos.

    Attributes:
        segments: (b t) int64 ids in 0..n, n = background.
        category: (b) int64 in 0..n-1, the video's most likely category, even if every segment is background.
        category_scores: (b n), larger is more likely; argmax is ``category``.
        relevance: (b t) in [0, 1], score of event versus background.
        audio_scores: (b t n) in [0, 1], scores of the categories from sound alone; None if the system has none.
        visual_scores: (b t n) in [0, 1], scores of the categories from the picture alone; None if it has none.

    >>> one, score = torch.zeros(1, dtype=torch.int64), torch.full((1, 1), 0.5)
    >>> Predictions(segments=one[:, None], category=one, category_scores=score, relevance=score).take([0]).category
    tensor([0])
    """

    segments: Tensor
    category: Tensor
    category_scores: Tensor
    relevance: Tensor
    audio_scores: Tensor | None = None
    visual_scores: Tensor | None = None
