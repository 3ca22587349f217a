"""Shared parts of the double-branch heads."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from avelzoo.nn import decode_branches
from avelzoo.nn.decision import Decision
from avelzoo.records import Predictions


class Classifier(nn.Module):
    """A linear layer with dropout on its logits (Ge et al.'s code) or on the features before it.

    Dropout on logits sets a dropped logit to 0 (sigmoid 0.5) and scales the rest by 1 / (1 - p).

    Args:
        width: d.
        classes: outputs.
        dropout: p.
        dropout_at: ``logits`` or ``features``.
    """

    def __init__(self, width: int, classes: int, dropout: float, dropout_at: Literal["logits", "features"]) -> None:
        super().__init__()
        self.linear = nn.Linear(width, classes)
        self.dropout = nn.Dropout(dropout)
        self.on_logits = dropout_at == "logits"

    def forward(self, features: Tensor, *, pooling: Literal["none", "mean", "max"] = "none") -> Tensor:
        """(b t d) -> (b t classes), or (b classes) by pooling: mean of segment logits, or logits of max features.

        Dropout on logits follows pooling.
        """
        if not self.on_logits:
            features = self.dropout(features)
        if pooling == "max":
            features = features.amax(dim=1)
        logits: Tensor = self.linear(features)
        if pooling == "mean":
            logits = logits.mean(dim=1)
        return self.dropout(logits) if self.on_logits else logits

    @torch.no_grad()
    def probability(self, features: Tensor) -> Tensor:
        """(b t d) -> (b t classes), the sigmoid of the logits, without gradient or dropout."""
        probability: Tensor = self.linear(features).float().sigmoid()
        return probability


def decide(category_scores: Tensor, score: Tensor, decision: Decision) -> Predictions:
    """(b n), (b t) -> the video's best category in segments decided as event, background elsewhere."""
    return decode_branches(category_scores, decision.relevance(score.float()), decision.is_event(score.float()))
