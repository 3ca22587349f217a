"""The weakly supervised objective (Ge et al. 2023, eq. 19)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo.builtin.objectives import terms
from avelzoo.builtin.objectives.full import own_category
from avelzoo.contracts import Objective
from avelzoo.records import MemoryView, Predictions, Targets

if TYPE_CHECKING:
    from avelzoo.builtin.objectives.configs import WeakConfig


class WeakObjective(Objective):
    """L = l1 L_e + l2 L_r^w + l3 L_umc^w + l4 L_p + l5 L_c^w, each where its predictions exist.

    The relevance of eq. 18 is the model's own and carries gradient, as in the public code.

    Args:
        config: weights and options.
    """

    def __init__(self, config: WeakConfig) -> None:
        super().__init__()
        self.per_segment = config.prototype_level == "segment"
        self.background_as_first = config.background_videos == "category-0"
        self.pooling = config.segment_pooling
        self.weights = {
            "event": config.event,
            "relevance": config.relevance,
            "unimodal": config.unimodal,
            "prototype": config.prototype,
            "contrastive": config.contrastive,
            "segment": config.segment,
        }

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        p = predictions
        found: dict[str, Tensor] = {}
        if p.segment_logits is not None:
            found["segment"] = terms.pooled_segment_loss(p.segment_logits, targets.video_labels, pooling=self.pooling)
        if self.background_as_first:
            first = torch.zeros_like(targets.event)
            targets = replace(targets, event=targets.event.where(targets.has_event, first))
        event, counted = targets.event, targets.has_event
        if p.event_logits is not None:
            found["event"] = terms.event_loss(p.event_logits, event, counted)
        relevance_logits = p.relevance_logits
        if p.category_relevance_logits is not None and p.event_logits is not None:
            relevance_logits = own_category(p.category_relevance_logits, p.event_logits, targets)
        if relevance_logits is not None:
            found["relevance"] = terms.weak_relevance_loss(relevance_logits, targets.presence)
        if p.audio_logits is not None and p.visual_logits is not None:
            shape = p.audio_logits.shape[:2]
            found["unimodal"] = terms.unimodal_loss(
                p.audio_logits, p.visual_logits, event.unsqueeze(1).expand(shape), counted.unsqueeze(1).expand(shape)
            )
        if p.prototype_logits is not None and view is not None:
            usable = counted & view.usable[event.clamp_max(targets.background - 1)]
            found["prototype"] = terms.prototype_loss(p.prototype_logits, event, usable, per_segment=self.per_segment)
        if p.embedding is not None and p.metric is not None and view is not None and relevance_logits is not None:
            extremes = terms.anchor_extremes(p.embedding, view, p.metric, event)
            found["contrastive"] = terms.contrastive_loss(
                extremes, relevance_logits.float().sigmoid(), counted, p.metric.margin, parts=False
            )
        return found
