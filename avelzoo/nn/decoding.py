"""Decoding of logits to final predictions."""

from __future__ import annotations

from torch import Tensor

from avelzoo.records import Predictions


def decode_segments(logits: Tensor) -> Predictions:
    """Final answers from logits over n+1 classes per segment.

    Args:
        logits: (b t n+1), background last.
    """
    probabilities = logits.float().softmax(dim=-1)
    scores = probabilities[..., :-1].mean(dim=1)
    return Predictions(
        segments=logits.argmax(dim=-1),
        category=scores.argmax(dim=-1),
        category_scores=scores,
        relevance=1 - probabilities[..., -1],
    )


def decode_branches(category_scores: Tensor, relevance: Tensor, is_event: Tensor) -> Predictions:
    """The video's best category in its event segments, background elsewhere.

    Args:
        category_scores: (b n).
        relevance: (b t) in [0, 1].
        is_event: (b t) bool.
    """
    n = category_scores.shape[-1]
    category = category_scores.argmax(dim=-1)
    segments = category.unsqueeze(1).expand_as(is_event).masked_fill(~is_event, n)
    return Predictions(
        segments=segments, category=category, category_scores=category_scores.float(), relevance=relevance.float()
    )
