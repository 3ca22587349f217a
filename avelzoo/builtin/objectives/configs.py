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
    """The two terms that a memory adds to any objective, for objectives to build on.

    >>> issubclass(GeneralTerms, MemoryTerms)
    True
    """

    only_under: ClassVar[Mapping[str, Supervision]] = {"background_videos": "weak"}

    unimodal: Annotated[float, Help("weight of the uni-modal classifiers, eq. 2 or 17 (lambda 3)"), Weight] = 0.01
    prototype: Annotated[float, Help("weight of the prototype loss, eq. 7 (lambda 4)"), Weight] = 0.1
    prototype_level: Annotated[
        Literal["segment", "video"],
        Help("prototype softmax per segment (eq. 6-7), or once on the video's mean distances (public code)"),
    ] = "segment"
    background_videos: Annotated[
        Literal["mask", "category-0"],
        Help("weak: videos without an event train relevance alone, or all terms as category 0 (public code)"),
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
    """The terms that general heads and memories have input for, for a system's objective to add its own to.

    >>> issubclass(GeneralConfig, GeneralTerms)
    True
    """

    only_under: ClassVar[Mapping[str, Supervision]] = {
        **MemoryTerms.only_under,
        "contrastive_mean": "full",
        "segment_pooling": "weak",
    }

    event: Annotated[float, Help("weight of the video's category, eq. 11 (lambda 1)"), Weight] = 1.0
    relevance: Annotated[float, Help("weight of event against background, eq. 13 or 16 (lambda 2)"), Weight] = 1.0
    contrastive: Annotated[float, Help("weight of the contrastive loss, eq. 8 or 18 (lambda 5)"), Weight] = 0.1
    segment: Annotated[float, Help("weight of the n+1 classes per segment, for single-branch heads"), Weight] = 1.0
    contrastive_mean: Annotated[
        Literal["segments", "parts"],
        Help("full: eq. 8 over all segments (paper), or over event and background apart (public code)"),
    ] = "segments"
    segment_pooling: Annotated[
        Literal["mean", "max"], Help("weak: over a single-branch head's segment logits, before the video's softmax")
    ] = "mean"

    def general_terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """All of them, in the form of a supervision."""
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
    """Every term for which head and memory give predictions, by segment labels (eq. 14) or video labels (eq. 19).

    A double or event-aware head gets the event and relevance terms, a single-branch head the segment term; a memory
    adds the uni-modal one, an event-aware head the prototype and contrastive ones.

    >>> GeneralConfig(contrastive=0.2).contrastive
    0.2
    """

    paper: ClassVar[str] = "ge2023"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        return self.general_terms(supervision)


def _loss(name: str, **options: Any) -> Callable[[FeatureSpec], LossFunction]:
    """What builds the general loss of a name."""

    def build(spec: FeatureSpec) -> LossFunction:
        from avelzoo.builtin.objectives import general

        return partial(getattr(general, name), **options)

    return build
