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
    """What the encoders share that begin with audio-guided attention and bidirectional LSTMs (Tian et al. 2018)."""

    hidden: Annotated[int, Help("channels of the LSTMs, each direction"), Bounds(min=1)] = 128
    attention_width: Annotated[int, Help("channels in which the attention compares"), Bounds(min=1)] = 512
    attention_axis: Annotated[
        Literal["projection", "location"],
        Help("the audio enters the attention the same for every cell (paper), or as a number per cell (public code)"),
    ] = "projection"


@dataclass(frozen=True, kw_only=True)
class GatedDoubleConfig(HeadConfig):
    """Weak double branch: categories of the video, gated in every segment by its relevance (CMRAN, CPSP)."""

    paper: ClassVar[str] = "cmran2020"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)
    fidelity: ClassVar[str] = "parity"

    threshold: Annotated[float, Help("relevance above which a segment is an event"), Bounds(above=0, below=1)] = 0.5
    pooling: Annotated[Literal["max", "mean"], Help("over the segments, for the video's category")] = "max"
    background: Annotated[bool, Help("a video may be background as a whole: n+1 classes (CMRAN), else n (CPSP)")] = True

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Also the video's logits and probabilities."""
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
        Help("over the segments: mean or max of their logits before the softmax, or learned weights per class"),
    ] = "mean"
    dropout: Annotated[float, Help("dropout on the features"), Bounds(min=0, below=1)] = 0.0

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Also the video's probabilities over n+1 categories."""
        return frozenset({SEGMENT_LOGITS, VIDEO_PROBABILITIES})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.shared.pooled import PooledSingle

        return PooledSingle(n=spec.n, width=widths.fused, pooling=self.pooling, dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class LayeredSingleConfig(HeadConfig):
    """Single branch of AVEL 2018 and PSP: two layers, n+1 classes in every segment, pooled over time where asked."""

    paper: ClassVar[str] = "avel2018"
    fidelity: ClassVar[str] = "parity"

    hidden: Annotated[int | None, Help("channels of the hidden layer; none = a linear classifier"), Bounds(min=1)] = 64
    bias: Annotated[bool, Help("layers have biases")] = True
    weighting: Annotated[bool, Help("segments are weighted by a branch that reads their logits (weak PSP)")] = False
    pooling: Annotated[
        Literal["mean", "max"], Help("of the segments' logits, before the video's softmax (weak supervision)")
    ] = "mean"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Also the video's probabilities over n+1 categories."""
        return frozenset({SEGMENT_LOGITS, VIDEO_PROBABILITIES})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.shared.layered import LayeredSingle

        return LayeredSingle(self, n=spec.n, width=widths.fused)


VideoLoss = Literal["soft-margin", "cross-entropy", "categorical"]
VIDEO_LOSS = Help(
    "soft margin on the probabilities (public code of AVEL, CMRAN, CMBS), or their cross-entropy, binary "
    "(public code of PSP) or categorical"
)


@dataclass(frozen=True, kw_only=True)
class VideoTerms(MemoryTerms, ABC):
    """The video's term and those of a memory, for weak objectives to build on."""

    video: Annotated[float, Help("weight of the video's probabilities"), Bounds(min=0)] = 1.0
    video_loss: Annotated[VideoLoss, VIDEO_LOSS] = "categorical"

    def video_terms(self) -> tuple[Term, ...]:
        """The video's, and what a memory adds."""
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
        """The video's, and what a memory adds."""
        return self.video_terms()
