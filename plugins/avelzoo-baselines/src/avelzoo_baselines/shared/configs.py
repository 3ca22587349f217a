"""Options of the heads and objectives that several systems share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, EncoderConfig, HeadConfig, Help, ObjectiveConfig, Supervision, Term, WeakConfig

if TYPE_CHECKING:
    from avelzoo import FeatureSpec, Head, Objective, Registrar, Widths


GATED_VIDEO = frozenset({"video_logits", "video_probabilities"})
"""Extras of a head that gates the video's category in every segment."""


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

    @property
    def provides(self) -> frozenset[str]:
        """Also the video's logits and probabilities."""
        return GATED_VIDEO | {"event_logits", "relevance_logits"}

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

    @property
    def provides(self) -> frozenset[str]:
        """Also the video's probabilities over n+1 categories."""
        return frozenset({"segment_logits", "video_probabilities"})

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

    @property
    def provides(self) -> frozenset[str]:
        """Also the video's probabilities over n+1 categories."""
        return frozenset({"segment_logits", "video_probabilities"})

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
class VideoConfig(ObjectiveConfig):
    """Weak objective on the video's probabilities over n or n+1 classes; a memory adds its own terms (eq. 17 and 7)."""

    paper: ClassVar[str] = "cmran2020"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)

    video: Annotated[float, Help("weight of the video's probabilities"), Bounds(min=0)] = 1.0
    video_loss: Annotated[VideoLoss, VIDEO_LOSS] = "categorical"
    unimodal: Annotated[float, Help("weight of the uni-modal classifiers, eq. 17"), Bounds(min=0)] = 0.01
    prototype: Annotated[float, Help("weight of the prototype loss, eq. 7"), Bounds(min=0)] = 0.1
    prototype_level: Annotated[
        Literal["segment", "video"],
        Help("prototype softmax per segment (eq. 6-7), or once on the video's mean distances (public code)"),
    ] = "segment"
    background_videos: Annotated[
        Literal["mask", "category-0"],
        Help("videos without an event in a memory's terms: left out, or category 0 (public code)"),
    ] = "mask"

    @property
    def requires(self) -> frozenset[str]:
        """The video's probabilities."""
        return frozenset({"video_probabilities"})

    @property
    def terms(self) -> Mapping[str, Term]:
        """The video's, and what a memory adds."""
        video = Term(weight=self.video, needs=("video_probabilities",), options=("video", "video_loss"), own=True)
        return {"video": video, **{name: self.general().terms[name] for name in ("unimodal", "prototype")}}

    def general(self) -> WeakConfig:
        """The general weak objective, reduced to what a memory adds."""
        return WeakConfig(
            unimodal=self.unimodal,
            prototype=self.prototype,
            prototype_level=self.prototype_level,
            background_videos=self.background_videos,
        )

    def build(self, spec: FeatureSpec) -> Objective:
        """The objective."""
        from avelzoo_baselines.shared.video import VideoObjective

        return VideoObjective(self, general=self.general().build(spec))


def register(zoo: Registrar) -> None:
    """Offer what is shared."""
    zoo.head("gated-double", GatedDoubleConfig)
    zoo.head("layered-single", LayeredSingleConfig)
    zoo.head("pooled-single", PooledSingleConfig)
    zoo.objective("video", VideoConfig)
