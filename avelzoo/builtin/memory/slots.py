"""Ranked slots: for each category, the l best-scored entries seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """k candidates for slots.

    Attributes:
        category: (k) int64.
        score: (k), larger is better, above 0.
        key: (k) int64, identity of the segment.
        relevance: (k), y^r, 0 where unknown.
        position: (k) int64, the entry's row in ``source``.
        source: name -> (rows ...), tensors to store; copied only for entries that enter a slot.
    """

    category: Tensor
    score: Tensor
    key: Tensor
    relevance: Tensor
    position: Tensor
    source: Mapping[str, Tensor]

    def take(self, index: Tensor) -> Candidates:
        """The entries at these positions, in this order."""
        changes = {f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "source"}
        return replace(self, **changes)


class RankedSlots(nn.Module):
    """Buffers of n categories x l slots, best score first, unfilled slots (score 0) last.

    Insertion is stable: among equal scores the older entry stays, so results do not depend on the sort algorithm.

    Args:
        n: categories.
        size: l.
        shapes: name -> shape of one stored entry.
    """

    score: Tensor
    key: Tensor
    relevance: Tensor
    filled: Tensor

    def __init__(self, n: int, size: int, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.size = size
        self.names = tuple(shapes)
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(n, size, *shape))
        self.register_buffer("score", torch.zeros(n, size))
        self.register_buffer("key", torch.full((n, size), -1, dtype=torch.int64))
        self.register_buffer("relevance", torch.zeros(n, size))
        self.register_buffer("filled", torch.zeros(n, size, dtype=torch.bool))

    def payload(self, name: str) -> Tensor:
        """(n l ...), one of the stored buffers."""
        return self.get_buffer(name)

    @torch.no_grad()
    def insert(self, entries: Candidates) -> None:
        """Merge entries into their categories and keep the l best of each; vectorised over categories for GPUs."""
        n, size = self.score.shape
        category = torch.arange(n, device=self.score.device).repeat_interleave(size)
        category = torch.cat([category, entries.category])
        score = torch.cat([self.score.masked_fill(~self.filled, -1.0).flatten(), entries.score])
        order = score.argsort(descending=True, stable=True)
        order = order[category[order].argsort(stable=True)]  # by category, best first, older first among equals
        count = category.bincount(minlength=n)
        best = order[(count.cumsum(0) - count).unsqueeze(1) + torch.arange(size, device=order.device)]  # (n l)
        changed = (best >= n * size).any(dim=1).nonzero().squeeze(1)
        if changed.numel() == 0:
            return
        best = best[changed]
        is_new = best >= n * size
        winners = best[is_new] - n * size
        added = {name: entries.source[name][entries.position[winners]] for name in self.names}
        added |= {"score": entries.score[winners], "key": entries.key[winners], "relevance": entries.relevance[winners]}
        added["filled"] = torch.ones_like(winners, dtype=torch.bool)
        kept = best.masked_fill(is_new, 0)
        for name, rows in added.items():
            buffer = self.get_buffer(name)
            merged = buffer.flatten(0, 1)[kept]
            merged[is_new] = rows.to(buffer.dtype)
            buffer[changed] = merged

    @torch.no_grad()
    def rescore(self, scores: Tensor) -> None:
        """Replace the scores of filled slots by new ones (n l), and sort every category again."""
        fresh = torch.where(self.filled, scores.to(self.score.dtype), torch.zeros_like(self.score))
        order = fresh.masked_fill(~self.filled, -1.0).argsort(dim=1, descending=True, stable=True)
        self.score.copy_(fresh)
        for buffer in (self.score, self.key, self.relevance, self.filled, *(self.payload(n) for n in self.names)):
            index = order.view(*order.shape, *([1] * (buffer.dim() - 2)))
            buffer.copy_(buffer.take_along_dim(index, dim=1))
