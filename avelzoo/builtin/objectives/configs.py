"""Options of the built-in objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.components import ObjectiveConfig, Supervision, Term
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import Objective
    from avelzoo.records import FeatureSpec

Weight = Bounds(min=0)
ANY_PREDICTION = frozenset({"event_logits|segment_logits"})
RELEVANCE = "relevance_logits|category_relevance_logits"


@dataclass(frozen=True, kw_only=True)
class FullConfig(ObjectiveConfig):
    """Fully supervised objective (eq. 14): every term for which the head and the memory give predictions.

    A double or event-aware head gets the event and relevance terms, a single-branch head the segment term; a memory
    adds the uni-modal one, an event-aware head the prototype and contrastive ones.
    """

    paper: ClassVar[str] = "ge2023"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)

    event: Annotated[float, Help("weight of the video's category, eq. 11 (lambda 1)"), Weight] = 1.0
    relevance: Annotated[float, Help("weight of event against background, eq. 13 (lambda 2)"), Weight] = 1.0
    unimodal: Annotated[float, Help("weight of the uni-modal classifiers, eq. 2 (lambda 3)"), Weight] = 0.01
    prototype: Annotated[float, Help("weight of the prototype loss, eq. 7 (lambda 4)"), Weight] = 0.1
    contrastive: Annotated[float, Help("weight of the contrastive loss, eq. 8 (lambda 5)"), Weight] = 0.1
    segment: Annotated[float, Help("weight of the n+1 classes per segment, for single-branch heads"), Weight] = 1.0
    prototype_level: Annotated[
        Literal["segment", "video"],
        Help("prototype softmax per segment (eq. 6-7), or once on the video's mean distances (public code)"),
    ] = "segment"
    contrastive_mean: Annotated[
        Literal["segments", "parts"],
        Help("eq. 8 over all segments (paper), or event and background segments averaged apart (public code)"),
    ] = "segments"

    @property
    def requires(self) -> frozenset[str]:
        return ANY_PREDICTION

    @property
    def terms(self) -> Mapping[str, Term]:
        return _terms(self, contrastive=("contrastive_mean",))

    def build(self, spec: FeatureSpec) -> Objective:
        from avelzoo.builtin.objectives.full import FullObjective

        return FullObjective(self)


@dataclass(frozen=True, kw_only=True)
class WeakConfig(ObjectiveConfig):
    """Weakly supervised objective (eq. 19): every term for which the head and the memory give predictions."""

    paper: ClassVar[str] = "ge2023"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)

    event: Annotated[float, Help("weight of the video's category, eq. 11"), Weight] = 1.0
    relevance: Annotated[float, Help("weight of the video's relevance, eq. 16"), Weight] = 1.0
    unimodal: Annotated[float, Help("weight of the uni-modal classifiers, eq. 17"), Weight] = 0.01
    prototype: Annotated[float, Help("weight of the prototype loss, eq. 7"), Weight] = 0.1
    contrastive: Annotated[float, Help("weight of the contrastive loss, eq. 18"), Weight] = 0.1
    segment: Annotated[float, Help("weight of the pooled n+1 classes, for single-branch heads"), Weight] = 1.0
    segment_pooling: Annotated[
        Literal["mean", "max"], Help("over a single-branch head's segment logits, before the video's softmax")
    ] = "mean"
    prototype_level: Annotated[
        Literal["segment", "video"],
        Help("prototype softmax per segment (eq. 6-7), or once on the video's mean distances (public code)"),
    ] = "segment"
    background_videos: Annotated[
        Literal["mask", "category-0"],
        Help("videos without an event: only the relevance term, or all terms as category 0 (public code)"),
    ] = "mask"

    @property
    def requires(self) -> frozenset[str]:
        return ANY_PREDICTION

    @property
    def terms(self) -> Mapping[str, Term]:
        return _terms(self, needed_by_contrastive=(RELEVANCE,), segment=("segment_pooling",))

    def build(self, spec: FeatureSpec) -> Objective:
        from avelzoo.builtin.objectives.weak import WeakObjective

        return WeakObjective(self)


def _terms(
    config: FullConfig | WeakConfig,
    *,
    needed_by_contrastive: tuple[str, ...] = (),
    contrastive: tuple[str, ...] = (),
    segment: tuple[str, ...] = (),
) -> dict[str, Term]:
    """The terms of eq. 14 and 19; the last two arguments are further options of their terms."""
    needs: dict[str, tuple[str, ...]] = {
        "event": ("event_logits",),
        "relevance": (RELEVANCE,),
        "unimodal": ("unimodal",),
        "prototype": ("prototype_logits", "memory"),
        "contrastive": ("embedding", "memory", *needed_by_contrastive),
        "segment": ("segment_logits",),
    }
    options = {"prototype": ("prototype_level",), "contrastive": contrastive, "segment": segment}
    return {
        name: Term(weight=getattr(config, name), needs=needed, options=(name, *options.get(name, ())))
        for name, needed in needs.items()
    }
