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

CONTEXT = Help("context of a stored segment: sequence of its category's slots, or none (t=1)")
SLICE = Help("MiB of activations per slice of slots, encoded in turn; 0: one slice")
REFRESH = Help("score stored segments at every reading, not only at entry")


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
    """Options of all banks: slots per category, candidate videos, unfilled slots."""

    paper: ClassVar[str] = "ge2023"

    size: Annotated[int, Help("slots l per category"), Bounds(min=1)] = 16
    unfilled: Annotated[
        Unfilled,
        Help("unfilled slots: skipped, or counted as zeros (public code)"),
    ] = "skip"
    background_videos: Annotated[
        BackgroundVideos,
        Help("videos without an event: skipped, or stored as category 0 (public code)"),
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
    """Raw segments with the highest audio-visual agreement, re-encoded in every step (sec. 3.4.1-2).

    >>> JsdBankConfig(candidates="best").candidates
    'best'
    """

    context: Annotated[Context, CONTEXT] = "sequence"
    slice_mb: Annotated[int, SLICE, Bounds(min=0)] = 0
    candidates: Annotated[
        Entrants,
        Help("candidates: all segments (paper), or each video's best (public code)"),
    ] = "all"
    duplicates: Annotated[
        Duplicates,
        Help("identity of a segment: video and position, or audio sum (public code)"),
    ] = "segment"
    weak_score: Annotated[
        WeakScore,
        Help("weak score: eq. 4, or eq. 4 plus the head's relevance estimate (ours)"),
    ] = "jsd"
    refresh_scores: Annotated[bool, REFRESH] = True
    update_fraction: Annotated[
        float,
        Help("leading share of a batch used for updates; 0.5 in the public code"),
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
            embeddings=EveryStep(spec, widths.fused, self.context, self.slice_mb),
            entrants=self.candidates,
            duplicates=self.duplicates,
            weak_score=self.weak_score,
            refresh=self.refresh_scores,
            update_fraction=self.update_fraction,
        )


@dataclass(frozen=True, kw_only=True)
class LazyBankConfig(BankConfig):
    """A faster approximation of jsd-bank: segments are re-encoded only in every k-th step, without gradient.

    >>> LazyBankConfig(every=4).every
    4
    """

    assumptions: ClassVar[tuple[str, ...]] = (
        "Embeddings are up to k steps old and have no gradient; the paper re-encodes them in every step.",
    )

    refresh_scores: Annotated[bool, REFRESH] = True
    every: Annotated[int, Help("training steps k between two encodings of the bank"), Bounds(min=1)] = 8
    context: Annotated[Context, CONTEXT] = "sequence"
    slice_mb: Annotated[int, SLICE, Bounds(min=0)] = 0

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import EveryKthStep, EveryStep
        from avelzoo.builtin.memory.relation import JsdRelation

        return self._bank(spec, widths, supervision)(
            relation=JsdRelation(),
            embeddings=EveryKthStep(EveryStep(spec, widths.fused, self.context, self.slice_mb), self.every),
            refresh=self.refresh_scores,
        )


@dataclass(frozen=True, kw_only=True)
class RandomBankConfig(BankConfig):
    """Raw segments drawn at random from event-related ones: Table 2's row without the JSD-based update.

    >>> RandomBankConfig(size=8).unfilled
    'skip'
    """

    context: Annotated[Context, CONTEXT] = "sequence"
    slice_mb: Annotated[int, SLICE, Bounds(min=0)] = 0

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import EveryStep
        from avelzoo.builtin.memory.relation import RandomRelation

        return self._bank(spec, widths, supervision)(
            relation=RandomRelation(), embeddings=EveryStep(spec, widths.fused, self.context, self.slice_mb)
        )


@dataclass(frozen=True, kw_only=True)
class FeatureBankConfig(BankConfig):
    """Fused features selected as in jsd-bank but not re-encoded: Table 2's row without feature consistency.

    >>> FeatureBankConfig(size=8).size
    8
    """

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        from avelzoo.builtin.memory.embeddings import Stored
        from avelzoo.builtin.memory.relation import JsdRelation

        return self._bank(spec, widths, supervision)(relation=JsdRelation(), embeddings=Stored(widths.fused))
