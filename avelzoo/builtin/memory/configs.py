"""Options of the built-in memories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.channels import AUDIO_LOGITS, MEMORY, RELEVANCE_ESTIMATE, VISUAL_LOGITS, Channel, Need
from avelzoo.components import MemoryConfig, Supervision
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.builtin.memory.bank import Bank
    from avelzoo.contracts import Memory
    from avelzoo.records import FeatureSpec, Widths

Unfilled = Literal["skip", "zeros"]
BackgroundVideos = Literal["skip", "category-0"]
Context = Literal["sequence", "independent"]
Entrants = Literal["all", "best"]
Duplicates = Literal["segment", "audio-sum"]
WeakScore = Literal["jsd", "jsd+relevance"]

CONTEXT = Help("temporal context of a stored segment: its category's slots as one sequence, or none (t=1)")
REFRESH = Help("score stored segments again with the current encoder at every reading, not only at entry")


@dataclass(frozen=True, kw_only=True)
class NoMemoryConfig(MemoryConfig):
    """No memory and no uni-modal classifiers.

    >>> NoMemoryConfig().to_dict()
    {}
    """

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.none import NoMemory

        return NoMemory()


@dataclass(frozen=True, kw_only=True)
class BankConfig(MemoryConfig):
    """What all banks share: slots per category, which videos feed them, what an unfilled slot is."""

    paper: ClassVar[str] = "ge2023"

    size: Annotated[int, Help("slots l per category"), Bounds(min=1)] = 16
    unfilled: Annotated[
        Unfilled,
        Help("slots never filled: left out of every mean and distance, or zeros that count (public code)"),
    ] = "skip"
    background_videos: Annotated[
        BackgroundVideos,
        Help("videos without an event: kept out of the bank, or put under category 0 (public code)"),
    ] = "skip"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({MEMORY, AUDIO_LOGITS, VISUAL_LOGITS})

    def _bank(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> partial[Bank]:
        """`Bank` with the options that every bank has."""
        from avelzoo.builtin.memory.bank import Bank

        return partial(
            Bank,
            spec,
            widths,
            supervision,
            size=self.size,
            unfilled=self.unfilled,
            background_videos=self.background_videos,
        )


@dataclass(frozen=True, kw_only=True)
class JsdBankConfig(BankConfig):
    """Raw segments with the highest audio-visual agreement, encoded anew in every step (sec. 3.4.1-2).

    >>> JsdBankConfig(candidates="best").candidates
    'best'
    """

    context: Annotated[Context, CONTEXT] = "sequence"
    candidates: Annotated[
        Entrants,
        Help("segments that may enter: every one of the batch (paper), or the best of each video (public code)"),
    ] = "all"
    duplicates: Annotated[
        Duplicates,
        Help("a stored segment is known by its video and position, or by the sum of its audio (public code)"),
    ] = "segment"
    weak_score: Annotated[
        WeakScore,
        Help("score under weak supervision: eq. 4, or plus the head's relevance estimate (ours, not the paper's)"),
    ] = "jsd"
    refresh_scores: Annotated[bool, REFRESH] = True
    update_fraction: Annotated[
        float,
        Help("leading share of a batch that feeds the bank; the public code on two GPUs uses 0.5"),
        Bounds(above=0, max=1),
    ] = 1.0

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        estimated = supervision == "weak" and self.weak_score == "jsd+relevance"
        return frozenset({RELEVANCE_ESTIMATE} if estimated else ())

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import EveryStep
        from avelzoo.builtin.memory.relation import JsdRelation

        return self._bank(spec, widths, supervision)(
            relation=JsdRelation(),
            embeddings=EveryStep(spec, widths.fused, self.context),
            entrants=self.candidates,
            duplicates=self.duplicates,
            weak_score=self.weak_score,
            refresh=self.refresh_scores,
            update_fraction=self.update_fraction,
        )


@dataclass(frozen=True, kw_only=True)
class LazyBankConfig(BankConfig):
    """An approximation of jsd-bank for speed: segments are encoded anew in every k-th step alone, without gradient.

    >>> LazyBankConfig(every=4).every
    4
    """

    assumptions: ClassVar[tuple[str, ...]] = ("Ours, not the paper's: stale embeddings, and no gradient through them.",)

    refresh_scores: Annotated[bool, REFRESH] = True
    every: Annotated[int, Help("training steps k from one encoding of the bank to the next"), Bounds(min=1)] = 8
    context: Annotated[Context, CONTEXT] = "sequence"

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import EveryKthStep, EveryStep
        from avelzoo.builtin.memory.relation import JsdRelation

        return self._bank(spec, widths, supervision)(
            relation=JsdRelation(),
            embeddings=EveryKthStep(EveryStep(spec, widths.fused, self.context), self.every),
            refresh=self.refresh_scores,
        )


@dataclass(frozen=True, kw_only=True)
class RandomBankConfig(BankConfig):
    """Raw segments drawn at random among event-related ones: Table 2's row without the JSD-based update.

    >>> RandomBankConfig(size=8).unfilled
    'skip'
    """

    context: Annotated[Context, CONTEXT] = "sequence"

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import EveryStep
        from avelzoo.builtin.memory.relation import RandomRelation

        return self._bank(spec, widths, supervision)(
            relation=RandomRelation(), embeddings=EveryStep(spec, widths.fused, self.context)
        )


@dataclass(frozen=True, kw_only=True)
class FeatureBankConfig(BankConfig):
    """Fused features chosen as by jsd-bank but kept as they were: Table 2's row without feature consistency.

    >>> FeatureBankConfig(size=8).size
    8
    """

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import Stored
        from avelzoo.builtin.memory.relation import JsdRelation

        return self._bank(spec, widths, supervision)(relation=JsdRelation(), embeddings=Stored(widths.fused))
