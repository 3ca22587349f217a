"""The general loss terms of objectives, in their full and weak forms (Ge et al. 2023, eq. 14 and 19).

Each term takes a head output, targets and the memory's content. Common options: ``weak``, labels per video only;
``first``, videos without an event count as category 0 (public code) instead of being skipped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from avelzoo.builtin.objectives import terms
from avelzoo.channels import (
    AUDIO_LOGITS,
    CATEGORY_RELEVANCE_LOGITS,
    EMBEDDING,
    EVENT_LOGITS,
    PROTOTYPE_LOGITS,
    RELEVANCE_LOGITS,
    SEGMENT_LOGITS,
    VISUAL_LOGITS,
)
from avelzoo.records import HeadOutput, MemoryView, Targets


def event(p: HeadOutput, targets: Targets, view: MemoryView | None, *, first: bool) -> Tensor:
    """Eq. 11."""
    targets = _counted(targets, first=first)
    return terms.event_loss(p[EVENT_LOGITS], targets.event, targets.has_event)


def relevance(p: HeadOutput, targets: Targets, view: MemoryView | None, *, weak: bool, first: bool) -> Tensor:
    """Eq. 13, or eq. 15-16."""
    logits = _relevance_logits(p, _counted(targets, first=first))
    if weak:
        return terms.weak_relevance_loss(logits, targets.presence, targets.mask)
    return terms.relevance_loss(logits, targets.relevance, targets.mask)


def unimodal(p: HeadOutput, targets: Targets, view: MemoryView | None, *, weak: bool, first: bool) -> Tensor:
    """Eq. 2, or eq. 17."""
    audio, visual = p[AUDIO_LOGITS], p[VISUAL_LOGITS]
    if not weak:
        assert targets.segments is not None
        return terms.unimodal_loss(audio, visual, targets.segments, targets.relevance, targets.mask)
    targets, shape = _counted(targets, first=first), audio.shape[:2]
    category, counted = targets.event.unsqueeze(1).expand(shape), targets.has_event.unsqueeze(1).expand(shape)
    return terms.unimodal_loss(audio, visual, category, counted, targets.mask)


def prototype(p: HeadOutput, targets: Targets, view: MemoryView | None, *, first: bool, per_segment: bool) -> Tensor:
    """Eq. 7, over videos whose category has a filled slot."""
    assert view is not None
    targets = _counted(targets, first=first)
    usable = targets.has_event & view.usable[targets.event.clamp_max(targets.background - 1)]
    return terms.prototype_loss(p[PROTOTYPE_LOGITS], targets.event, usable, targets.mask, per_segment=per_segment)


def contrastive(
    p: HeadOutput, targets: Targets, view: MemoryView | None, *, weak: bool, first: bool, parts: bool
) -> Tensor:
    """Eq. 8, or eq. 18 with the model's own relevance, which has gradient, as in the public code."""
    assert view is not None and p.metric is not None, "an embedding comes with its metric"
    targets = _counted(targets, first=first)
    extremes = terms.anchor_extremes(p[EMBEDDING], view, p.metric, targets.event)
    weight = _relevance_logits(p, targets).float().sigmoid() if weak else targets.relevance
    return terms.contrastive_loss(extremes, weight, targets.has_event, p.metric.margin, targets.mask, parts=parts)


def segment(
    p: HeadOutput, targets: Targets, view: MemoryView | None, *, weak: bool, pooling: Literal["mean", "max"]
) -> Tensor:
    """Cross-entropy of n+1 classes: of every segment, or of pooled segments."""
    if weak:
        return terms.pooled_segment_loss(p[SEGMENT_LOGITS], targets.video_labels, targets.mask, pooling=pooling)
    assert targets.segments is not None
    return terms.segment_loss(p[SEGMENT_LOGITS], targets.segments, targets.mask)


def _counted(targets: Targets, *, first: bool) -> Targets:
    """Targets; with ``first``, videos without an event have category 0."""
    if not first:
        return targets
    return replace(targets, event=targets.event.where(targets.has_event, torch.zeros_like(targets.event)))


def _relevance_logits(p: HeadOutput, targets: Targets) -> Tensor:
    """(b t): relevance, or relevance of each video's category; for a video without one, of its predicted category."""
    if RELEVANCE_LOGITS in p:
        return p[RELEVANCE_LOGITS]
    category = targets.event.where(targets.has_event, p[EVENT_LOGITS].argmax(dim=-1))
    return p[CATEGORY_RELEVANCE_LOGITS].take_along_dim(category[:, None, None], dim=-1).squeeze(-1)
