"""The event memories of Ge et al. 2023 and its ablations: what is chosen x what is stored."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from avelzoo.builtin.memory.reading import Context, Parts, encode_slots
from avelzoo.builtin.memory.relation import JsdRelation, RandomRelation, UnimodalClassifiers
from avelzoo.builtin.memory.slots import Candidates, RankedSlots
from avelzoo.contracts import Encode, Memory
from avelzoo.records import Batch, Encoded, MemoryView, Targets, Unimodal

SEGMENT_BITS = 20
"""A stored segment's key is (video row << 20) + position."""


class Bank(Memory):
    """Slots per category, fed by a batch's best-related segments and read as embeddings.

    Args:
        slots: where entries are kept.
        classifiers: the uni-modal classifiers of eq. 2.
        relation: how segments are scored.
        stores: ``raw`` features, encoded anew at every reading, or ``fused`` ones as they were.
        width: d of the embeddings.
        supervised: whether segment labels enter the scores.
        unfilled: what a slot never filled contributes: nothing, or the encoding of zeros.
        background_videos: whether videos without an event stay out or count as category 0.
        context: temporal context of raw segments at reading.
        best_only: one candidate per video, its best segment, in place of all.
        by_audio_sum: two segments are the same when the sums of their audio channels are equal.
        refresh: score the stored segments again at every reading.
        estimated: where labels are weak, the head's estimate of the relevance enters the scores.
        update_fraction: leading share of the batch that may enter.
    """

    def __init__(
        self,
        slots: RankedSlots,
        classifiers: UnimodalClassifiers,
        relation: JsdRelation | RandomRelation,
        *,
        stores: Literal["raw", "fused"],
        width: int,
        supervised: bool,
        unfilled: Literal["skip", "zeros"],
        background_videos: Literal["skip", "category-0"],
        context: Context = "sequence",
        best_only: bool = False,
        by_audio_sum: bool = False,
        refresh: bool = False,
        estimated: bool = False,
        update_fraction: float = 1.0,
    ) -> None:
        super().__init__()
        self.slots = slots
        self.classifiers = classifiers
        self.relation = relation
        self.stores = stores
        self.width = width
        self.supervised = supervised
        self.zeros_count = unfilled == "zeros"
        self.background_as_first = background_videos == "category-0"
        self.context: Context = context
        self.best_only = best_only
        self.by_audio_sum = by_audio_sum
        self.refresh = refresh
        self.estimated = estimated
        self.update_fraction = update_fraction

    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> Unimodal:
        """Uni-modal logits with gradient; the slots take the batch's segments without."""
        unimodal: Unimodal = self.classifiers(encoded.audio, encoded.visual)
        with torch.no_grad():
            if self.relation.rescored:
                self.slots.rescore(RandomRelation.draw(self.slots.score))
            self._admit(self.candidates(encoded, batch, targets, unimodal))
        return unimodal

    def wants_features(self, encoded: Encoded, batch: Batch, targets: Targets) -> Tensor:
        """(b) bool: videos with a segment that would win a slot from what is stored now; none where fused ones are."""
        wanted = torch.zeros_like(batch.rows, dtype=torch.bool)
        if self.stores == "fused":
            return wanted
        if self.relation.rescored:  # the scores are drawn in `observe`, and only there
            return targets.has_event | self.background_as_first
        with torch.no_grad():
            entries = self.candidates(encoded, batch, targets, self.classifiers(encoded.audio, encoded.visual))
            lowest = self.slots.score.masked_fill(~self.slots.filled, -1.0).amin(dim=1)
            wins = entries.score >= lowest[entries.category]
            if not self.by_audio_sum:
                wins &= ~torch.isin(entries.key, self.slots.key)
        wanted[entries.position[wins] // batch.audio.shape[1]] = True
        return wanted

    def read(self, encode: Encode) -> MemoryView:
        """(n l d) embeddings; with raw storage gradients flow through them into the encoder."""
        filled = torch.ones_like(self.slots.filled) if self.zeros_count else self.slots.filled.clone()
        if self.stores == "fused":
            return MemoryView(items=self.slots.payload("fused").clone(), filled=filled)
        view, parts = self.encoded(encode, filled)
        if self.refresh and self.training:
            self.rank_again(parts)
        return view

    def encoded(self, encode: Encode, filled: Tensor) -> tuple[MemoryView, Parts]:
        """The stored raw segments' embeddings, and the encodings that they come from by place."""
        audio, visual = self.slots.payload("audio"), self.slots.payload("visual")
        parts = encode_slots(encode, audio, visual, filled, self.context)
        items = audio.new_zeros(*filled.shape, self.width)
        if parts:
            items = items.to(parts[0][1].fused.dtype)
        for where, part in parts:
            items = items.index_put(where, part.fused)
        return MemoryView(items=items, filled=filled), parts

    def candidates(self, encoded: Encoded, batch: Batch, targets: Targets, unimodal: Unimodal) -> Candidates:
        """The batch's segments in order of video and time, as entries for their video's category."""
        b, t = batch.audio.shape[:2]
        relevance = self._relevance(targets)
        score = self.relation(unimodal, relevance).float()
        known = relevance if relevance is not None else torch.zeros_like(score)
        key = (batch.rows.unsqueeze(1) << SEGMENT_BITS) + torch.arange(t, device=batch.rows.device)
        event = targets.event
        if self.background_as_first:
            event = torch.where(targets.has_event, event, torch.zeros_like(event))
        allowed = (event != targets.background).unsqueeze(1).expand(b, t).clone()
        allowed[math.ceil(b * self.update_fraction) :] = False
        if self.relation.event_only and relevance is not None:
            allowed &= relevance > 0
        if self.best_only:
            best = torch.zeros_like(allowed)
            best[torch.arange(b, device=best.device), score.argmax(dim=1)] = True
            allowed &= best
        index = allowed.flatten().nonzero().squeeze(1)
        source = {"audio": batch.audio, "visual": batch.visual} if self.stores == "raw" else {"fused": encoded.fused}
        return Candidates(
            category=event.unsqueeze(1).expand(b, t).reshape(-1)[index],
            score=score.flatten()[index],
            key=key.flatten()[index],
            relevance=known.flatten()[index],
            position=index,
            source={name: value.flatten(0, 1) for name, value in source.items()},
        )

    def _admit(self, entries: Candidates) -> None:
        """Offer entries to their categories, those already stored left out."""
        if not self.by_audio_sum:
            stored = (self.slots.key[entries.category] == entries.key.unsqueeze(1)).any(dim=1)
            fresh = ~stored & _first_of_key(entries.key)
            self.slots.insert(entries.take(fresh.nonzero().squeeze(1)))
            return
        # The public code adds one entry after the other, and compares each with what is stored by then.
        for i, category in enumerate(entries.category.tolist()):
            one = entries.take(torch.tensor([i], device=entries.key.device))
            known = self.slots.payload("audio")[category].double().sum(dim=-1)
            incoming = one.source["audio"][one.position].double().sum(dim=-1)
            if not bool((known == incoming).any()):
                self.slots.insert(one)

    def _relevance(self, targets: Targets) -> Tensor | None:
        """(b t): y^r, or the estimate in its place, or neither."""
        if self.supervised:
            return targets.relevance
        return targets.estimate if self.estimated else None

    @torch.no_grad()
    def rank_again(self, parts: Parts) -> None:
        """Score the stored segments from this reading's encodings, and order every category's slots by it."""
        scores = torch.zeros_like(self.slots.score)
        for where, part in parts:
            known = self.slots.relevance[where] if self.supervised or self.estimated else None
            scores[where] = self.relation(self.classifiers(part.audio, part.visual), known).to(scores.dtype)
        self.slots.rescore(scores)


def _first_of_key(key: Tensor) -> Tensor:
    """(k) bool: whether an entry is the first with its key."""
    order = key.argsort(stable=True)
    known = torch.zeros_like(key, dtype=torch.bool)
    known[1:] = key[order[1:]] == key[order[:-1]]
    return torch.zeros_like(known).scatter(0, order, ~known)
