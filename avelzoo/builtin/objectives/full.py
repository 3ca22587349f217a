"""The fully supervised objective (Ge et al. 2023, eq. 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo.builtin.objectives import terms
from avelzoo.contracts import Objective
from avelzoo.records import MemoryView, Predictions, Targets

if TYPE_CHECKING:
    from avelzoo.builtin.objectives.configs import FullConfig


class FullObjective(Objective):
    """L = l1 L_e + l2 L_r + l3 L_umc + l4 L_p + l5 L_c, each where its predictions exist; a single branch has L_seg.

    Args:
        config: weights and options.
    """

    def __init__(self, config: FullConfig) -> None:
        super().__init__()
        self.per_segment = config.prototype_level == "segment"
        self.parts = config.contrastive_mean == "parts"
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
        p, event, counted = predictions, targets.event, targets.has_event
        assert targets.segments is not None, "the composition check pairs this objective with full supervision"
        found: dict[str, Tensor] = {}
        if p.event_logits is not None:
            found["event"] = terms.event_loss(p.event_logits, event, counted)
        relevance_logits = p.relevance_logits
        if p.category_relevance_logits is not None and p.event_logits is not None:
            relevance_logits = own_category(p.category_relevance_logits, p.event_logits, targets)
        if relevance_logits is not None:
            found["relevance"] = terms.relevance_loss(relevance_logits, targets.relevance)
        if p.audio_logits is not None and p.visual_logits is not None:
            found["unimodal"] = terms.unimodal_loss(
                p.audio_logits, p.visual_logits, targets.segments, targets.relevance
            )
        if p.prototype_logits is not None and view is not None:
            usable = counted & view.usable[event.clamp_max(targets.background - 1)]
            found["prototype"] = terms.prototype_loss(p.prototype_logits, event, usable, per_segment=self.per_segment)
        if p.embedding is not None and p.metric is not None and view is not None:
            extremes = terms.anchor_extremes(p.embedding, view, p.metric, event)
            found["contrastive"] = terms.contrastive_loss(
                extremes, targets.relevance, counted, p.metric.margin, parts=self.parts
            )
        if p.segment_logits is not None:
            found["segment"] = terms.segment_loss(p.segment_logits, targets.segments)
        return found


def own_category(category_logits: Tensor, event_logits: Tensor, targets: Targets) -> Tensor:
    """(b t) relevance logits of each video's own category; of its predicted one where it has none."""
    category = targets.event.where(targets.has_event, event_logits.argmax(dim=-1))
    return category_logits.take_along_dim(category[:, None, None], dim=-1).squeeze(-1)
