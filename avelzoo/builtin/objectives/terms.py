"""The loss terms of Ge et al. 2023, one function per equation. All return float32 scalars over a batch.

Weights of videos or segments are 0 or 1; an empty mean is 0, so that a batch without any event stays finite.
A ``mask`` (b t) is true for real segments, None if all are real; means over segments ignore padding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.nn import max_over_time, mean_over_time, pairwise_distance, segments_of
from avelzoo.records import MemoryView, Metric


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """sum(w x) / sum(w); 0 if every weight is 0."""
    weights = weights.to(values.dtype)
    return (values * weights).sum() / weights.sum().clamp_min(1e-12)


def event_loss(logits: Tensor, event: Tensor, counted: Tensor) -> Tensor:
    """Eq. 11: cross-entropy of the video's category.

    Args:
        logits: (b n).
        event: (b), ids in 0..n-1 of counted videos.
        counted: (b) bool, videos that have a category.
    """
    losses = F.cross_entropy(logits.float(), event.clamp_max(logits.shape[-1] - 1), reduction="none")
    return weighted_mean(losses, counted)


def relevance_loss(logits: Tensor, relevance: Tensor, mask: Tensor | None = None) -> Tensor:
    """Eq. 13: binary cross-entropy of every segment, from logits (b t) and y^r (b t)."""
    return F.binary_cross_entropy_with_logits(segments_of(logits.float(), mask), segments_of(relevance.float(), mask))


def weak_relevance_loss(logits: Tensor, presence: Tensor, mask: Tensor | None = None) -> Tensor:
    """Eq. 15-16: binary cross-entropy between mean_t sigmoid(l^r_t) and the video's relevance (b)."""
    # torch's binary_cross_entropy does not run under autocast. This gradient stays finite if the mean saturates.
    with torch.autocast(logits.device.type, enabled=False):
        return F.binary_cross_entropy(mean_over_time(logits.float().sigmoid(), mask), presence.float())


def unimodal_loss(
    audio_logits: Tensor, visual_logits: Tensor, category: Tensor, relevance: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Eq. 2 and 17: cross-entropy of both uni-modal classifiers, weighted by relevance, over all b t segments.

    Args:
        audio_logits: (b t n).
        visual_logits: (b t n).
        category: (b t), ids; those of weight 0 may be out of range.
        relevance: (b t), y^r; with weak labels, 1 for every segment of a counted video.
        mask: (b t) bool.
    """
    n = audio_logits.shape[-1]
    target = segments_of(category.clamp_max(n - 1), mask)
    audio = F.cross_entropy(segments_of(audio_logits.float(), mask), target, reduction="none")
    visual = F.cross_entropy(segments_of(visual_logits.float(), mask), target, reduction="none")
    return ((audio + visual) * segments_of(relevance.float(), mask)).mean()


def prototype_loss(
    logits: Tensor, event: Tensor, counted: Tensor, mask: Tensor | None = None, *, per_segment: bool
) -> Tensor:
    """Eq. 6-7: negative log-likelihood of the category under a softmax over -dist / tau.

    Args:
        logits: (b t n).
        event: (b).
        counted: (b) bool.
        mask: (b t) bool.
        per_segment: mean over segments of a softmax each (paper), or one softmax of the mean logits (public code).
    """
    if not per_segment:
        return event_loss(mean_over_time(logits.float(), mask), event, counted)
    event, counted = (segments_of(x.unsqueeze(1).expand(logits.shape[:2]), mask) for x in (event, counted))
    return event_loss(segments_of(logits, mask), event, counted)


def anchor_extremes(
    embedding: Tensor, view: MemoryView, metric: Metric, event: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Largest and smallest distance of every segment to the filled slots of its video's category.

    Args:
        embedding: (b t d).
        view: the memory.
        metric: scale of distances.
        event: (b).

    Returns:
        max_q dist (b t), min_q dist (b t), and (b) bool, videos whose category has a filled slot.
    """
    category = event.clamp_max(view.items.shape[0] - 1)
    distance = pairwise_distance(embedding, view.items[category], metric.scale)
    empty = ~view.filled[category].unsqueeze(1)
    farthest = distance.masked_fill(empty, 0.0).amax(dim=-1)
    nearest = distance.masked_fill(empty, torch.finfo(distance.dtype).max).amin(dim=-1)
    return farthest, nearest, view.usable[category]


def contrastive_segments(farthest: Tensor, nearest: Tensor, relevance: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """The two sides of eq. 8 and 18 per segment: y max_q dist and (1 - y) max(0, m - min_q dist).

    Args:
        farthest: (b t), max_q dist.
        nearest: (b t), min_q dist.
        relevance: (b t), y^r, or l^r with weak labels.
        margin: m.
    """
    y = relevance.float()
    return y * farthest, (1 - y) * F.relu(margin - nearest)


def contrastive_videos(
    pull: Tensor, push: Tensor, relevance: Tensor, mask: Tensor | None = None, *, parts: bool
) -> Tensor:
    """(b): mean of pull + push over t; with ``parts``, sum of the means over event and over background segments.

    The public code uses ``parts`` under full supervision.
    """
    if not parts:
        return mean_over_time(pull + push, mask)
    y = relevance.float()
    n = 1 - y
    if mask is not None:
        pull, push, y, n = (x.masked_fill(~mask, 0.0) for x in (pull, push, y, n))
    return pull.sum(1) / (y.sum(1) + 1e-12) + push.sum(1) / (n.sum(1) + 1e-12)


def contrastive_loss(
    extremes: tuple[Tensor, Tensor, Tensor],
    relevance: Tensor,
    counted: Tensor,
    margin: float,
    mask: Tensor | None = None,
    *,
    parts: bool,
) -> Tensor:
    """Eq. 8 and 18: mean over the counted videos whose category has a filled slot.

    Args:
        extremes: from `anchor_extremes`.
        relevance: (b t), y^r or l^r.
        counted: (b) bool.
        margin: m.
        mask: (b t) bool.
        parts: see `contrastive_videos`.
    """
    farthest, nearest, usable = extremes
    pull, push = contrastive_segments(farthest, nearest, relevance, margin)
    return weighted_mean(contrastive_videos(pull, push, relevance, mask, parts=parts), counted & usable)


def segment_loss(logits: Tensor, segments: Tensor, mask: Tensor | None = None) -> Tensor:
    """Cross-entropy of every segment over n+1 classes: (b t n+1), (b t)."""
    return F.cross_entropy(segments_of(logits.float(), mask), segments_of(segments, mask))


def pooled_segment_loss(logits: Tensor, labels: Tensor, mask: Tensor | None = None, *, pooling: str) -> Tensor:
    """Cross-entropy of the pooled segments against the video's label distribution, both over n+1 classes.

    Args:
        logits: (b t n+1).
        labels: (b n+1), rows sum to 1.
        mask: (b t) bool.
        pooling: ``mean`` or ``max`` over t, before the softmax.
    """
    pooled = (mean_over_time if pooling == "mean" else max_over_time)(logits.float(), mask)
    return F.cross_entropy(pooled, labels.float())
