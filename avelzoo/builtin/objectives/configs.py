"""Options of the built-in objectives."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from avelzoo.channels import (
    AUDIO_LOGITS,
    CATEGORY_RELEVANCE_LOGITS,
    EMBEDDING,
    EVENT_LOGITS,
    MEMORY,
    PROTOTYPE_LOGITS,
    RELEVANCE_LOGITS,
    SEGMENT_LOGITS,
    VISUAL_LOGITS,
    AnyOf,
)
from avelzoo.components import ObjectiveConfig, Supervision, Term
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import LossFunction
    from avelzoo.records import FeatureSpec

Weight = Bounds(min=0)
RELEVANCE = AnyOf(RELEVANCE_LOGITS, (CATEGORY_RELEVANCE_LOGITS, EVENT_LOGITS))


@dataclass(frozen=True, kw_only=True)
class MemoryTerms(ObjectiveConfig, ABC):
    """Base of objectives with the two terms of a memory.

    >>> issubclass(GeneralTerms, MemoryTerms)
    True
    """

    only_under: ClassVar[Mapping[str, Supervision]] = {"background_videos": "weak"}

    unimodal: Annotated[float, Help("weight of the uni-modal classifiers, eq. 2 or 17 (lambda 3)"), Weight] = 0.01
    prototype: Annotated[float, Help("weight of the prototype loss, eq. 7 (lambda 4)"), Weight] = 0.1
    prototype_level: Annotated[
        Literal["segment", "video"],
        Help("prototype softmax per segment (eq. 6-7), or of video means (public code)"),
    ] = "segment"
    background_videos: Annotated[
        Literal["mask", "category-0"],
        Help("weak videos without an event: relevance only, or category 0 (public code)"),
    ] = "mask"

    def memory_terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """Uni-modal classifiers and prototypes."""
        weak, first = supervision == "weak", self.as_first(supervision)
        per_segment = self.prototype_level == "segment"
        return (
            Term(
                "unimodal",
                self.unimodal,
                (AUDIO_LOGITS, VISUAL_LOGITS),
                _loss("unimodal", weak=weak, first=first),
                ("unimodal",),
            ),
            Term(
                "prototype",
                self.prototype,
                (PROTOTYPE_LOGITS, MEMORY),
                _loss("prototype", first=first, per_segment=per_segment),
                ("prototype", "prototype_level"),
            ),
        )

    def as_first(self, supervision: Supervision) -> bool:
        """Whether videos without an event count as category 0."""
        return supervision == "weak" and self.background_videos == "category-0"


@dataclass(frozen=True, kw_only=True)
class GeneralTerms(MemoryTerms, ABC):
    """Base of objectives with the terms of general heads and memories; systems add their own terms.

    >>> issubclass(GeneralConfig, GeneralTerms)
    True
    """

    only_under: ClassVar[Mapping[str, Supervision]] = {
        **MemoryTerms.only_under,
        "contrastive_mean": "full",
        "segment_pooling": "weak",
    }

    event: Annotated[float, Help("weight of the video's category, eq. 11 (lambda 1)"), Weight] = 1.0
    relevance: Annotated[float, Help("weight of event versus background, eq. 13 or 16 (lambda 2)"), Weight] = 1.0
    contrastive: Annotated[float, Help("weight of the contrastive loss, eq. 8 or 18 (lambda 5)"), Weight] = 0.1
    segment: Annotated[float, Help("weight of the n+1 classes per segment, for single-branch heads"), Weight] = 1.0
    contrastive_mean: Annotated[
        Literal["segments", "parts"],
        Help("full: eq. 8 over all segments, or event and background separately (public code)"),
    ] = "segments"
    segment_pooling: Annotated[
        Literal["mean", "max"], Help("weak: pooling of segment logits before the video's softmax")
    ] = "mean"

    def general_terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """All general terms, in the form of a supervision."""
        weak, first = supervision == "weak", self.as_first(supervision)
        parts = not weak and self.contrastive_mean == "parts"
        return (
            Term("event", self.event, (EVENT_LOGITS,), _loss("event", first=first), ("event",)),
            Term("relevance", self.relevance, (RELEVANCE,), _loss("relevance", weak=weak, first=first), ("relevance",)),
            *self.memory_terms(supervision),
            Term(
                "contrastive",
                self.contrastive,
                (EMBEDDING, MEMORY, *((RELEVANCE,) if weak else ())),
                _loss("contrastive", weak=weak, first=first, parts=parts),
                ("contrastive", "contrastive_mean"),
            ),
            Term(
                "segment",
                self.segment,
                (SEGMENT_LOGITS,),
                _loss("segment", weak=weak, pooling=self.segment_pooling),
                ("segment", "segment_pooling"),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class GeneralConfig(GeneralTerms):
    """All terms with input from head and memory, with segment labels (eq. 14) or video labels (eq. 19).

    A double or event-aware head has the event and relevance terms, a single-branch head the segment term. A memory adds
    the uni-modal term; an event-aware head adds the prototype and contrastive terms.

    >>> GeneralConfig(contrastive=0.2).contrastive
    0.2
    """

    paper: ClassVar[str] = "ge2023"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        return self.general_terms(supervision)


def _loss(name: str, **options: Any) -> Callable[[FeatureSpec], LossFunction]:
    """The factory of the general loss with this name."""

    def build(spec: FeatureSpec) -> LossFunction:
        from avelzoo.builtin.objectives import general

        return partial(getattr(general, name), **options)

    return build
