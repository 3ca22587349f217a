"""The loss of a span's start and end."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo_baselines.channels import SPAN_LOGITS


def span_loss(output: HeadOutput, targets: Targets, view: MemoryView | None) -> Tensor:
    """CE(start) + CE(end) over t positions and a null one.

    The start is the first event segment, the end the last one; a video without event segments has the null position.
    """
    logits = output[SPAN_LOGITS].float()
    start, end = span_of(targets.relevance > 0)
    if targets.mask is not None:  # the null position follows a video's last segment
        lengths = targets.mask.sum(dim=1)
        behind = torch.arange(logits.shape[1], device=logits.device) > lengths.unsqueeze(1)
        logits = logits.masked_fill(behind.unsqueeze(-1), float("-inf"))
        start, end = start.minimum(lengths), end.minimum(lengths)
    return F.cross_entropy(logits[..., 0], start) + F.cross_entropy(logits[..., 1], end)


def span_of(inside: Tensor) -> tuple[Tensor, Tensor]:
    """First and last position that is true, t where none is: (b t) bool -> twice (b)."""
    t = inside.shape[1]
    first = inside.int().argmax(dim=1)
    last = t - 1 - inside.flip(1).int().argmax(dim=1)
    some = inside.any(dim=1)
    return torch.where(some, first, t), torch.where(some, last, t)
