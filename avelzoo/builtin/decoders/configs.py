"""Options of the built-in decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.channels import UNIMODAL, Need
from avelzoo.components import DecoderConfig, Supervision
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import Decoder, Head
    from avelzoo.records import FeatureSpec

Share = Bounds(min=0, max=1)
Weighted = Annotated[bool, Help("multiply scores by the head's relevance")]


@dataclass(frozen=True, kw_only=True)
class MarginConfig(DecoderConfig):
    """The head's fixed threshold or margin (eq. 21), even where the head would use the one chosen on val.

    >>> issubclass(MarginConfig, avelzoo.DecoderConfig)
    True
    """

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.threshold import Margin

        return Margin(head)


@dataclass(frozen=True, kw_only=True)
class ThresholdConfig(DecoderConfig):
    """One threshold of the relevance, chosen on val by segment accuracy.

    >>> ThresholdConfig(threshold=0.3).threshold
    0.3
    """

    threshold: Annotated[float, Help("relevance above which a segment is an event; the default before val"), Share] = (
        0.5
    )

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.threshold import RelevanceThreshold

        return RelevanceThreshold(self.threshold)


@dataclass(frozen=True, kw_only=True)
class SingleSpanConfig(DecoderConfig):
    """The span of segments with the largest sum of relevance above a threshold, for events that are single runs.

    >>> SingleSpanConfig.single_runs
    True
    """

    single_runs: ClassVar[bool] = True
    assumptions: ClassVar[tuple[str, ...]] = ("The threshold is the best of 33 quantiles of the relevance on val.",)

    threshold: Annotated[
        float, Help("relevance that a span's segments must exceed on average; the default before val"), Share
    ] = 0.5

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.single_span import SingleSpan

        return SingleSpan(self.threshold)


@dataclass(frozen=True, kw_only=True)
class AgreementConfig(DecoderConfig):
    """An event where sound and sight name the same category, each above its own threshold.

    >>> AgreementConfig(audio=0.2, visual=0.1).category
    'video'
    """

    paper: ClassVar[str] = "ovavel2025"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The video's category is that of most agreeing segments; the public code takes the first one's.",
        "Both thresholds come from val, one for all categories.",
    )

    audio: Annotated[float, Help("lowest score of a category of sound; the default before val"), Share] = 0.0
    visual: Annotated[float, Help("lowest score of a category of pictures; the default before val"), Share] = 0.0
    category: Annotated[
        Literal["video", "segment"], Help("category of agreeing segments: the video's majority, or their own")
    ] = "video"
    weighted: Weighted = False

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        return frozenset({UNIMODAL})

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.agreement import Agreement

        return Agreement(audio=self.audio, visual=self.visual, category=self.category, weighted=self.weighted)


@dataclass(frozen=True, kw_only=True)
class DynamicThresholdConfig(DecoderConfig):
    """Fused scores, filtered by category, re-weighted by label shift along the video; two thresholds decide.

    >>> DynamicThresholdConfig().gamma
    2.5
    """

    paper: ClassVar[str] = "av2a2025"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The filter is relative to the video's highest score; the first threshold applies to the video's peak.",
        "The confusion is the running mean over consecutive segments.",
        "The weight of sound and both thresholds come from val.",
    )

    alpha: Annotated[float, Help("weight of sound in the fusion; the default before val"), Share] = 0.5
    video: Annotated[float, Help("lowest peak of a video with an event; the default before val"), Share] = 0.5
    segment: Annotated[float, Help("lowest score of an event segment; the default before val"), Share] = 0.5
    keep: Annotated[float, Help("share of the peak below which a category is dropped"), Share] = 0.55
    gamma: Annotated[float, Help("regularisation of the label shift towards none"), Bounds(above=0)] = 2.5
    weighted: Weighted = False

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        return frozenset({UNIMODAL})

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.dynamic_threshold import DynamicThreshold

        return DynamicThreshold(
            alpha=self.alpha,
            video=self.video,
            segment=self.segment,
            keep=self.keep,
            gamma=self.gamma,
            weighted=self.weighted,
        )


@dataclass(frozen=True, kw_only=True)
class CompetitionConfig(DecoderConfig):
    """Categories compete for the evidence of each modality, which the other modality guides.

    >>> CompetitionConfig(rounds=1).rounds
    1
    """

    assumptions: ClassVar[tuple[str, ...]] = (
        "The idea is SCoPE's (arXiv 2608.07923), whose code is not published: every formula is ours.",
        "The strength of the guidance and the threshold come from val.",
    )

    guidance: Annotated[float, Help("weight of the other modality's shares; the default before val"), Share] = 0.5
    threshold: Annotated[float, Help("joint share of an event segment; the default before val"), Share] = 0.5
    none: Annotated[float, Help('evidence of "none", which competes with every category'), Bounds(above=0)] = 0.1
    rounds: Annotated[int, Help("rounds of guidance"), Bounds(min=1)] = 2
    weighted: Weighted = False

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        return frozenset({UNIMODAL})

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder:
        from avelzoo.builtin.decoders.competition import Competition

        return Competition(
            guidance=self.guidance,
            threshold=self.threshold,
            none=self.none,
            rounds=self.rounds,
            weighted=self.weighted,
        )
