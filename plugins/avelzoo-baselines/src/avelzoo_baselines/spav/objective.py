"""Start and end beside the general losses."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo import MemoryView, Objective, Predictions, Targets


class SpanObjective(Objective):
    """The general terms, and CE(start) + CE(end) over t positions and a null one.

    The start is the first event segment, the end the last one; a video without event segments has the null position.

    Args:
        span: weight of start and end.
        general: the general full objective.
    """

    def __init__(self, span: float, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.weights = {**general.weights, "span": span}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        logits = predictions.extras["span_logits"].float()
        start, end = span_of(targets.relevance > 0)
        loss = F.cross_entropy(logits[..., 0], start) + F.cross_entropy(logits[..., 1], end)
        return {**self.general(predictions, targets, view), "span": loss}


def span_of(inside: Tensor) -> tuple[Tensor, Tensor]:
    """First and last position that is true, t where none is: (b t) bool -> twice (b)."""
    t = inside.shape[1]
    first = inside.int().argmax(dim=1)
    last = t - 1 - inside.flip(1).int().argmax(dim=1)
    some = inside.any(dim=1)
    return torch.where(some, first, t), torch.where(some, last, t)
