"""The threshold between event and background."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Decision(nn.Module):
    """Event or background from one score a segment, at a fixed threshold or at the one that val chose.

        r = sigmoid(scale (score - origin)),    an event where r > threshold

    The engine fits ``scale`` and ``tuned`` on val after every epoch, for whichever rule decides. Both are buffers, so
    that the weights alone reproduce every answer.

    Args:
        threshold: of r, the fixed rule's.
        origin: the score at which r is 0.5.
        use_tuned: decide at ``tuned`` instead of ``threshold``.
        distances: the scores are negative distances, which are no logits: r becomes a probability by a scale fitted
            on val. It moves no decision of the fixed rule.

    >>> Decision(origin=0.5).origin
    0.5
    """

    scale: Tensor
    tuned: Tensor

    def __init__(
        self, *, threshold: float = 0.5, origin: float = 0.0, use_tuned: bool = False, distances: bool = False
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.origin = origin
        self.use_tuned = use_tuned
        self.distances = distances
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("tuned", torch.full((), threshold))

    def relevance(self, score: Tensor) -> Tensor:
        """(b t), r."""
        return (self.scale * (score - self.origin)).sigmoid()

    def is_event(self, score: Tensor) -> Tensor:
        """(b t) bool. Compared as logits, where a score next to the origin does not round to r = 0.5."""
        threshold = self.tuned.double() if self.use_tuned else torch.full((), self.threshold, dtype=torch.float64)
        return (self.scale * (score - self.origin)).double() > threshold.logit().to(score.device)

    def distance_at(self, threshold: float) -> float:
        """The distance whose r is ``threshold``; infinite at 0 and 1."""
        logit = torch.tensor(threshold, dtype=torch.float64).logit()
        return -self.origin - float(logit) / float(self.scale)
