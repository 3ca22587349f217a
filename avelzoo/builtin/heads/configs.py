"""Options of the built-in branch heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.channels import (
    AUDIO_SCORES,
    CATEGORY_RELEVANCE_LOGITS,
    EMBEDDING,
    EVENT_LOGITS,
    MEMORY,
    PROTOTYPE_LOGITS,
    RELEVANCE_ESTIMATE,
    RELEVANCE_LOGITS,
    SEGMENT_LOGITS,
    VISUAL_SCORES,
    Channel,
    Need,
)
from avelzoo.components import HeadConfig, Supervision
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import Head
    from avelzoo.records import FeatureSpec, Widths

THRESHOLD_FROM = Help("decision threshold: fixed, or chosen on val and saved with the weights")
DROPOUT_AT = Help("position of dropout: classifier features, or logits (Ge et al.'s public code)")


@dataclass(frozen=True, kw_only=True)
class SingleConfig(HeadConfig):
    """Single branch: n+1 classes in every segment (fig. 1a of Ge et al. 2023).

    >>> SingleConfig(dropout=0.5).dropout
    0.5
    """

    paper: ClassVar[str] = "ge2023"

    dropout: Annotated[float, Help("dropout on the features"), Bounds(min=0, below=1)] = 0.2

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({SEGMENT_LOGITS})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        from avelzoo.builtin.heads.single import Single

        return Single(n=spec.n, width=widths.fused, dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class DoubleConfig(HeadConfig):
    """Double branch: category of the video, event or background of each segment (fig. 1b of Ge et al. 2023).

    >>> DoubleConfig(dropout=0.5).dropout
    0.5
    """

    paper: ClassVar[str] = "ge2023"

    pooling: Annotated[Literal["mean", "max"], Help("pooling over segments for the video's category")] = "mean"
    threshold: Annotated[float, Help("relevance above which a segment is an event"), Bounds(above=0, below=1)] = 0.5
    threshold_from: Annotated[Literal["fixed", "val"], THRESHOLD_FROM] = "fixed"
    dropout: Annotated[float, Help("dropout, at the place `dropout_at` names"), Bounds(min=0, below=1)] = 0.2
    dropout_at: Annotated[Literal["logits", "features"], DROPOUT_AT] = "features"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, RELEVANCE_ESTIMATE})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        from avelzoo.builtin.heads.double import Double

        return Double(self, n=spec.n, width=widths.fused)


@dataclass(frozen=True, kw_only=True)
class EventAwareConfig(HeadConfig):
    """Event-aware double branch with a memory: nearest prototype, then anchors of its category (eq. 20-21).

    >>> EventAwareConfig(margin=0.9).margin
    0.9
    """

    paper: ClassVar[str] = "ge2023"

    margin: Annotated[
        float, Help("margin m: largest distance of an event segment to its nearest anchor"), Bounds(above=0)
    ] = 0.7
    threshold_from: Annotated[
        Literal["fixed", "val"],
        Help("decision distance: m (eq. 21), or chosen on val and saved with the weights"),
    ] = "fixed"
    temperature: Annotated[float, Help("tau of the prototype softmax (eq. 6)"), Bounds(above=0)] = 1.0
    prototype_distance: Annotated[
        Literal["plain", "scaled"],
        Help("distance in eq. 6: Euclidean, or divided by sqrt(d) (public code)"),
    ] = "plain"
    margin_distance: Annotated[
        Literal["scaled", "plain"],
        Help("distance in eq. 8 and 21: Euclidean divided by sqrt(d), or plain"),
    ] = "scaled"
    event_from: Annotated[
        Literal["prototypes", "prototypes+classifier"],
        Help("video category from prototypes (eq. 20), or plus the linear classifier"),
    ] = "prototypes"
    dropout: Annotated[float, Help("dropout, at the place `dropout_at` names"), Bounds(min=0, below=1)] = 0.2
    dropout_at: Annotated[Literal["logits", "features"], DROPOUT_AT] = "features"

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        return frozenset({MEMORY})

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, RELEVANCE_ESTIMATE, PROTOTYPE_LOGITS, EMBEDDING})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        from avelzoo.builtin.heads.event_aware import EventAware

        return EventAware(self, n=spec.n, width=widths.fused)


@dataclass(frozen=True, kw_only=True)
class EventAwareClassifiersConfig(HeadConfig):
    """Event-aware double branch without memory: one relevance classifier per category.

    The dependent, unshared variant of Table 2 ("EADB, + a variant of EADB").

    >>> EventAwareClassifiersConfig(threshold=0.6).threshold
    0.6
    """

    paper: ClassVar[str] = "ge2023"

    threshold: Annotated[float, Help("relevance above which a segment is an event"), Bounds(above=0, below=1)] = 0.5
    threshold_from: Annotated[Literal["fixed", "val"], THRESHOLD_FROM] = "fixed"
    dropout: Annotated[float, Help("dropout, at the place `dropout_at` names"), Bounds(min=0, below=1)] = 0.2
    dropout_at: Annotated[Literal["logits", "features"], DROPOUT_AT] = "features"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({EVENT_LOGITS, CATEGORY_RELEVANCE_LOGITS})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        from avelzoo.builtin.heads.event_aware_classifiers import EventAwareClassifiers

        return EventAwareClassifiers(self, n=spec.n, width=widths.fused)


@dataclass(frozen=True, kw_only=True)
class JointScoresConfig(HeadConfig):
    """Category and relevance from scores that the encoder gives for each modality; nothing is trained.

    The joint score of a category is the geometric mean of both modalities' scores.

    >>> JointScoresConfig(threshold=0.1).threshold
    0.1
    """

    has_parameters: ClassVar[bool] = False

    threshold: Annotated[float, Help("relevance above which a segment is an event"), Bounds(above=0, below=1)] = 0.5
    threshold_from: Annotated[Literal["fixed", "val"], THRESHOLD_FROM] = "fixed"

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        return frozenset({AUDIO_SCORES, VISUAL_SCORES})

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        from avelzoo.builtin.heads.joint_scores import JointScores

        return JointScores(self)
