"""Options of the heads and objectives that several systems share."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, Channel, EncoderConfig, HeadConfig, Help, MemoryTerms, Supervision, Term
from avelzoo.channels import EVENT_LOGITS, RELEVANCE_LOGITS, SEGMENT_LOGITS
from avelzoo_baselines.channels import GATED_VIDEO, VIDEO_PROBABILITIES

if TYPE_CHECKING:
    from avelzoo import FeatureSpec, Head, LossFunction, Widths


@dataclass(frozen=True, kw_only=True)
class AttendedStreamsConfig(EncoderConfig):
    """Options of encoders with audio-guided attention and bidirectional LSTMs (Tian et al. 2018)."""

    hidden: Annotated[int, Help("channels of the LSTMs, each direction"), Bounds(min=1)] = 128
    attention_width: Annotated[int, Help("width of the attention's comparison space"), Bounds(min=1)] = 512
    attention_axis: Annotated[
        Literal["projection", "location"],
        Help("audio in the attention: projected vector (paper), or number per cell (public code)"),
    ] = "projection"


@dataclass(frozen=True, kw_only=True)
class GatedDoubleConfig(HeadConfig):
    """Weak double branch: video categories gated by each segment's relevance (CMRAN, CPSP)."""

    paper: ClassVar[str] = "cmran2020"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)
    fidelity: ClassVar[str] = "parity"

    threshold: Annotated[float, Help("relevance above which a segment is an event"), Bounds(above=0, below=1)] = 0.5
    pooling: Annotated[Literal["max", "mean"], Help("pooling over segments for the video's category")] = "max"
    background: Annotated[bool, Help("video classes: n+1 with background (CMRAN), else n (CPSP)")] = True

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Channels of the double branch, and the video's logits and probabilities."""
        return GATED_VIDEO | {EVENT_LOGITS, RELEVANCE_LOGITS}

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.shared.gated import GatedDouble

        return GatedDouble(self, n=spec.n, width=widths.fused)


@dataclass(frozen=True, kw_only=True)
class PooledSingleConfig(HeadConfig):
    """Weak single branch: n+1 classes in every segment, pooled over time to the video's probabilities."""

    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)

    pooling: Annotated[
        Literal["mean", "max", "attention"],
        Help("pooling: mean or max of segment logits, or learned weights per class"),
    ] = "mean"
    dropout: Annotated[float, Help("dropout on the features"), Bounds(min=0, below=1)] = 0.0

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Segment logits, and the video's probabilities over n+1 categories."""
        return frozenset({SEGMENT_LOGITS, VIDEO_PROBABILITIES})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.shared.pooled import PooledSingle

        return PooledSingle(n=spec.n, width=widths.fused, pooling=self.pooling, dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class LayeredSingleConfig(HeadConfig):
    """Single branch of AVEL 2018 and PSP: two layers, n+1 classes per segment, optional pooling over time."""

    paper: ClassVar[str] = "avel2018"
    fidelity: ClassVar[str] = "parity"

    hidden: Annotated[int | None, Help("channels of the hidden layer; none = a linear classifier"), Bounds(min=1)] = 64
    bias: Annotated[bool, Help("layers have biases")] = True
    weighting: Annotated[bool, Help("weight segments by a branch on their logits (weak PSP)")] = False
    pooling: Annotated[Literal["mean", "max"], Help("weak: pooling of segment logits before the video's softmax")] = (
        "mean"
    )

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Segment logits, and the video's probabilities over n+1 categories."""
        return frozenset({SEGMENT_LOGITS, VIDEO_PROBABILITIES})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.shared.layered import LayeredSingle

        return LayeredSingle(self, n=spec.n, width=widths.fused)


VideoLoss = Literal["soft-margin", "cross-entropy", "categorical"]
VIDEO_LOSS = Help("loss on probabilities: soft margin (AVEL, CMRAN, CMBS), binary cross-entropy (PSP) or categorical")


@dataclass(frozen=True, kw_only=True)
class VideoTerms(MemoryTerms, ABC):
    """Base of weak objectives: the video term and the terms of a memory."""

    video: Annotated[float, Help("weight of the loss on the video's probabilities"), Bounds(min=0)] = 1.0
    video_loss: Annotated[VideoLoss, VIDEO_LOSS] = "categorical"

    def video_terms(self) -> tuple[Term, ...]:
        """The video term and the terms of a memory."""
        video = Term("video", self.video, (VIDEO_PROBABILITIES,), self._video, ("video", "video_loss"), own=True)
        return (video, *self.memory_terms("weak"))

    def _video(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.shared.video import video_loss

        return partial(video_loss, form=self.video_loss)


@dataclass(frozen=True, kw_only=True)
class VideoConfig(VideoTerms):
    """Weak objective on the video's probabilities over n or n+1 classes; a memory adds its own terms (eq. 17 and 7)."""

    paper: ClassVar[str] = "cmran2020"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The video term and the terms of a memory."""
        return self.video_terms()
