"""The event memories of Ge et al. 2023 and its ablations: combinations of a relation score and stored embeddings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo.builtin.memory.relation import RandomRelation, Unimodal, UnimodalClassifiers
from avelzoo.builtin.memory.slots import Candidates, RankedSlots
from avelzoo.channels import AUDIO_LOGITS, VISUAL_LOGITS, Channel
from avelzoo.contracts import Encode, Memory
from avelzoo.records import Batch, Encoded, FeatureSpec, MemoryView, Targets, Widths

if TYPE_CHECKING:
    from avelzoo.builtin.memory.configs import BackgroundVideos, Duplicates, Entrants, Unfilled, WeakScore
    from avelzoo.builtin.memory.embeddings import Embeddings
    from avelzoo.builtin.memory.reading import Parts
    from avelzoo.builtin.memory.relation import Relation
    from avelzoo.components import Supervision

SEGMENT_BITS = 20
"""A stored segment's key is (video row << 20) + position."""


class Bank(Memory):
    """Slots per category that store a batch's segments with the highest scores and are read as embeddings.

    Args:
        spec: sizes of the features.
        widths: channels of the encoder's outputs.
        supervision: with ``full``, scores include segment labels.
        relation: scores of segments.
        embeddings: stored tensors of a slot, and their embedding.
        size: slots l per category.
        unfilled: unfilled slots are skipped, or read as the encoding of zeros.
        background_videos: videos without an event are skipped, or count as category 0.
        entrants: all segments of a video are candidates, or only its best one.
        duplicates: identity of a segment.
        weak_score: whether weak scores include the head's estimate of the relevance.
        refresh: score the stored segments again at every reading that encodes them.
        update_fraction: leading share of the batch whose videos are candidates.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        widths: Widths,
        supervision: Supervision,
        *,
        relation: Relation,
        embeddings: Embeddings,
        size: int,
        unfilled: Unfilled,
        background_videos: BackgroundVideos,
        entrants: Entrants = "all",
        duplicates: Duplicates = "segment",
        weak_score: WeakScore = "jsd",
        refresh: bool = False,
        update_fraction: float = 1.0,
    ) -> None:
        super().__init__()
        self.slots = RankedSlots(spec.n, size, embeddings.shapes)
        self.classifiers = UnimodalClassifiers(widths.audio, widths.visual, spec.n)
        self.supervision = supervision
        self.relation = relation
        self.embeddings = embeddings
        self.unfilled = unfilled
        self.background_videos = background_videos
        self.entrants = entrants
        self.duplicates = duplicates
        self.weak_score = weak_score
        self.refresh = refresh
        self.update_fraction = update_fraction

    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> dict[Channel, Tensor]:
        """Return uni-modal logits with gradient; store the batch's segments without gradient."""
        unimodal: Unimodal = self.classifiers(encoded.audio, encoded.visual)
        with torch.no_grad():
            if self.relation.rescored:
                self.slots.rescore(RandomRelation.draw(self.slots.score))
            self._admit(self.candidates(encoded, batch, targets, unimodal))
        return {AUDIO_LOGITS: unimodal.audio_logits, VISUAL_LOGITS: unimodal.visual_logits}

    def wants_features(self, encoded: Encoded, batch: Batch, targets: Targets) -> Tensor:
        """(b) bool: videos with a segment that would enter a slot now; none if slots store fused features."""
        wanted = torch.zeros_like(batch.rows, dtype=torch.bool)
        if not self.embeddings.stores_features:
            return wanted
        if self.relation.rescored:  # scores are drawn only in `observe`
            return targets.has_event | (self.background_videos == "category-0")
        with torch.no_grad():
            entries = self.candidates(encoded, batch, targets, self.classifiers(encoded.audio, encoded.visual))
            lowest = self.slots.score.masked_fill(~self.slots.filled, -1.0).amin(dim=1)
            wins = entries.allowed & (entries.score >= lowest[entries.category])
            if self.duplicates == "segment":
                wins &= ~self._is_stored(entries)
        return wins.view(batch.audio.shape[:2]).any(dim=1)

    def infer(self, encoded: Encoded) -> dict[Channel, Tensor]:
        """Uni-modal logits, as in training."""
        unimodal: Unimodal = self.classifiers(encoded.audio, encoded.visual)
        return {AUDIO_LOGITS: unimodal.audio_logits, VISUAL_LOGITS: unimodal.visual_logits}

    def read(self, encode: Encode) -> MemoryView:
        """(n l d) embeddings, with gradient if ``embeddings`` computes them with gradient."""
        zeros = self.unfilled == "zeros"
        filled = torch.ones_like(self.slots.filled) if zeros else self.slots.filled.clone()
        items, parts = self.embeddings.read(self.slots, encode, unfilled=zeros)
        if self.refresh and self.training and parts:
            self._rank_again(parts)
        return MemoryView(items=items, filled=filled)

    def stored(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """The stored segments; None if only their embeddings are stored."""
        if not self.embeddings.stores_features:
            return None
        return self.slots.payload("audio"), self.slots.payload("visual"), self.slots.filled

    def origins(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Row, segment and score of every slot, and which slots are filled, (n l) each."""
        slots = self.slots
        return slots.key >> SEGMENT_BITS, slots.key & (2**SEGMENT_BITS - 1), slots.score, slots.filled

    def candidates(self, encoded: Encoded, batch: Batch, targets: Targets, unimodal: Unimodal) -> Candidates:
        """All b t segments, ordered by video and time, as entries of their video's category."""
        b, t = batch.audio.shape[:2]
        relevance = self._relevance(targets)
        score = self._scores(unimodal, relevance, batch.mask)
        known = relevance if relevance is not None else torch.zeros_like(score)
        key = (batch.rows.unsqueeze(1) << SEGMENT_BITS) + torch.arange(t, device=batch.rows.device)
        event = targets.event
        if self.background_videos == "category-0":
            event = torch.where(targets.has_event, event, torch.zeros_like(event))
        allowed = (event != targets.background).unsqueeze(1).expand(b, t).clone()
        allowed[math.ceil(b * self.update_fraction) :] = False
        if batch.mask is not None:
            allowed &= batch.mask
        if self.relation.event_only and relevance is not None:
            allowed &= relevance > 0
        if self.entrants == "best":
            allowed &= torch.arange(t, device=score.device) == score.argmax(dim=1, keepdim=True)
        return Candidates(
            category=event.clamp_max(targets.background - 1).unsqueeze(1).expand(b, t).reshape(-1),
            score=score.flatten(),
            key=key.flatten(),
            relevance=known.flatten(),
            position=torch.arange(b * t, device=score.device),
            allowed=allowed.flatten(),
            source={name: value.flatten(0, 1) for name, value in self.embeddings.source(encoded, batch).items()},
        )

    def _scores(self, unimodal: Unimodal, relevance: Tensor | None, mask: Tensor | None) -> Tensor:
        """(b t) scores of real segments; 0 in padding, below every score."""
        if mask is None:
            return self.relation(unimodal, relevance).float()
        known = None if relevance is None else relevance[mask]
        found = self.relation(unimodal.map(lambda logits: logits[mask]), known).float()
        return found.new_zeros(mask.shape).masked_scatter(mask, found)

    def _admit(self, entries: Candidates) -> None:
        """Insert entries into their categories, except entries already stored."""
        if self.duplicates == "segment":
            fresh = ~self._is_stored(entries) & _first_of_key(entries.key.masked_fill(~entries.allowed, -1))
            self.slots.insert(replace(entries, allowed=entries.allowed & fresh))
            return
        entries = entries.take(entries.allowed.nonzero().squeeze(1))
        # The public code adds entries one after another and compares each with those stored before.
        for i, category in enumerate(entries.category.tolist()):
            one = entries.take(torch.tensor([i], device=entries.key.device))
            known = self.slots.payload("audio")[category].double().sum(dim=-1)
            incoming = one.source["audio"][one.position].double().sum(dim=-1)
            if not bool((known == incoming).any()):
                self.slots.insert(one)

    def _is_stored(self, entries: Candidates) -> Tensor:
        """(k) bool: entries that are in a slot of their category."""
        return (self.slots.key[entries.category] == entries.key.unsqueeze(1)).any(dim=1)

    def _relevance(self, targets: Targets) -> Tensor | None:
        """(b t): y^r, or its estimate; None without either."""
        if self.supervision == "full":
            return targets.relevance
        return targets.estimate if self.weak_score == "jsd+relevance" else None

    @torch.no_grad()
    def _rank_again(self, parts: Parts) -> None:
        """Score the stored segments from this reading's encodings, and sort each category's slots by score."""
        scores = torch.zeros_like(self.slots.score)
        labelled = self.supervision == "full" or self.weak_score == "jsd+relevance"
        for where, part in parts:
            known = self.slots.relevance[where] if labelled else None
            scores[where] = self.relation(self.classifiers(part.audio, part.visual), known).to(scores.dtype)
        self.slots.rescore(scores)


def _first_of_key(key: Tensor) -> Tensor:
    """(k) bool: whether an entry is the first with its key."""
    order = key.argsort(stable=True)
    known = torch.zeros_like(key, dtype=torch.bool)
    known[1:] = key[order[1:]] == key[order[:-1]]
    return torch.zeros_like(known).scatter(0, order, ~known)
