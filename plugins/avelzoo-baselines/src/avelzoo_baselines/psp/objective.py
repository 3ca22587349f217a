"""The loss of PSP beside the general ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo_baselines.channels import PAIR_SIMILARITY
from avelzoo_baselines.psp.similarity import event_shares, pair_similarity_loss, stale_shares


class PairLoss(nn.Module):
    """The loss of pair similarities (Zhou et al. 2021, sec. 3.3).

    Targets are `event_shares`. The public code allocates them once and writes event segments alone, so that
    background segments keep what earlier videos left in the same place of a batch (`stale_shares`); that buffer is
    part of the state dict. Batches with more videos than the buffer, or with a video of another length, get
    `event_shares`. Where a transform mixes videos, the partners' targets are
    written last.

    Args:
        slots: places of the buffer; 0 for none.
        segments: t of the buffer.
    """

    stale: Tensor | None

    def __init__(self, *, slots: int, segments: int) -> None:
        super().__init__()
        self.register_buffer("stale", torch.zeros(slots, segments) if slots else None)

    def forward(self, output: HeadOutput, targets: Targets, view: MemoryView | None) -> Tensor:
        """The unweighted loss."""
        shares = self._targets(targets.relevance, targets.mask)
        return pair_similarity_loss(output[PAIR_SIMILARITY], shares, targets.mask)

    def _targets(self, relevance: Tensor, mask: Tensor | None) -> Tensor:
        """(b t), (b t) -> (b t)."""
        b, length = relevance.shape
        if self.stale is None or b > self.stale.shape[0] or not _all_of_length(self.stale.shape[1], relevance, mask):
            return event_shares(relevance)
        t = self.stale.shape[1]
        shares = stale_shares(relevance[:, :t], self.stale[:b].to(relevance.dtype))
        if self.training:
            self.stale[:b] = shares.to(self.stale.dtype)
        return F.pad(shares, (0, length - t))


def _all_of_length(t: int, relevance: Tensor, mask: Tensor | None) -> bool:
    """Whether every video has t real segments."""
    if mask is None:
        return relevance.shape[1] == t
    return bool((mask.sum(dim=1) == t).all())
