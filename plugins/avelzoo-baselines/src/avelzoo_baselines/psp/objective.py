"""The loss of PSP beside the general ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo_baselines.channels import PAIR_SIMILARITY
from avelzoo_baselines.psp.similarity import event_shares, pair_similarity_loss, stale_shares


class PairLoss(nn.Module):
    """The loss of pair similarities (Zhou et al. 2021, sec. 3.3).

    Targets are `event_shares`. The public code allocates them once and writes event segments alone, so that
    background segments keep what earlier videos left in the same place of a batch (`stale_shares`); that buffer is
    part of the state dict. Videos beyond it, of another length or in a padded
    batch, get targets of their own.

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
        shares = self._targets(targets.relevance) if targets.mask is None else event_shares(targets.relevance)
        return pair_similarity_loss(output[PAIR_SIMILARITY], shares, targets.mask)

    def _targets(self, relevance: Tensor) -> Tensor:
        """(b t) -> (b t)."""
        b, t = relevance.shape
        if self.stale is None or b > self.stale.shape[0] or t != self.stale.shape[1]:
            return event_shares(relevance)
        shares = stale_shares(relevance, self.stale[:b].to(relevance.dtype))
        if self.training:
            self.stale[:b] = shares.to(self.stale.dtype)
        return shares
