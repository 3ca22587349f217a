"""The audio-visual pair similarity loss of PSP."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.nn import segments_of


def pair_similarity_loss(similarity: Tensor, shares: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over b t of (r_t - g_t)^2 with r = ReLU(cos) / (sum_t ReLU(cos) + 1e-8).

    Args:
        similarity: (b t), cosines of paired audio and visual features.
        shares: g (b t).
        mask: (b t) bool, real segments; None where all are.
    """
    positive = F.relu(similarity.to(torch.promote_types(similarity.dtype, torch.float32)))
    if mask is not None:
        positive = positive.masked_fill(~mask, 0.0)
    found = positive / (positive.sum(dim=1, keepdim=True) + 1e-8)
    return F.mse_loss(segments_of(found, mask), segments_of(shares.to(positive.dtype), mask))


def event_shares(relevance: Tensor) -> Tensor:
    """(b t) -> (b t): 1 / (number of event segments) on event segments, 0 elsewhere."""
    return relevance / relevance.sum(dim=1, keepdim=True).clamp_min(1.0)


def stale_shares(relevance: Tensor, before: Tensor) -> Tensor:
    """Event shares written over older ones, which background segments keep; videos without events become all 1 / t.

    Args:
        relevance: (b t), y^r.
        before: (b t), the targets of the videos that were in these places.
    """
    is_event = relevance > 0
    shares = torch.where(is_event, event_shares(relevance), before)
    return shares.where(is_event.any(dim=1, keepdim=True), torch.full_like(shares, 1 / relevance.shape[1]))
